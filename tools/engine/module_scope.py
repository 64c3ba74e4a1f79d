"""What names mean in the modules of a stack, as far as files and the environment tell."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools.hcl import types
from tools.hcl.configuration import is_sensitive
from tools.hcl.evaluation import Scope, Unknown, Values, evaluate, is_known
from tools.hcl.file_references import FileReferences
from tools.hcl.functions import text_of
from tools.hcl.secret_arguments import references
from tools.hcl.syntax import Expression
from tools.hcl.variables import read_assigned
from tools.layout.contents import is_workspace, selected_workspace
from tools.layout.files import is_override
from tools.terraform.cli_arguments import value_options

_DEEPEST = 20  # steps from a name to its value
# Functions whose result is an argument of theirs, or a path that leads to the same file.
TRANSPARENT = {"abspath", "coalesce", "nonsensitive", "pathexpand", "sensitive", "tostring", "try"}


@dataclass(frozen=True)
class ModuleReferences:
    """What all files of one module say of other files; files that override come last."""

    files: Mapping[str, FileReferences]
    modules: Mapping[str, Mapping[str, Expression]]
    locals: Mapping[str, Expression]
    variables: Mapping[str, Mapping[str, Expression]]

    @classmethod
    def merge(cls, files: Mapping[str, FileReferences]) -> "ModuleReferences":
        modules: dict[str, dict[str, Expression]] = {}
        locals_: dict[str, Expression] = {}
        variables: dict[str, dict[str, Expression]] = {}
        for name in sorted(files, key=lambda name: (is_override(name), name)):
            file_refs = files[name]
            for call, arguments in file_refs["modules"].items():
                modules[call] = {**modules.get(call, {}), **arguments}
            locals_.update(file_refs["locals"])
            for variable, attributes in file_refs["variables"].items():
                variables[variable] = {**variables.get(variable, {}), **attributes}
        return cls(files, modules, locals_, variables)

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The variables that are, or may be, sensitive."""
        return frozenset(name for name, body in self.variables.items() if is_sensitive(body))


@dataclass
class ModuleScope:
    """What names mean in one module of a stack.

    `folder` is what path.module is there, such as "." for the root, and `cwd` the directory from
    which relative paths count. A called module has the `arguments` of the call and its `caller`; a
    root the `values` of its files, the strongest last, and `env`. `asks_outside` turns True when
    something is asked that depends on the root or the caller.
    """

    module_refs: ModuleReferences
    folder: str
    cwd: str
    key: str = ""
    arguments: Mapping[str, Expression] = field(default_factory=dict)
    caller: "ModuleScope | None" = None
    values: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    asks_outside: bool = False
    _looked_up: dict[tuple[str, str], Values] = field(default_factory=dict)

    def paths(self, expression: Expression, depth: int = 0) -> Iterator[tuple[str, bool]]:
        """The paths that `expression` may have: each whole, or, with False, only its beginning."""
        values = evaluate(expression, Scope(self.lookup))
        if all(map(is_known, values)):
            texts = map(text_of, values)
            yield from ((text, True) for text in texts if text is not None)  # null reads nothing
        elif depth == _DEEPEST:
            yield "", False
        elif expression[0] == "template":
            yield from self._template_paths(expression[1], depth)
        elif expression[0] == "if":
            for branch in expression[2:]:
                yield from self.paths(branch, depth + 1)
        elif expression[0] == "call" and expression[1] in TRANSPARENT:
            for argument in expression[2]:
                yield from self.paths(argument, depth + 1)
        else:
            inner, scope = self.definition(expression)
            yield from [("", False)] if inner is None else scope.paths(inner, depth + 1)

    def _template_paths(
        self, parts: Iterable[str | Expression], depth: int
    ) -> Iterator[tuple[str, bool]]:
        beginning = ""
        for part in parts:
            values = [part] if isinstance(part, str) else evaluate(part, Scope(self.lookup))
            if list(values) == [None]:
                # Terraform refuses null in a template (`TemplateExpr.Value`):
                # https://github.com/hashicorp/hcl/blob/main/hclsyntax/expression_template.go
                return
            text = text_of(values[0]) if len(values) == 1 and is_known(values[0]) else None
            if text is None:
                of_part = [("", False)] if isinstance(part, str) else self.paths(part, depth + 1)
                yield from ((beginning + path, False) for path, _ in of_part)
                return
            beginning += text

    def root_variables(self, expression: Expression, depth: int = 0) -> Iterator[str]:
        """The names of the root's variables of which `expression` is made."""
        for kind, name in references(expression):
            inner, scope = self.definition(["attribute", ["name", kind], name])
            if inner is not None and depth < _DEEPEST:
                yield from scope.root_variables(inner, depth + 1)
            elif kind == "var" and not self.caller:
                yield name

    def definition(self, expression: Expression) -> "tuple[Expression | None, ModuleScope]":
        """What a name stands for, and where that is written."""
        if expression[0] == "attribute" and expression[1][0] == "name":
            kind, name = expression[1][1], expression[2]
            if kind == "local":
                return self.module_refs.locals.get(name), self
            if kind == "var" and self.caller and name in self.arguments:
                return self.arguments[name], self.caller
        return None, self

    def lookup(self, kind: str, name: str) -> Values | None:
        """The values of `kind.name`; None for what is no value, such as a resource."""
        if is_workspace(kind, name):
            # Of another one than default the state's place is unknown, and nothing is inferred.
            self.asks_outside = True
            return [selected_workspace(self.cwd)]
        if kind not in ("local", "path", "var"):
            return None
        if (kind, name) not in self._looked_up:
            self._looked_up[kind, name] = [Unknown(f"{kind}.{name}")]  # if it refers to itself
            self._looked_up[kind, name] = self._value(kind, name)
        return self._looked_up[kind, name]

    def _value(self, kind: str, name: str) -> Values:
        values = self._written_value(kind, name)
        if kind != "var":
            return values
        return types.as_declared(values, self.module_refs.variables.get(name, {}))

    def _written_value(self, kind: str, name: str) -> Values:
        self.asks_outside = self.asks_outside or (kind != "local" and name != "module")
        if kind == "path":
            folders = {"module": self.folder, "root": ".", "cwd": self.cwd}
            return [folders.get(name, Unknown(f"path.{name}"))]
        if kind == "local":
            expression = self.module_refs.locals.get(name)
            unknown = [Unknown(f"local.{name}")]
            return unknown if expression is None else evaluate(expression, Scope(self.lookup))
        if name in self.arguments and self.caller:
            return evaluate(self.arguments[name], Scope(self.caller.lookup))
        return self._default(name) if self.caller else self._root_value(name)

    def _may_be_set_in(self, file: str, name: str) -> bool:
        """Whether the file of a -var-file sets the variable `name`."""
        try:
            content = Path(self.cwd, file).read_bytes()
        except (OSError, ValueError):
            return True
        assigned_values = read_assigned(content, file.endswith(".json"))
        return assigned_values is None or name in assigned_values

    def _default(self, name: str) -> Values:
        return types.default_values(self.module_refs.variables.get(name, {}))

    def _root_value(self, name: str) -> Values:
        """The value of a root's variable: https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence

        A sensitive one is not known, so that neither a path nor a digest of it is recorded.
        """
        if name in self.module_refs.sensitive:
            return [Unknown(f"var.{name}")]
        for option, value in value_options(self.env):
            is_set = value.partition("=")[0].strip() == name
            if self._may_be_set_in(value, name) if option == "var-file" else is_set:
                return [Unknown(f"var.{name}")]
        for file in reversed(list(self.values)):
            # A parse takes time, and few files set what is asked for.
            if name.encode() in self.values[file] or file.endswith(".json"):
                assigned_values = read_assigned(self.values[file], file.endswith(".json"))
                if assigned_values is None:
                    return [Unknown(f"var.{name}")]
                if name in assigned_values:
                    return [assigned_values[name]]
        if (text := self.env.get(f"TF_VAR_{name}")) is not None:
            return types.of_environment(text, self.module_refs.variables.get(name, {}))
        return self._default(name)
