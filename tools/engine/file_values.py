"""The value that a local makes of files, where it is known without Terraform.

A plan sees no more of the files than that value. So a local may read what each apply writes, such
as the state, and the plan still be the same: as long as its value is.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.engine.module_scope import ModuleScope
from tools.engine.read_collector import glob_pattern
from tools.hcl.evaluation import Failed, Scope, Unknown, Value, Values, evaluate
from tools.hcl.functions import TextSet


@dataclass
class FileValues:
    """What names and functions mean in a module, with functions that read files.

    `absolute` gives the place of a path as these functions take it.
    """

    module: ModuleScope
    absolute: Callable[[str], str]
    _locals: dict[str, Values] = field(default_factory=dict)

    def local(self, name: str) -> Value:
        """The value of a local, Unknown if it is not known."""
        values = self._lookup("local", name) or ()
        return values[0] if len(values) == 1 else Unknown("one of several values")

    @property
    def scope(self) -> Scope:
        functions: dict[str, Callable[..., Value]] = {
            "file": self._file,
            "fileexists": self._exists,
            "fileset": self._set,
        }
        return Scope(self._lookup, functions=functions)

    def _lookup(self, kind: str, name: str) -> Values | None:
        if kind != "local" or name not in self.module.module_refs.locals:
            return self.module.lookup(kind, name)
        if name not in self._locals:
            self._locals[name] = [Unknown(f"local.{name}")]  # if it refers to itself
            self._locals[name] = evaluate(self.module.module_refs.locals[name], self.scope)
        return self._locals[name]

    def _file(self, path: str) -> Value:
        try:
            return Path(self.absolute(path)).read_bytes().decode()
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
            return Failed(f"file({path})")
        except (OSError, ValueError):
            return Unknown(f"file({path})")

    def _exists(self, path: str) -> bool:
        return Path(self.absolute(path)).is_file()

    def _set(self, path: str, pattern: str) -> Value:
        folder = self.absolute(path)
        path_pattern = glob_pattern(folder, pattern)
        if path_pattern is None or any(sign in pattern for sign in ("/", "**", "[", "\\")):
            return Unknown("fileset(...)")
        try:
            with os.scandir(folder) as entries:
                names = [e.name for e in entries if e.is_file() and path_pattern.fullmatch(e.path)]
        except OSError:
            return Unknown("fileset(...)")
        return TextSet(sorted(names))
