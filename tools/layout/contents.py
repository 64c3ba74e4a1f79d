"""What Terraform or OpenTofu reads in a directory by the names of its files."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from tools.hcl.scanning import value_names
from tools.layout import files

# Stands for what cannot be opened, and names all that a file may be needed for.
UNOPENED = b"\0terraform_remote_state module source backend"

# Where init notes the backend.
SAVED_BACKEND = ".terraform/terraform.tfstate"

Files = tuple[tuple[str, bytes], ...]  # name and content
SavedBackend = tuple[str, Mapping[str, Any]]  # its kind and its arguments


class Contents(NamedTuple):
    """The files of one directory: `configuration`, sorted, and `values`, the strongest last.

    A file of configuration that cannot be opened is UNOPENED, and one of values is left out. While
    they are kept, equal texts are one object: a dictionary finds what is known of it at once.
    """

    configuration: Files
    values: Files


class _Kept(NamedTuple):
    contents: dict[tuple[str, bool], Contents]
    texts: dict[bytes, bytes]
    workspaces: dict[str, str]


# Of this thread: another one may change files meanwhile.
_kept: ContextVar[_Kept | None] = ContextVar("_kept", default=None)


def _current() -> _Kept:
    return _kept.get() or _Kept({}, {}, {})


@contextmanager
def keep_contents() -> Iterator[None]:
    """Keeps what is read within it: each directory is read once, until `expect_changes`."""
    token = _kept.set(_current())
    try:
        yield
    finally:
        _kept.reset(token)


@contextmanager
def expect_changes() -> Iterator[None]:
    """Reads each directory again within it, and afterwards: for what changes some of them."""
    outer = _kept.get()
    token = _kept.set(None)
    try:
        yield
    finally:
        _kept.reset(token)
        for known in outer or ():
            known.clear()


def read_contents(directory: Path | str, tofu: bool) -> Contents:
    """Returns what Terraform, or OpenTofu, reads in `directory`.

    Raises OSError if there is no such directory.
    """
    contents, texts, _ = _current()
    key = str(directory), tofu
    if key not in contents:
        contents[key] = _read_contents(*key, texts)
    return contents[key]


def _read_contents(directory: str, tofu: bool, texts: dict[bytes, bytes]) -> Contents:
    def read(name: str) -> bytes | None:
        text = read_file(f"{directory}/{name}")
        return None if text is None else texts.setdefault(text, text)

    names = files.file_names(directory)
    configuration = [(name, read(name)) for name in files.config_names(names, tofu)]
    values = [(name, read(name)) for name in value_names(names)]
    return Contents(
        tuple((name, UNOPENED if text is None else text) for name, text in configuration),
        # A link may lead nowhere.
        tuple((name, text) for name, text in values if text is not None),
    )


def selected_workspace(directory: str) -> str:
    """Returns the workspace that `terraform workspace select` has chosen in `directory`."""
    workspaces = _current().workspaces
    if directory not in workspaces:
        text = read_file(f"{directory}/.terraform/environment") or b""
        workspaces[directory] = "".join(text.decode(errors="replace").split()) or "default"
    return workspaces[directory]


def is_workspace(kind: str, name: str) -> bool:
    """Returns whether `kind.name` is the workspace's: OpenTofu knows `tofu.workspace` too.

    https://github.com/opentofu/opentofu/blob/main/internal/lang/scope_test.go
    """
    return kind in ("terraform", "tofu") and name == "workspace"


def saved_backend(directory: str) -> SavedBackend | None:
    """The kind and the arguments of the backend as the last init saved them, if it saved any.

    Those of `-backend-config` are among them:
    https://developer.hashicorp.com/terraform/language/backend#partial-configuration
    """
    content = read_file(f"{directory}/{SAVED_BACKEND}")
    if content is None:
        return None
    try:
        backend_note = json.loads(content)["backend"]
        arguments = {
            name: value for name, value in backend_note["config"].items() if value is not None
        }
        return str(backend_note["type"]), arguments
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def read_file(path: str) -> bytes | None:
    """Returns the content of a file, or None if there is none that can be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a third of Path.open's time
            return file.read()
    except OSError:
        return None
