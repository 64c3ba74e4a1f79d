"""Notebooks in a file: the rows of CSV or YAML, each with its line and what is wrong with it."""

import codecs
import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.errors import UserError, nearest, shorten
from tools.system import files

Row = Mapping[str, Any]

_MERGE = "tag:yaml.org,2002:merge"  # of the key <<: https://yaml.org/type/merge.html
_LARGEST_FILE = 5_000_000  # bytes; a thousand notebooks take a tenth


@dataclass(frozen=True)
class FileRow:
    """A row and the line that it begins on; `error` is why it cannot be read as a notebook."""

    line: int
    row: Row
    error: UserError | None = None

    def checked(self) -> Row:
        """The row, of which only its file is known to be right. Raises its `error`."""
        if self.error:
            raise self.error
        return self.row


class WrongRowsError(UserError):
    """Rows of a file that are no notebooks; `lines` has a text for each."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        rest = f" (and {len(lines) - 1} more rows are wrong)" if len(lines) > 1 else ""
        super().__init__(f"{lines[0]}{rest}; nothing was written")


def read_rows(path: Path, keys: Collection[str]) -> list[FileRow]:
    """The rows of a CSV or YAML file, each with its line; an empty cell says nothing.

    `keys` are those that a row may have. YAML is a list of mappings, or one mapping of names to
    mappings. Raises UserError, with the line if there is one, for a file that is neither, and for a
    column of CSV that is none of the keys; what is wrong with a row alone is its `error`.
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
        encoding = "UTF-16" if error.encoding.startswith("utf-16") else "UTF-8"
        raise UserError(
            f"{path} is not {encoding} (byte {error.start}); save it as UTF-8"
        ) from None
    if not rows:
        raise UserError(f"{path} names no notebook")
    if reader is _csv_rows:
        _check_columns(path, rows, keys)
    return [_with_name(file_row) for file_row in rows]


def claim_name(file_row: FileRow, lines_by_name: dict[str, int]) -> None:
    """Notes the line of a row's name. Raises UserError if another row has the name."""
    name = str(file_row.row["name"])
    if name in lines_by_name:
        raise UserError(f"{name} is on line {lines_by_name[name]} too; name each notebook once")
    lines_by_name[name] = file_row.line


def _check_columns(path: Path, rows: Sequence[FileRow], keys: Collection[str]) -> None:
    """Raises UserError for a column that no notebook has, once and not for each of its cells."""
    for column in dict.fromkeys(name for file_row in rows for name in file_row.row):
        if column not in keys:
            hint = nearest(column, sorted(keys))
            raise UserError(
                f"{path}, line 1: a notebook has no value called {shorten(column)}; {hint}"
            )


def _with_name(file_row: FileRow) -> FileRow:
    name = file_row.row.get("name")
    if file_row.error or (isinstance(name, str) and name):
        return file_row
    return replace(file_row, error=UserError("the notebook has no name; add it as text"))


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


def _csv_rows(path: Path) -> list[FileRow]:
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
    first_line = text.partition("\n")[0].rstrip("\r")
    raise UserError(f"{path}, line 1: no column is called name in {shorten(first_line)}")


def _split_rows(path: Path, text: str, delimiter: str) -> list[FileRow]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    rows: list[FileRow] = []
    before = 1
    try:
        names = reader.fieldnames or []
        if len(set(names)) < len(names):
            raise UserError(f"{path}, line 1: a column stands there twice")
        before = reader.line_num
        for row in reader:
            error = None
            if None in row or None in row.values():
                error = UserError(
                    "it does not have as many cells as the first line; quote a cell that holds "
                    f"{_DELIMITERS[delimiter]}"
                )
            filled = {key: value for key, value in row.items() if key and value}
            rows.append(FileRow(before + 1, filled, error))  # a cell may have several lines
            before = reader.line_num
    except csv.Error as error:
        # What Python's csv says of a quote that nothing ends.
        is_open = "unexpected end" in str(error)
        line = before + 1 if is_open else reader.line_num
        problem = "a quote is not closed" if is_open else str(error)
        raise UserError(f"{path}, line {line}: {problem}") from None
    return rows


def _yaml_rows(path: Path) -> list[FileRow]:
    import yaml

    text = _text(path)
    try:
        loader = _loader()(text)
        node = loader.get_single_node()
        # Before `<<` is replaced by what it stands for, which may be many notebooks or none.
        nodes = [_first_node(item) for item in _items(node)]
        line_numbers = [item.start_mark.line + 1 for item in nodes]
        if merge := next((item for item in nodes if item.tag == _MERGE), None):
            raise UserError(
                f"{path}, line {merge.start_mark.line + 1}: << takes values over into a notebook; "
                "write each notebook's name out"
            )
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
    if content is None:
        return []
    if isinstance(content, dict):
        rows_and_errors = [_named(name, row) for name, row in content.items()]
    elif isinstance(content, list):
        rows_and_errors = [_unnamed(row) for row in content]
    else:
        raise UserError(f"{path} is not a list of notebooks, each with its values")
    return [
        FileRow(line, row, error)
        for line, (row, error) in zip(line_numbers, rows_and_errors, strict=True)
    ]


def _items(node: Any) -> list[Any]:
    """The items of a mapping or a list, none of anything else."""
    return node.value if node and isinstance(node.value, list) else []


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


def _named(name: Any, row: Any) -> tuple[Row, UserError | None]:
    if isinstance(row, dict | None):
        return _unnamed({"name": name, **(row or {})})
    error = UserError(f"{name} has no values but {shorten(row)}; write key: value lines")
    return {"name": name}, error


def _unnamed(row: Any) -> tuple[Row, UserError | None]:
    if isinstance(row, dict):
        return {str(key): value for key, value in row.items()}, None
    return {}, UserError(f"{shorten(row)} is no notebook; write key: value lines")
