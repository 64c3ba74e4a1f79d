"""The names of classes: one stands for one thing in the whole program."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.trees import REPOSITORY


def shared_names(root: Path) -> dict[str, list[str]]:
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for statement in ast.parse(path.read_bytes()).body:
            if isinstance(statement, ast.ClassDef):
                modules[statement.name].append(path.relative_to(root).as_posix())
    return {name: paths for name, paths in modules.items() if len(paths) > 1}


def test_no_two_classes_have_one_name() -> None:
    assert shared_names(REPOSITORY / "tools") == {}


def test_a_second_class_of_a_name_is_found(tmp_path: Path) -> None:
    for file, name in {"a.py": "Run", "b.py": "Run", "c.py": "Runner"}.items():
        (tmp_path / file).write_text(f"class {name}:\n    pass\n")
    assert shared_names(tmp_path) == {"Run": ["a.py", "b.py"]}
