"""The states that the configuration in a directory reads, its modules included."""

import itertools
import os
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tools.hcl import configuration, reading
from tools.hcl.configuration import Attributes
from tools.hcl.evaluation import Scope, Unknown, Value, Values, describe, evaluate, first_unknown
from tools.hcl.functions import text_of
from tools.hcl.module_folders import ModuleFolders, is_local
from tools.hcl.scanning import value_names
from tools.hcl.secret_arguments import references
from tools.hcl.syntax import Expression
from tools.layout import files, module
from tools.layout.contents import (
    Contents,
    Files,
    read_contents,
    selected_workspace,
)
from tools.layout.module import CalledContext, Module, ModuleContext, RootContext

STATE_NAME = "tfstate"  # in the name of a state that is called as usual
_DEEPEST = 20  # modules within modules
_INSTANCES = 64  # of one block
_LEADS_OUT = re.compile(r"['\"/]\.\.['\"/]")  # of a folder
_NONE: Expression = ["literal", None]


class StateAddress(NamedTuple):
    """Where a state lies: a path, or a bucket and a key in `path`."""

    path: str
    bucket: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.path}" if self.bucket else self.path


class Read(NamedTuple):
    """A state that a `terraform_remote_state` may read: its address, or why that is not known.

    `name` is the data source's, after the modules that it is in, and `key` that of its instance, if
    it has several. `as_output` is the output of a module by which the root gets at the state's
    outputs, such as module.common.upstream.iam. `is_file` says that a function may read it as any
    other file, which need not be a state. `of_any` says that it may be the state of any
    stack; without it and without an address, it is in a backend of another kind. `has_defaults`
    says that it gets by without the state's outputs.
    """

    name: str
    address: StateAddress | None
    unknown: str = ""
    of_any: bool = True
    has_defaults: bool = False
    key: str = ""
    as_output: str = ""
    is_file: bool = False


class DeclaredBackend(NamedTuple):
    """Where a root keeps its state, as its files say: "local" if they declare no backend."""

    kind: str
    arguments: Mapping[str, Value]
    is_declared: bool


class _Result(NamedTuple):
    """What a root reads as long as the `used` variables have these values."""

    used: Mapping[str, Values]
    reads: Sequence[Read]


@dataclass(frozen=True)
class Reader:
    """Reads the configuration of directories. What several of them share is read once.

    `env` is the environment that Terraform gets. `values` are the contents of .tfvars files, by
    real path, that count instead of those on the disk, also in directories that link to them.
    """

    env: Mapping[str, str]
    tofu: bool
    values: Mapping[str, bytes] = field(default_factory=dict)
    _modules: dict[str, Module] = field(default_factory=dict)
    _merged: dict[Files, Module] = field(default_factory=dict)
    _results: dict[tuple[object, ...], list[_Result]] = field(default_factory=dict)
    _placed: dict[tuple[object, ...], tuple[Sequence[Read], object]] = field(default_factory=dict)

    @classmethod
    def create(cls, env: Mapping[str, str], values: Mapping[str, bytes] | None = None) -> "Reader":
        """A reader for a user with the environment `env`."""
        return cls(dict(env), files.runs_opentofu(env), values or {})

    @cached_property
    def _options(self) -> list[tuple[str, str]]:
        return module.cli_options(self.env)

    def contents(self, directory: Path | str) -> Contents:
        """What Terraform, or OpenTofu, reads in `directory`. Raises OSError if there is none."""
        contents = read_contents(directory, self.tofu)
        if not self.values:
            return contents
        texts = dict(contents.values)
        for path, text in self.values.items():
            name = os.path.basename(path)  # noqa: PTH119
            if os.path.realpath(f"{directory}/{name}") == path:
                texts[name] = text
        return contents._replace(values=tuple((name, texts[name]) for name in value_names(texts)))

    def reads(self, directory: str, state_names: Collection[str] = (STATE_NAME,)) -> Sequence[Read]:
        """The states that the root module in `directory` reads; paths are absolute.

        `state_names` are as for `Walk.reads`, and the same in every call.
        """
        contents = self.contents(directory)
        config_files = contents.configuration
        if not any(
            configuration.may_read_states(content) or b"file" in content
            for _, content in config_files
        ):
            return ()
        root = self._merge(config_files)
        context = self._context(directory, root, contents)
        # What is behind a symbolic link has another parent.
        parent = directory if os.path.islink(directory) else posixpath.dirname(directory)  # noqa: PTH114
        known_results = self._results.setdefault((id(root), parent, context.workspace), [])
        for result in known_results:
            if all(context.variable(name) == values for name, values in result.used.items()):
                break
        else:
            walk = Walk(self, context)
            reads = list(walk.reads(state_names))
            result = _Result(dict(context.used), reads)
            if not context.bound:
                known_results.append(result)
        return self._place(result, directory, parent)

    def backend(self, directory: str) -> DeclaredBackend | None:
        """The backend of a root.

        None if an argument is not known, or a file that may name another backend is not followed.
        """
        contents = self.contents(directory)
        config_files = contents.configuration
        if any(files.is_override(name) for name, _ in config_files):
            return None
        named = [
            (name, content)
            for name, content in config_files
            if configuration.names_backend(content)
        ]
        if not named:
            return DeclaredBackend("local", {}, is_declared=False)
        text = named[0][1].decode(errors="replace")
        if len(named) == 1 and (plain := reading.read_plain_backend(text)):
            return DeclaredBackend(*plain, is_declared=True)
        root = module.merge(module.read_pieces(named))
        if root.unreadable:
            return None
        if not root.backend:
            return DeclaredBackend("local", {}, is_declared=False)
        kind, attributes = root.backend
        if any(expression[0] != "literal" for expression in attributes.values()):
            root = module.merge(module.read_pieces(config_files))
        scope = self._context(directory, root, contents).scope
        values_by_argument = {name: evaluate(value, scope) for name, value in attributes.items()}
        if any(len(v) != 1 or first_unknown(v[0]) for v in values_by_argument.values()):
            return None
        arguments = {name: values[0] for name, values in values_by_argument.items()}
        return DeclaredBackend(kind, arguments, is_declared=True)

    def variables(self, directory: str, names: Sequence[str]) -> dict[str, Values]:
        """The values, by Terraform's own precedence, of those variables that a root declares."""
        contents = self.contents(directory)
        root = self._merge(contents.configuration)
        context = self._context(directory, root, contents)
        return {name: context.variable(name) for name in names if name in root.variables}

    def module_folders(self, directory: str) -> tuple[list[Path], list[str]]:
        """The directories of the modules that a root calls, recursively, and what is not known.

        Each of the latter says in a line which module it is, and why its directory is not known.
        """
        contents = self.contents(directory)
        root = self._merge(contents.configuration)
        walk = Walk(self, self._context(directory, root, contents))
        for _ in walk.contexts():
            pass
        return [Path(folder) for folder in walk.folders], list(walk.unknown)

    def module_at(self, directory: str) -> Module:
        """The module in `directory`, which another one calls; empty if there is none."""
        if directory not in self._modules:
            try:
                contents = self.contents(directory)
            except OSError:
                contents = Contents((), ())
            self._modules[directory] = self._merge(contents.configuration)
        return self._modules[directory]

    def _merge(self, config_files: Files) -> Module:
        # Without the backends, of which each stack has its own.
        relevant = tuple(
            (name, content)
            for name, content in config_files
            if configuration.has_names(content)
            or module.read_paths(content, name.endswith(".json"))
        )
        if relevant not in self._merged:
            named = [
                (name, content) for name, content in relevant if configuration.has_names(content)
            ]
            # What cannot be read and names no state is of no matter: variables in it are unknown.
            pieces = [
                (name, piece)
                for (name, piece), (_, content) in zip(
                    module.read_pieces(named), named, strict=True
                )
                if not piece["unreadable"] or configuration.may_read_states(content)
            ]
            expressions = [
                module.read_paths(content, name.endswith(".json")) for name, content in relevant
            ]
            self._merged[relevant] = module.merge(pieces, list(itertools.chain(*expressions)))
        return self._merged[relevant]

    def _context(self, directory: str, root: Module, contents: Contents) -> RootContext:
        return RootContext(
            root,
            ".",
            directory,
            selected_workspace(directory),
            contents=contents.values,
            env=self.env,
            options=self._options,
        )

    def _place(self, result: _Result, directory: str, parent: str) -> Sequence[Read]:
        paths = [r.address.path for r in result.reads if r.address and not r.address.bucket]
        is_shared = all(path.startswith(("../", "/")) for path in paths)
        placed_key = (id(result.reads), parent if is_shared else directory)
        if placed_key not in self._placed:
            placed = [_placed(read, directory) for read in result.reads]
            self._placed[placed_key] = placed, result.reads
        return self._placed[placed_key][0]


def _placed(read: Read, directory: str) -> Read:
    if not read.address or read.address.bucket:
        return read
    # As the operating system follows it: what is behind a symbolic link has another parent.
    path = posixpath.realpath(posixpath.join(directory, read.address.path))
    return read._replace(address=StateAddress(path))


class Walk:
    """Goes through a root module and the modules that it calls.

    `folders` are those of the modules, `unknown` why others are not known, by the module's name.
    """

    def __init__(self, reader: Reader, root_context: RootContext) -> None:
        self._reader = reader
        self._root_context = root_context
        self._module_folders = ModuleFolders(root_context.root)
        self.folders: dict[str, None] = {}
        self.unknown: dict[str, str] = {}

    def reads(self, state_names: Collection[str]) -> Iterator[Read]:
        """What the `terraform_remote_state` of all of them read; equal ones once.

        `state_names` are what a file is called, in part, that functions may read as a state.
        """
        distinct_reads: dict[Read, None] = {}
        for prefix, context in self.contexts():
            for file, reason in context.module.unreadable.items():
                text = f"{file}: {reason}, and it may read other states"
                distinct_reads[Read(f"{prefix}{file}", None, text)] = None
            for name, attributes in context.module.states.items():
                for read in _reads_of(f"{prefix}{name}", attributes, context):
                    distinct_reads[_handed_on(read, name, prefix, context)] = None
            distinct_reads.update(dict.fromkeys(_reads_of_files(prefix, context, state_names)))
        for name, reason in self.unknown.items():
            distinct_reads[Read(name, None, f"{reason}, and it may read other states")] = None
        return iter(distinct_reads)

    def contexts(self) -> Iterator[tuple[str, ModuleContext]]:
        """The root and each module, with what precedes the names of its data sources."""
        yield from self._below("", self._root_context, 0)

    def _below(
        self, prefix: str, context: ModuleContext, depth: int
    ) -> Iterator[tuple[str, ModuleContext]]:
        yield prefix, context
        for name, attributes in context.module.modules.items():
            full = f"{prefix}module.{name}."
            for scope in _instances(attributes, context.scope):
                for source in evaluate(attributes.get("source", _NONE), scope):
                    folder = self._folder(full[:-1], context, source)
                    if folder is None or depth == _DEEPEST:
                        continue
                    path = files.directory_at(self._root_context.root, folder)
                    self.folders[path] = None
                    if path.startswith(f"{self._root_context.root}/"):
                        self._root_context.bound.add(path)
                    called = self._reader.module_at(path)
                    if called.may_read_states:
                        inner = CalledContext(
                            called,
                            folder,
                            self._root_context.root,
                            self._root_context.workspace,
                            self._root_context.bound,
                            arguments=attributes,
                            caller=scope,
                        )
                        yield from self._below(full, inner, depth + 1)

    def _folder(self, name: str, context: ModuleContext, source: Value) -> str | None:
        """The directory of a module, relative to the root's; None if it is not known."""
        if not isinstance(source, str):
            unknown = first_unknown(source) or Unknown("a value that is no text")
            self.unknown[name] = f"{name}: its source depends on {unknown.reason}"
            return None
        key = name.replace("module.", "")
        folder = self._module_folders.called(context.folder, source, key)
        if is_local(source):
            return folder
        self._root_context.bound.add(name)
        if folder is None or not Path(self._root_context.root, folder).is_dir():
            self.unknown[name] = f"{name}: {source} is not installed here (terraform init)"
            return None
        return folder


def _instances(attributes: Attributes, scope: Scope) -> list[Scope]:
    """A scope for each instance of a block, by its `for_each` or `count`."""
    if "for_each" in attributes:
        each_values = []
        for value in evaluate(attributes["for_each"], scope):
            items = value if isinstance(value, dict) else {}
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                items = {item: item for item in value}
            elif not isinstance(value, dict):
                unknown = first_unknown(value) or Unknown("its for_each")
                each_values.append({"key": unknown, "value": unknown})
            each_values += [{"key": key, "value": item} for key, item in items.items()]
        scopes = [scope.with_names({"each": each}) for each in each_values]
        return scopes[:_INSTANCES] if len(scopes) <= _INSTANCES else _any(scope, "each")
    if "count" in attributes:
        counts = evaluate(attributes["count"], scope)
        if not all(isinstance(count, int) and count <= _INSTANCES for count in counts):
            return _any(scope, "count")
        return [scope.with_names({"count": {"index": i}}) for i in range(max(counts))]
    return [scope]


def _any(scope: Scope, name: str) -> list[Scope]:
    return [scope.with_names({name: Unknown(f"its {name}")})]


def _handed_on(read: Read, name: str, prefix: str, context: ModuleContext) -> Read:
    """The read of the data source `name`, with the output by which its module hands it on, if any.

    That is known if the root calls the module once.
    """
    outputs = [(o, f) for o, f in context.module.forwards.items() if f[0] == name]
    if not read.key or len(outputs) != 1 or not isinstance(context, CalledContext):
        return read
    ((output, (_, key_name, expression)),) = outputs
    is_once = not {"for_each", "count"} & context.arguments.keys()
    keys = evaluate(expression, Scope(names={key_name: read.key}))
    if prefix.count("module.") != 1 or not is_once or not isinstance(keys[0], str):
        return read
    return read._replace(as_output=f"{prefix}{output}.{keys[0]}")


def _reads_of_files(prefix: str, context: ModuleContext, names: Collection[str]) -> Iterator[Read]:
    """The states, of which one is called as `names` say, that functions read, such as file()."""
    for expression in context.module.paths:
        texts = set(_texts(expression, context, set()))
        if not any(name in text for name in names for text in texts):
            continue
        for value in evaluate(expression, context.scope):
            name = f"{prefix}{describe(expression)}"
            if isinstance(value, str) and "\0" not in value:
                # modules/common looks at a stack's own state, which is none of another's.
                if posixpath.normpath(value).startswith(("../", "/")):
                    yield Read(name, StateAddress(value), is_file=True)
            elif value is not None and any(map(_LEADS_OUT.search, texts)):
                unknown = first_unknown(value) or Unknown("a value that is no text")
                reason = (
                    f"a function reads a state as a file, and its path depends on {unknown.reason}"
                )
                yield Read(name, None, reason, is_file=True)


def _texts(expression: Any, context: ModuleContext, seen: set[tuple[str, str]]) -> Iterator[str]:
    """The texts of which an expression is made, each among others; without the names `seen`."""
    yield repr(expression)
    for kind, name in references(expression):
        if (kind, name) in seen:
            continue
        seen.add((kind, name))
        if kind == "local":
            yield from _texts(context.module.locals.get(name), context, seen)
        else:
            yield repr(context.variable(name))
            if isinstance(context, CalledContext):
                yield repr(context.arguments.get(name))


def _reads_of(name: str, attributes: Attributes, context: ModuleContext) -> Iterator[Read]:
    has_defaults = attributes.get("defaults", _NONE) != _NONE
    for scope in _instances(attributes, context.scope):
        names = ("backend", "config", "workspace")
        choices = [evaluate(attributes.get(part, _NONE), scope) for part in names]
        possible_reads = [_read(name, *choice) for choice in itertools.product(*choices)]
        reads = [read for read in possible_reads if read]
        if not reads:
            reads = [_unknown(name, "its backend and its config do not go together")]
        instance_key = (
            text_of(scope.names.get("each", {}).get("key")) if "for_each" in attributes else None
        )
        yield from (
            read._replace(has_defaults=has_defaults, key=instance_key or "") for read in reads
        )


def _read(name: str, backend: Value, config: Value, workspace: Value) -> Read | None:
    """What a data source with these values reads; None if Terraform refuses them."""
    if isinstance(backend, Unknown):
        return _unknown(name, f"its backend depends on {backend.reason}")
    if backend not in ("local", "s3"):
        return _unknown(name, f"what is in a backend {backend} is not known here", of_any=False)
    if isinstance(config, Unknown):
        return _unknown(name, f"its config depends on {config.reason}")
    if not isinstance(config, dict | None):
        return None
    arguments = {name: value for name, value in (config or {}).items() if value is not None}
    is_local = backend == "local"
    if is_local and not arguments.keys() <= {"path", "workspace_dir"}:
        return None
    if not is_local and (not {"bucket", "key"} <= arguments.keys() or "path" in arguments):
        return None
    if not is_local and {"endpoint", "endpoints"} & arguments.keys():
        return _unknown(name, "it is in a store with an endpoint of its own")
    return _addressed(name, arguments, workspace or "default", is_local)


def _addressed(name: str, arguments: Mapping[str, Value], workspace: Value, is_local: bool) -> Read:
    path = arguments.get("path", "terraform.tfstate") if is_local else arguments["key"]
    folder = "workspace_dir" if is_local else "workspace_key_prefix"
    parts = {"path" if is_local else "key": path, "workspace": workspace}
    if not is_local:
        parts["bucket"] = arguments["bucket"]
    if workspace != "default":
        default = "terraform.tfstate.d" if is_local else "env:"
        parts[folder] = arguments.get(folder, default)
    for part, value in parts.items():
        text = text_of(value)
        if text is None or "\0" in text:
            unknown = first_unknown(value) or Unknown("a value that is no text")
            return _unknown(name, f"its {part} depends on {unknown.reason}")
    if workspace != "default":
        last = "terraform.tfstate" if is_local else str(path)
        path = posixpath.join(str(parts[folder]), str(workspace), last)
    return Read(name, StateAddress(str(path), str(parts.get("bucket", ""))))


def _unknown(name: str, reason: str, of_any: bool = True) -> Read:
    return Read(name, None, f"terraform_remote_state.{name}: {reason}", of_any)
