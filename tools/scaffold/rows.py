"""Notebooks from what a user asks for: options, another notebook, or a file of rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import UserError, nearest, shorten
from tools.hcl import reading
from tools.layout.repository import TYPED_ONCE, Repository
from tools.scaffold import notebook, render, row_files
from tools.scaffold.notebook import Notebook
from tools.scaffold.row_files import Row, WrongRowsError
from tools.system.user import login_name

# Keys of a row that are no values of the notebook itself.
_ROW_KEYS = ("name", "profile", "from", "instance")
SCRIPTS = ("on_create_file", "on_start_file")
_REQUIRED = ("instance_type", "owner", "purpose", "environment")
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
_LONGEST_SCRIPT = 12_288  # bytes: 16,384 characters of base64


def keys(types: Mapping[str, str]) -> set[str]:
    """The keys that a row may have: `name`, `profile`, `from`, and the variables, with `types`."""
    return {*_ROW_KEYS, *types}


def build(row: Row, common: Row, repository: Repository, types: Mapping[str, str]) -> Notebook:
    """The validated notebook of a row; `common` holds what the row does not say.

    A row has the `keys` of `types`. Scripts are named by their path. A `name` in `common` is the
    variable: the instance's name if it is not the directory's. Raises UserError for a wrong row.
    """
    instance = {"instance": common["name"]} if "name" in common else {}
    return _build({**common, **instance, **row}, repository, types)


def build_file(
    path: Path, common: Row, repository: Repository, types: Mapping[str, str]
) -> list[Notebook]:
    """A validated notebook for each row of a file, as `build` makes it.

    Raises WrongRowsError with all wrong rows, those included whose name is taken, and UserError as
    `read_rows` and for what is wrong with `common` alone.
    """
    for key in common:
        _check_key(key, types)
    notebooks: list[Notebook] = []
    wrong: list[tuple[int, str]] = []
    lines: dict[str, int] = {}
    for file_row in row_files.read_rows(path, keys(types)):
        try:
            checked = file_row.checked()
            row_files.claim_name(file_row, lines)
            notebooks.append(build(checked, common, repository, types))
        except UserError as error:
            wrong.append((file_row.line, str(error)))
    taken = render.find_taken(notebooks, repository)
    wrong += [(lines[notebook.name], complaint) for notebook, complaint in taken]
    if wrong:
        raise WrongRowsError([f"{path}, line {line}: {text}" for line, text in sorted(wrong)])
    return notebooks


def _check_key(key: str, types: Mapping[str, str], name: str = "") -> None:
    """Raises UserError if a row cannot have `key`; `name` begins the message."""
    if key not in keys(types):
        hint = nearest(key, sorted(keys(types)))
        raise UserError(f"{name}a notebook has no value called {shorten(key)}; {hint}")


def _build(row: Row, repository: Repository, types: Mapping[str, str]) -> Notebook:
    """Makes a notebook of a row. Raises UserError, which names the value and what is wrong."""
    name = str(row["name"])
    notebook.check_name(name)
    for key in row:
        _check_key(key, types, f"{name}: ")
    for key in ("profile", "from", *SCRIPTS):
        if row.get(key) is not None and not isinstance(row[key], str):
            raise UserError(f"{name}: {key}: {shorten(row[key])} is not text")
    values: dict[str, Any] = {"volume_size": 20, "purpose": name}
    source = row.get("from")
    profile = row.get("profile") or (None if source else "dev")
    if source:
        values |= _values_of(str(source), repository)
    if profile:
        values |= _profile(name, str(profile))
    values |= {key: value for key, value in row.items() if key not in _ROW_KEYS}
    if "instance" in row:
        values["name"] = row["instance"]
    if "owner" not in values:
        values["owner"] = login_name(name)
    scripts = _scripts(name, values)
    made = notebook.make(name, values, types, scripts)
    for key in _REQUIRED:
        if key not in made.values:
            raise UserError(f"{name}: {key} is empty; every notebook needs one")
    return made


def _profile(name: str, profile: str) -> dict[str, reading.Value]:
    """The values of a profile. Raises UserError if there is no such profile."""
    if profile not in notebook.PROFILES:
        hint = nearest(profile, list(notebook.PROFILES))
        raise UserError(f"{name}: there is no profile {shorten(profile)}; {hint}")
    return notebook.PROFILES[profile]


def _values_of(source: str, repository: Repository) -> dict[str, reading.Value]:
    """The values of an existing notebook, but for its own name; scripts by their full path.

    Raises UserError if there is no such notebook.
    """
    names = repository.notebook_names()
    name = source.removeprefix("notebooks/").rstrip("/")
    directory = repository.root / "notebooks" / name
    path = directory / reading.VALUES
    if name not in names or not path.is_file():
        hint = nearest(name, [other for other in names if other != name])
        raise UserError(f"there is no notebooks/{name}/terraform.tfvars to copy from; {hint}")
    values = reading.read_tfvars(path)
    for script in set(SCRIPTS) & set(values):
        if values[script]:
            values[script] = str(directory / str(values[script]))
    return {key: value for key, value in values.items() if key not in ("name", *TYPED_ONCE)}


def _scripts(name: str, values: dict[str, Any]) -> dict[str, bytes]:
    """Reads the scripts that `values` name by path, and leaves their plain names in `values`.

    Raises UserError for one that is too long or no text, and for two of one name.
    """
    scripts: dict[str, bytes] = {}
    for key in SCRIPTS:
        if values.get(key):
            path = Path(str(values[key]))
            content = _content(name, key, path)
            if len(content) > _LONGEST_SCRIPT or not _is_utf8(content):
                raise UserError(
                    f"{name}: {key}: {path} must be UTF-8 text of at most {_LONGEST_SCRIPT} bytes; "
                    "let a short script fetch the rest from S3"
                )
            if scripts.get(path.name, content) != content:
                raise UserError(f"{name}: two scripts are called {path.name}; rename one")
            scripts[path.name] = content
            values[key] = path.name
    return scripts


def _content(name: str, key: str, path: Path) -> bytes:
    """The file's first bytes, one more than a script may have.

    Raises UserError if it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():  # a device or a pipe may never end
            raise UserError(f"{name}: {key}: {path} is not a file")
        with path.open("rb") as file:
            return file.read(_LONGEST_SCRIPT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{name}: {key}: cannot read {path}: {reason}") from None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
