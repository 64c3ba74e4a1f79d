"""Notebooks from what a user asks for: options, another notebook, or a file of rows."""

import codecs
import csv
import getpass
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.errors import UserError, nearest, shorten
from tools.hcl import reading
from tools.layout.repository import TYPED_ONCE, Repository
from tools.scaffold import notebook
from tools.scaffold.notebook import Notebook
from tools.system import files

Row = Mapping[str, Any]

# Keys of a row that are no values of the notebook itself.
_ROW_KEYS = ("name", "profile", "from", "instance")
SCRIPTS = ("on_create_file", "on_start_file")
_REQUIRED = ("instance_type", "owner", "purpose", "environment")
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
_LARGEST_FILE = 5_000_000  # bytes; a thousand notebooks take a tenth
_LONGEST_SCRIPT = 12_288  # bytes: 16,384 characters of base64


def build(
    rows: Sequence[Row], common: Row, repository: Repository, types: Mapping[str, str]
) -> list[Notebook]:
    """A validated notebook for each row; `common` holds what a row does not say.

    A row's keys are `name`, `profile`, `from` and the variables of the notebook root, which have
    `types`. Scripts are named by their path. A `name` in `common` is the variable: the instance's
    name if it is not the directory's. Raises UserError for the first wrong row.
    """
    instance = {"instance": common["name"]} if "name" in common else {}
    return [_build({**common, **instance, **row}, repository, types) for row in rows]


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV or YAML file, as `read_numbered_rows` has them."""
    return [row for _, row in read_numbered_rows(path)]


def read_numbered_rows(path: Path) -> list[tuple[int, Row]]:
    """The rows of a CSV or YAML file, each with its line; an empty cell says nothing.

    YAML is a list of mappings, or one mapping of names to mappings. Raises UserError, with the
    line if there is one, for a file that is neither.
    """
    readers = {".csv": _csv_rows, ".yaml": _yaml_rows, ".yml": _yaml_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path}: name it .csv, .yaml or .yml, by what it holds")
    try:
        with files.explain_unreadable(path):
            # Neither a device nor a pipe, which may never end.
            if path.exists() and (not path.is_file() or path.stat().st_size > _LARGEST_FILE):
                raise UserError(f"{path} must be a file of at most {_LARGEST_FILE} bytes")
            rows = reader(path)
    except UnicodeDecodeError as error:
        name = "UTF-16" if error.encoding.startswith("utf-16") else "UTF-8"
        raise UserError(f"{path} is not {name} (byte {error.start}); save it as UTF-8") from None
    if not rows:
        raise UserError(f"{path} names no notebook")
    for number, (_, row) in enumerate(rows, 1):
        if not isinstance(row.get("name"), str) or not row["name"]:
            raise UserError(f"{path}: notebook {number} has no name; add it as text")
    return rows


def _build(row: Row, repository: Repository, types: Mapping[str, str]) -> Notebook:
    name = str(row["name"])
    notebook.check_name(name)
    for key in row:
        if key not in _ROW_KEYS and key not in types:
            hint = nearest(key, sorted({*_ROW_KEYS, *types}))
            raise UserError(f"{name}: a notebook has no value called {shorten(key)}; {hint}")
    for key in ("profile", "from", *SCRIPTS):
        if row.get(key) is not None and not isinstance(row[key], str):
            raise UserError(f"{name}: {key}: {shorten(row[key])} is not text")
    values: dict[str, Any] = {"volume_size": 20, "owner": getpass.getuser(), "purpose": name}
    source = row.get("from")
    profile = row.get("profile") or (None if source else "dev")
    if source:
        values |= _values_of(str(source), repository)
    if profile:
        values |= _profile(name, str(profile))
    values |= {key: value for key, value in row.items() if key not in _ROW_KEYS}
    if "instance" in row:
        values["name"] = row["instance"]
    scripts = _scripts(name, values)
    made = notebook.make(name, values, types, scripts)
    for key in _REQUIRED:
        if key not in made.values:
            raise UserError(f"{name}: {key} is empty; every notebook needs one")
    return made


def _profile(name: str, profile: str) -> dict[str, reading.Value]:
    if profile not in notebook.PROFILES:
        hint = nearest(profile, list(notebook.PROFILES))
        raise UserError(f"{name}: there is no profile {shorten(profile)}; {hint}")
    return notebook.PROFILES[profile]


def _values_of(source: str, repository: Repository) -> dict[str, reading.Value]:
    """The values of an existing notebook, but for its own name; scripts by their full path."""
    names = repository.notebook_names()
    name = source.removeprefix("notebooks/").rstrip("/")
    directory = repository.root / "notebooks" / name
    path = directory / "terraform.tfvars"
    if name not in names or not path.is_file():
        hint = nearest(name, [other for other in names if other != name])
        raise UserError(f"there is no notebooks/{name}/terraform.tfvars to copy from; {hint}")
    values = reading.read_tfvars(path)
    for script in set(SCRIPTS) & set(values):
        if values[script]:
            values[script] = str(directory / str(values[script]))
    return {key: value for key, value in values.items() if key not in ("name", *TYPED_ONCE)}


def _scripts(name: str, values: dict[str, Any]) -> dict[str, bytes]:
    """Reads the scripts that `values` name by path, and leaves their plain names in `values`."""
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
    """The file's first bytes, one more than a script may have."""
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


# Spreadsheets write UTF-16 with this mark, which UTF-8 cannot begin with:
# https://www.unicode.org/faq/utf_bom.html#bom4
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with the mark of that.

    Raises UserError if it holds NUL characters, as UTF-16 without a mark does, and
    UnicodeDecodeError if it is in neither.
    """
    content = path.read_bytes()
    text = content.decode("utf-16" if content.startswith(_MARKS) else "utf-8-sig")
    if "\0" in text:
        raise UserError(f"{path} holds NUL characters, which no text does; save it as UTF-8")
    return text


# Spreadsheets write semicolons where a comma is the decimal separator, and tabs in UTF-16.
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _csv_rows(path: Path) -> list[tuple[int, Row]]:
    text = _text(path)
    try:
        for delimiter in _DELIMITERS:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
            if "name" in header:  # split by another character it has no such cell
                return _split_rows(path, text, delimiter)
    except csv.Error as error:
        raise UserError(f"{path}, line 1: {error}") from None
    if not text.strip():
        return []
    first = text.partition("\n")[0].rstrip("\r")
    raise UserError(f"{path}, line 1: no column is called name in {shorten(first)}")


def _split_rows(path: Path, text: str, delimiter: str) -> list[tuple[int, Row]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    rows: list[tuple[int, Row]] = []
    before = 1
    try:
        names = reader.fieldnames or []
        if len(set(names)) < len(names):
            raise UserError(f"{path}, line 1: a column stands there twice")
        before = reader.line_num
        for row in reader:
            if None in row or None in row.values():
                raise UserError(
                    f"{path}, line {reader.line_num}: it does not have as many cells as "
                    f"the first line; quote a cell that holds {_DELIMITERS[delimiter]}"
                )
            filled = {key: value for key, value in row.items() if value != ""}
            rows.append((before + 1, filled))  # a cell may have several lines
            before = reader.line_num
    except csv.Error as error:
        # What Python's csv says of a quote that nothing ends.
        is_open = "unexpected end" in str(error)
        line = before + 1 if is_open else reader.line_num
        problem = "a quote is not closed" if is_open else str(error)
        raise UserError(f"{path}, line {line}: {problem}") from None
    return rows


def _yaml_rows(path: Path) -> list[tuple[int, Row]]:
    import yaml

    text = _text(path)
    try:
        loader = _loader()(text)
        node = loader.get_single_node()
        content = loader.construct_document(node) if node else None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply; a notebook's values are flat") from None
    except (ValueError, OverflowError) as error:  # a date or a number that is none
        raise UserError(f"{path} holds a value that is none: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "correct it there"
        raise UserError(f"{path}{where}: not valid YAML: {problem}") from None
    if isinstance(content, dict):
        content = [_named(path, name, row) for name, row in content.items()]
    if content is None:
        return []
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise UserError(f"{path} is not a list of notebooks, each with its values")
    lines = [_first_node(item).start_mark.line + 1 for item in node.value]
    named = [{str(key): value for key, value in row.items()} for row in content]
    return list(zip(lines, named, strict=True))


def _first_node(item: Any) -> Any:
    """The node that an item begins with: of a mapping's items, the key."""
    return item[0] if isinstance(item, tuple) else item


def _loader() -> Any:
    """YAML's safe loader, which refuses a key that stands twice instead of keeping the last."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                if str(key.value) in seen:
                    problem = f"{key.value} stands there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(str(key.value))
            mapping: dict[Any, Any] = super().construct_mapping(node, deep)
            return mapping

    return Loader


def _named(path: Path, name: Any, row: Any) -> Row:
    if not isinstance(row, dict | None):
        raise UserError(f"{path}: {name} has no values but {shorten(row)}; write key: value lines")
    return {"name": name, **(row or {})}
