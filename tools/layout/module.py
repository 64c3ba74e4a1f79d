"""One module's files as Terraform or OpenTofu reads them: a root module or one that it calls."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tools.hcl import configuration, file_references, types
from tools.hcl.configuration import NOTHING, Attributes, Pieces
from tools.hcl.evaluation import Scope, Unknown, Value, Values, evaluate
from tools.hcl.syntax import Expression, UnreadableError
from tools.layout import files
from tools.layout.contents import UNOPENED, Files, is_workspace
from tools.terraform.cli_arguments import value_options


class Unset(Unknown):
    """Stands for a variable that has neither a value nor a default."""


@dataclass(frozen=True)
class Module:
    """What the files of one directory say, merged; `values` are those of its .tfvars files.

    `unreadable` maps the name of a file to why nothing of it is known: this tool cannot read it,
    or it overrides others. `paths` are what functions that read files are given.
    """

    states: Mapping[str, Attributes] = field(default_factory=dict)
    modules: Mapping[str, Attributes] = field(default_factory=dict)
    variables: Mapping[str, Attributes] = field(default_factory=dict)
    locals: Attributes = field(default_factory=dict)
    forwards: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    backend: Sequence[Any] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[Expression] = ()
    # Values of a root's variables, by the name and the files that may set it: most stacks have
    # the same as others.
    known_values: dict[tuple[str, Files], Values] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def may_read_states(self) -> bool:
        """Whether it may read other states, itself or in a module that it calls."""
        return bool(self.states or self.modules or self.unreadable or self.paths)


def read_pieces(contents: Iterable[tuple[str, bytes]]) -> list[tuple[str, Pieces]]:
    """The pieces of files, by their names."""
    return [
        (name, {**NOTHING, "unreadable": "it cannot be opened"})
        if content is UNOPENED
        else (name, configuration.read_pieces(content, name.endswith(".json")))
        for name, content in contents
    ]


@cache
def read_paths(content: bytes, is_json: bool) -> list[Expression]:
    """What functions, and arguments, that read files are given in a file."""
    if b"file" not in content or content is UNOPENED:
        return []
    file_refs = file_references.read_references(content, is_json)
    calls = [
        *file_refs["calls"],
        *(call for calls in file_refs["local_calls"].values() for call in calls),
    ]
    paths = [
        argument_list[0]
        for name, argument_list in calls
        if argument_list and name in file_references.FUNCTIONS
    ]
    return [*paths, *(expression for _, expression in file_refs["arguments"])]


def merge(pieces: Sequence[tuple[str, Pieces]], paths: Sequence[Expression] = ()) -> Module:
    """The module of these files' pieces, in which functions that read files are given `paths`."""
    states: dict[str, Attributes] = {}
    modules: dict[str, Attributes] = {}
    variables: dict[str, Attributes] = {}
    locals_: Attributes = {}
    forwards: dict[str, Sequence[Any]] = {}
    backend: Sequence[Any] = ()
    unreadable: dict[str, str] = {}
    for name, piece in pieces:
        if files.is_override(name):
            if piece != NOTHING:
                unreadable[name] = "what overrides other files is not followed by this tool"
            continue
        if piece["unreadable"]:
            unreadable[name] = piece["unreadable"]
        states.update(piece["states"])
        modules.update(piece["modules"])
        variables.update(piece["variables"])
        locals_.update(piece["locals"])
        forwards.update(piece["forwards"])
        backend = piece["backend"] or backend
    return Module(states, modules, variables, locals_, forwards, backend, unreadable, paths)


@dataclass
class ModuleContext(ABC):
    """What names mean in one module, for `Scope.lookup`.

    `folder` is the module's directory as Terraform writes it: "." for a root. `root` is the root's
    own, from which relative paths count. `bound` collects what binds a value to that directory.
    """

    module: Module
    folder: str
    root: str
    workspace: Value
    bound: set[str] = field(default_factory=set)
    _locals: dict[str, Values] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The scope of the module's expressions."""
        return Scope(self.lookup)

    def lookup(self, kind: str, name: str) -> Values | None:
        """The values of `kind.name`, such as `var.region`; None if it is no such value."""
        if kind == "var":
            return self.variable(name)
        if kind == "local":
            return self._local(name)
        if kind == "path":
            return self._path(name)
        if is_workspace(kind, name):
            return [self.workspace]
        return None

    @abstractmethod
    def variable(self, name: str) -> Values:
        """The values of a variable."""

    def default(self, name: str) -> Values:
        """The values that a variable has if none is set, before its type converts them."""
        declared = self.module.variables.get(name, {})
        if "default" in declared:
            return types.default_values(declared)
        return [Unset(f"variable {name}, which has no value here")]

    def typed(self, name: str, values: Values) -> Values:
        """`values` of a variable as its declaration makes them."""
        return types.as_declared(values, self.module.variables.get(name, {}))

    def _local(self, name: str) -> Values:
        if name not in self._locals:
            self._locals[name] = [Unknown(f"local.{name}")]  # for one that refers to itself
            if name in self.module.locals:
                self._locals[name] = evaluate(self.module.locals[name], self.scope)
        return self._locals[name]

    def _path(self, name: str) -> Values:
        if name == "cwd":
            self.bound.add("path.cwd")
        folders = {"module": self.folder, "root": ".", "cwd": self.root}
        return [folders.get(name, Unknown(f"path.{name}"))]


@dataclass
class RootContext(ModuleContext):
    """A root module, whose variables have values from files and the environment.

    `contents` are those of its .tfvars files, by name, the strongest last. `used` collects the
    variables that were asked for, with their values. `options` are those of `cli_options`.
    """

    contents: Files = ()
    env: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[tuple[str, str]] = ()
    used: dict[str, Values] = field(default_factory=dict)

    def variable(self, name: str) -> Values:
        if name not in self.used:
            word = name.encode()
            # A JSON file may write any letter as \\uXXXX.
            setting = tuple((f, t) for f, t in self.contents if word in t or f.endswith(".json"))
            # Options may name files, which are not among the contents.
            known = {} if self.options else self.module.known_values
            if (name, setting) not in known:
                known[name, setting] = self.typed(name, self._given(name, setting))
            self.used[name] = known[name, setting]
        return self.used[name]

    def _given(self, name: str, setting: Files) -> Values:
        declared = self.module.variables.get(name)
        if declared is None:
            return [Unknown(f"variable {name}, whose declaration is not known")]
        if configuration.is_sensitive(declared):
            return [Unknown(f"variable {name}, which is sensitive")]
        if self._is_set_by_option(name):
            return [Unknown(f"variable {name}, which an option in TF_CLI_ARGS may set")]
        for file, content in reversed(setting):
            try:
                values_by_name = read_values(content, file.endswith(".json"))
            except UnreadableError as error:
                return [Unknown(f"variable {name}: {file}, {error}")]
            if name in values_by_name:
                return [values_by_name[name]]
        if (text := self.env.get(f"TF_VAR_{name}")) is not None:
            return types.of_environment(text, declared)
        return self.default(name)

    def _is_set_by_option(self, name: str) -> bool:
        return any(
            self._may_set(value, name) if option == "var-file" else value == name
            for option, value in self.options
        )

    def _may_set(self, file: str, name: str) -> bool:
        self.bound.add(file)
        try:
            content = Path(self.root, file).read_bytes()
            return name in read_values(content, file.endswith(".json"))
        except (OSError, UnreadableError):
            return True


@dataclass
class CalledContext(ModuleContext):
    """A module that another one calls, whose variables are the `arguments` of the call there."""

    arguments: Attributes = field(default_factory=dict)
    caller: Scope = field(default_factory=Scope)

    def variable(self, name: str) -> Values:
        if name in self.arguments:
            return self.typed(name, evaluate(self.arguments[name], self.caller))
        return self.typed(name, self.default(name))


def cli_options(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The options in TF_CLI_ARGS and its like: "var" with its name and "var-file" with its path."""
    return [
        (option, value if option == "var-file" else value.partition("=")[0].strip())
        for option, value in value_options(env)
    ]


@cache
def read_values(content: bytes, is_json: bool) -> dict[str, Value]:
    """The values of a .tfvars file, parsed once in a process. Raises UnreadableError."""
    return configuration.read_values(content, is_json)
