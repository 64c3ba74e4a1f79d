"""One module's files as Terraform or OpenTofu reads them: a root module or one that it calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.hcl import configuration
from tools.hcl.configuration import NOTHING, Attributes, Pieces
from tools.hcl.evaluation import Scope, Unknown, Value, Values, evaluate
from tools.hcl.functions import text_of
from tools.hcl.syntax import Expression, UnreadableError, parse_expression
from tools.layout import files
from tools.terraform.cli_arguments import value_options


class Unset(Unknown):
    """Stands for a variable that has neither a value nor a default."""


# Stands for what cannot be opened, and names all that a file may be needed for.
UNOPENED = b"terraform_remote_state module source backend"


@dataclass(frozen=True)
class Module:
    """What the files of one directory say, merged; `values` are those of its .tfvars files.

    `unreadable` maps the name of a file to why nothing of it is known: this tool cannot read it,
    or it overrides others. `pieces_of` are the parts that the rest was merged from.
    """

    states: Mapping[str, Attributes] = field(default_factory=dict)
    modules: Mapping[str, Attributes] = field(default_factory=dict)
    variables: Mapping[str, Attributes] = field(default_factory=dict)
    locals: Attributes = field(default_factory=dict)
    forwards: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    backend: Sequence[Any] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_read_states(self) -> bool:
        """Whether it may read other states, itself or in a module that it calls."""
        return bool(self.states or self.modules or self.unreadable)


def read_files(directory: Path | str, names: Iterable[str]) -> list[tuple[str, bytes]]:
    """Name and content of the files with these `names` in `directory`.

    That of a file that cannot be opened is UNOPENED.
    """
    found = []
    for name in names:
        content = read_file(f"{directory}/{name}")
        found.append((name, UNOPENED if content is None else content))
    return found


def read_file(path: str) -> bytes | None:
    """The content of a file, or None if there is none that can be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - half of Path.open's time
            return file.read()
    except OSError:
        return None


def read_pieces(contents: Iterable[tuple[str, bytes]]) -> list[tuple[str, Pieces]]:
    """The pieces of files, by their names."""
    return [
        (name, {**NOTHING, "unreadable": "it cannot be opened"})
        if content is UNOPENED
        else (name, configuration.read_pieces(content, name.endswith(".json")))
        for name, content in contents
    ]


def merge(pieces: Sequence[tuple[str, Pieces]]) -> Module:
    """The module of these files' pieces."""
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
    return Module(states, modules, variables, locals_, forwards, backend, unreadable)


@dataclass
class Context:
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
        if (kind, name) in (("terraform", "workspace"), ("tofu", "workspace")):
            return [self.workspace]
        return None

    def variable(self, name: str) -> Values:
        """The values of a variable."""
        raise NotImplementedError

    def default(self, name: str) -> Values:
        """The values that a variable has if none is set."""
        declared = self.module.variables.get(name, {})
        if "default" in declared:
            return evaluate(declared["default"], Scope(lambda kind, name: None))
        return [Unset(f"variable {name}, which has no value here")]

    def typed(self, name: str, values: Values) -> Values:
        """`values` of a variable as its type makes them."""
        declared = self.module.variables.get(name, {})
        if None in values and declared.get("nullable") == ["literal", False]:
            values = [v for v in values if v is not None] + list(self.default(name))
        return [_typed(value, declared.get("type")) for value in values]

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
class RootContext(Context):
    """A root module, whose variables have values from files and the environment.

    `contents` are those of its .tfvars files, by name, the strongest last. `used` collects the
    variables that were asked for, with their values. `options` are those of `cli_options`.
    """

    contents: Sequence[tuple[str, bytes]] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    used: dict[str, Values] = field(default_factory=dict)

    def variable(self, name: str) -> Values:
        if name not in self.used:
            self.used[name] = self.typed(name, self._given(name))
        return self.used[name]

    def _given(self, name: str) -> Values:
        declared = self.module.variables.get(name)
        if declared is None:
            return [Unknown(f"variable {name}, whose declaration is not known")]
        if configuration.is_sensitive(declared):
            return [Unknown(f"variable {name}, which is sensitive")]
        if self._is_set_by_option(name):
            return [Unknown(f"variable {name}, which an option in TF_CLI_ARGS may set")]
        word = name.encode()
        for file, content in reversed(self.contents):
            if word in content or file.endswith(".json"):
                try:
                    values = read_values(content, file.endswith(".json"))
                except UnreadableError as error:
                    return [Unknown(f"variable {name}: {file}, {error}")]
                if name in values:
                    return [values[name]]
        if (text := self.env.get(f"TF_VAR_{name}")) is not None:
            return self._of_environment(name, text)
        return self.default(name)

    def _of_environment(self, name: str, text: str) -> Values:
        type_ = self.module.variables.get(name, {}).get("type", ["name", "string"])
        if type_[0] == "name" and type_[1] in ("string", "number", "bool"):
            return [text]
        try:
            return evaluate(parse_expression(text), Scope(lambda kind, name: None))
        except UnreadableError:
            return [Unknown(f"variable {name}: TF_VAR_{name}")]

    def _is_set_by_option(self, name: str) -> bool:
        return any(
            option == f"var {name}"
            or (option.startswith("file ") and self._may_set(option.removeprefix("file "), name))
            for option in self.options
        )

    def _may_set(self, file: str, name: str) -> bool:
        self.bound.add(file)
        try:
            content = Path(self.root, file).read_bytes()
            return name in read_values(content, file.endswith(".json"))
        except (OSError, UnreadableError):
            return True


@dataclass
class CalledContext(Context):
    """A module that another one calls, whose variables are the `arguments` of the call there."""

    arguments: Attributes = field(default_factory=dict)
    caller: Scope = field(default_factory=lambda: Scope(lambda kind, name: None))

    def variable(self, name: str) -> Values:
        if name in self.arguments:
            return self.typed(name, evaluate(self.arguments[name], self.caller))
        return self.default(name)


def cli_options(env: Mapping[str, str]) -> list[str]:
    """What TF_CLI_ARGS and its like set: "var NAME" and "file PATH"."""
    return [
        f"file {value}" if option == "var-file" else f"var {value.split('=')[0].strip()}"
        for option, value in value_options(env)
    ]


_values: dict[tuple[bytes, bool], dict[str, Value]] = {}


def read_values(content: bytes, is_json: bool) -> dict[str, Value]:
    """The values of a .tfvars file, parsed once in a process. Raises UnreadableError."""
    key = (content, is_json)
    if key not in _values:
        _values[key] = configuration.read_values(content, is_json)
    return _values[key]


def _typed(value: Value, type_: Expression | None) -> Value:
    if type_ is None or type_[0] != "name" or value is None or isinstance(value, Unknown):
        return value
    text = text_of(value)
    if type_[1] == "string":
        return Unknown("a variable of another type") if text is None else text
    if type_[1] == "bool" and isinstance(value, str):
        return {"true": True, "false": False}.get(value, Unknown("a variable of another type"))
    if type_[1] == "number" and isinstance(value, str):
        return int(value) if value.isdigit() else Unknown("a number that is not read here")
    return value
