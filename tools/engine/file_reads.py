"""The files that a plan of a stack reads: its own, its modules', and those that paths lead to."""

import json
import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.engine.file_digests import (
    FileDigests,
    Folder,
    UncountableError,
    digest_of,
    is_left_out,
)
from tools.engine.file_values import FileValues
from tools.engine.module_scope import ModuleReferences, ModuleScope
from tools.engine.path_traversal import OF_OUTPUTS, climbing_parts
from tools.engine.read_collector import NO_REFERENCES, FileReads, ReadCollector, is_below
from tools.hcl import file_references
from tools.hcl.evaluation import is_known
from tools.hcl.file_references import FileReferences
from tools.hcl.module_folders import ModuleFolders, follow_links, is_local
from tools.hcl.scanning import value_names
from tools.hcl.syntax import Expression, UnreadableError
from tools.hcl.variables import read_assigned, texts_of
from tools.system.user import home_folder
from tools.terraform.cli_arguments import value_options

_DEEPEST = 20  # modules within modules
# A commit of git, or one version in a registry: what it names does not change.
_FIXED_COMMIT = re.compile(r"[?&]ref=[0-9a-f]{40}(&|$)")
_FIXED_VERSION = re.compile(r"\s*=?\s*\d+\.\d+\.\d+\s*")


@dataclass
class FileReader:
    """Finds the files that stacks read. What several of them share is read once.

    `env` is the environment that Terraform gets, `root` the repository.
    """

    root: str
    env: Mapping[str, str]
    digests: FileDigests = field(default_factory=FileDigests)
    # What modules read, by folder, path.module and whether it is counted, where that does not
    # depend on who calls them.
    shared_modules: dict[tuple[str, str, bool], ReadCollector] = field(default_factory=dict)
    _template_calls: dict[str, list[tuple[str, list[Expression]]] | None] = field(
        default_factory=dict
    )
    _merged: dict[tuple[int, ...], ModuleReferences] = field(default_factory=dict)
    _real_parents: dict[str, str] = field(default_factory=dict)
    _followed: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, directory: str, states: frozenset[str] = frozenset()) -> FileReads:
        """Returns what a plan of the root module in `directory` reads.

        `states` are files that an apply of it writes, besides those of Terraform's own names.
        """
        return _Walk(self, directory, states).run()

    def real_directory(self, directory: str) -> str:
        """Returns where `directory` really is, if a link in the repository leads there."""
        parent, name = posixpath.split(directory)
        if parent not in self._real_parents:
            below = posixpath.relpath(parent, self.root)
            expected = posixpath.normpath(posixpath.join(os.path.realpath(self.root), below))
            real = os.path.realpath(parent)
            self._real_parents[parent] = parent if real == expected else real
        directory = posixpath.join(self._real_parents[parent], name)
        return os.path.realpath(directory) if Path(directory).is_symlink() else directory

    def follow_links(self, base: str, module_folder: str) -> str:
        """Returns `module_folder` as `module_folders.follow_links` does."""
        # Hundreds of stacks side by side call the same modules.
        key = posixpath.dirname(base) if module_folder.startswith("../") else base, module_folder
        if key not in self._followed:
            self._followed[key] = follow_links(base, module_folder)
        return self._followed[key]

    def merged(self, folder: Folder) -> ModuleReferences:
        """Returns what the module in `folder` says of other files."""
        # Hundreds of stacks have files of the same texts, for which there is one FileReferences.
        folder_key = tuple(map(id, folder.configuration.values()))
        if folder_key not in self._merged:
            refs_by_name = {os.path.basename(p): refs for p, refs in folder.configuration.items()}  # noqa: PTH119
            self._merged[folder_key] = ModuleReferences.merge(refs_by_name)
        return self._merged[folder_key]

    def calls_in_template(self, path: str) -> list[tuple[str, list[Expression]]] | None:
        """Returns the calls of functions that read files in a template; None if unreadable."""
        if path not in self._template_calls:
            self._template_calls[path] = _calls_in_template(path)
        return self._template_calls[path]


class _Walk:
    """The walk through one stack's modules."""

    def __init__(self, reader: FileReader, directory: str, states: frozenset[str]) -> None:
        self.reader = reader
        self.directory = directory
        # Terraform looks from where the directory really is: the system follows a link first.
        # https://man7.org/linux/man-pages/man7/path_resolution.7.html
        self.cwd = reader.real_directory(directory)
        self.collector = self._new_collector(states)
        self.climbs = False
        self.secrets: set[str] = set()
        self._values: dict[int, FileValues] = {}
        self._folders = ModuleFolders(self.cwd, reader.follow_links)

    def _new_collector(self, states: frozenset[str]) -> ReadCollector:
        home = str(home_folder(self.reader.env))
        return ReadCollector(self.reader.digests, self.cwd, states, home)

    def run(self) -> FileReads:
        """Returns what the plan reads."""
        try:
            folder = self.reader.digests.folder(self.directory)
        except UncountableError as error:
            self.collector.doubt(f"its directory {error}")
            return self.collector.reads
        by_name = {posixpath.basename(file): file for file in folder.values}
        values = {by_name[n]: folder.values[by_name[n]] for n in value_names(by_name)}
        self.collector.reads.values.update(values)
        self._add_option_files()
        module_refs = self.collector.reads.root = self.reader.merged(folder)
        scope = ModuleScope(module_refs, ".", self.cwd, values=values, env=self.reader.env)
        self._visit_module(folder, scope, counts=True)
        if self.collector.partial and (self.climbs or self._values_climb()):
            self.collector.doubt(
                f'{self.collector.partial}: the path may lead out of its folder by a ".."'
            )
        self.collector.reads.secrets = self.secrets
        for path in self.collector.written & self.collector.reads.files.keys():
            del self.collector.reads.files[path]
        return self.collector.reads

    def _values_climb(self) -> bool:
        env = self.reader.env
        texts = [value for name, value in env.items() if name.startswith("TF_VAR_")]
        texts += [value for option, value in value_options(env) if option == "var"]
        values = self.collector.reads.values
        return any(_climbs(content, f.endswith(".json")) for f, content in values.items()) or any(
            ".." in text for text in texts
        )

    def _add_option_files(self) -> None:
        for option, path in value_options(self.reader.env):
            file = posixpath.normpath(posixpath.join(self.cwd, path))
            if option == "var-file" and self.collector.add_file(file, f"-var-file={path}"):
                self.collector.reads.values[file] = Path(file).read_bytes()

    # Modules

    def _visit_module(
        self, folder: Folder, scope: ModuleScope, counts: bool, depth: int = 0
    ) -> None:
        if counts:
            self.collector.reads.files.update(folder.files)
        self.collector.reads.configuration.update(folder.configuration)
        for name, file_refs in scope.module_refs.files.items():
            where = name if scope.folder == "." else f"{scope.folder}/{name}"
            if file_refs["unreadable"]:
                self.collector.doubt(
                    f"this tool cannot read {where}; Terraform can ({file_refs['unreadable']})"
                )
            # A plan reads it "during apply", and so has a change always:
            # https://developer.hashicorp.com/terraform/language/block/check
            for data_source, check in file_refs["checks"]:
                self.collector.doubt(
                    f'{data_source} in check "{check}" in {where} is read in every apply'
                )
            self.climbs = self.climbs or file_refs["climbs"]
            for function, arguments in file_refs["calls"]:
                self._visit_call(function, arguments, scope, where)
            for local in file_refs["local_calls"]:
                self._visit_local(local, file_refs, scope, where)
            for argument, expression in file_refs["arguments"]:
                self._visit_argument(argument, expression, scope, where)
            for expression in file_refs["paths"]:
                self._visit_path(expression, scope)
        for name, call in scope.module_refs.modules.items():
            self._visit_module_call(name, call, scope, depth)

    def _visit_module_call(
        self, name: str, call: Mapping[str, Expression], scope: ModuleScope, depth: int
    ) -> None:
        key = f"{scope.key}.{name}" if scope.key else name
        for source, is_whole in scope.paths(call.get("source", ["literal", ""])):
            if not is_whole or not source or depth == _DEEPEST:
                self.collector.doubt(f"the source of module {key} is not known without Terraform")
                continue
            counts = is_local(source) or not _is_fixed(source, call.get("version"))
            module_folder = self._folders.called(scope.folder, source, key)
            if module_folder is not None:
                self._visit_folder(module_folder, key, call, scope, counts, depth)
            elif counts:
                self.collector.doubt(f"module {key} ({source}) is not installed here")

    def _visit_folder(
        self,
        module_folder: str,
        key: str,
        call: Mapping[str, Expression],
        scope: ModuleScope,
        counts: bool,
        depth: int,
    ) -> None:
        path = posixpath.normpath(posixpath.join(self.cwd, module_folder))
        if not Path(path).is_dir():
            return  # Terraform says that it is missing
        try:
            folder = self.reader.digests.folder(path)
        except UncountableError as error:
            self.collector.doubt(f"module {key}, which {error}")
            return
        module_refs = self.reader.merged(folder)
        if depth == 0:
            self.collector.reads.modules[key] = module_refs
        for name in call.keys() & module_refs.sensitive:
            self.secrets.update(scope.root_variables(call[name]))
        shared = self.reader.shared_modules.get((path, module_folder, counts))
        if shared is None:
            called = ModuleScope(
                module_refs, module_folder, self.cwd, key, arguments=call, caller=scope
            )
            outer, shared = self.collector, self._new_collector(self.collector.written)
            self.collector = shared
            self._visit_module(folder, called, counts, depth + 1)
            self.collector = outer
            # Hundreds of stacks call one module, and most modules read only what lies in them.
            is_alone = not module_refs.modules and not called.asks_outside and not self.climbs
            if is_alone and all(is_below(asked, path) for asked in shared.asked):
                self.reader.shared_modules[path, module_folder, counts] = shared
        self.collector.merge(shared)

    # Functions and arguments

    def _visit_local(
        self, name: str, file_refs: FileReferences, scope: ModuleScope, where: str
    ) -> None:
        """Takes in the files that a local reads; where that is not known, its value if that is."""
        outer, self.collector = self.collector, self._new_collector(self.collector.written)
        for function, arguments in file_refs["local_calls"][name]:
            self._visit_call(function, arguments, scope, where)
        self.collector, local_collector = outer, self.collector
        if (
            local_collector.reads.unknown
            or local_collector.partial
            or not local_collector.written.isdisjoint(local_collector.asked)
        ):
            # One for all locals of a module, which are made of each other.
            file_values = self._values.setdefault(id(scope), FileValues(scope, outer.absolute))
            if file_refs["locals"][name] == scope.module_refs.locals.get(name) and is_known(
                value := file_values.local(name)
            ):
                # A module that asks its caller may have another value in each call.
                if scope.key and scope.asks_outside:
                    owner = f"{self.cwd}/module.{scope.key}."
                else:
                    owner = posixpath.normpath(posixpath.join(self.cwd, scope.folder)) + "/"
                digest = digest_of(json.dumps(value).encode())
                outer.reads.files[f"{owner}local.{name}"] = digest
                return
        outer.merge(local_collector)

    def _visit_call(
        self, function: str, arguments: list[Expression], scope: ModuleScope, where: str
    ) -> None:
        what = f"{function}() in {where}"
        if function in file_references.CHANGING_FUNCTIONS:
            self.collector.doubt(f"{what} has another value in every plan")
            return
        if function in file_references.TEMPLATE_FUNCTIONS:
            for text, is_whole in scope.paths(arguments[0]) if arguments else [("", False)]:
                if not is_whole or file_references.may_call(text.encode()):
                    self.collector.doubt(f"{what} may call what is not known without Terraform")
            return
        if not arguments or arguments[0][0] == "expanded":
            self.collector.doubt(f"{what} reads a path that is not known without Terraform")
            return
        self._check_climbs(arguments[: 2 if function == "fileset" else 1], scope, what)
        if function == "fileset":
            patterns = list(scope.paths(arguments[1])) if len(arguments) > 1 else [("", False)]
        for path, is_whole in scope.paths(arguments[0]):
            if not path and not is_whole:
                self.collector.doubt(f"{what} reads a path that is not known without Terraform")
            elif function == "fileset":
                for pattern in patterns:
                    self.collector.add_set(path, is_whole, *pattern, what)
            elif is_whole:
                self.collector.add_file(self.collector.absolute(path), f"{what}: {path}")
                self._read_template(function, self.collector.absolute(path), where, scope)
            else:
                self._add_beginning(path, what, function, scope, where)

    def _check_climbs(self, expressions: list[Expression], scope: ModuleScope, what: str) -> None:
        """Notes what in a path that is known in part may lead out of the folder that counts."""
        for expression in expressions:
            if not any(path and not is_whole for path, is_whole in scope.paths(expression)):
                continue  # it is known, or nothing of it is
            for part in climbing_parts(expression, scope, self.collector.absolute):
                if part == OF_OUTPUTS:
                    self.collector.reads.by_outputs = self.collector.reads.by_outputs or what
                else:
                    self.collector.doubt(f"{what} reads a path that depends on {part}")

    def _add_beginning(
        self, path: str, what: str, function: str, scope: ModuleScope, where: str
    ) -> None:
        """Takes in the folder with which a path begins, since any file in it may be meant."""
        self.collector.partial = self.collector.partial or what
        directory = self.collector.absolute(posixpath.dirname(path) or ".")
        if directory == "/" or (path.startswith("~") and "/" not in path):
            self.collector.doubt(f"{what} reads a path that is not known without Terraform")
            return
        for file in self.collector.add_folder(directory, what):
            self._read_template(function, file, where, scope)

    def _visit_argument(
        self, argument: str, expression: Expression, scope: ModuleScope, where: str
    ) -> None:
        what = f"{argument} in {where}"
        if _is_reference(expression):
            return  # what another resource made, of what has been counted
        self._check_climbs([expression], scope, what)
        for path, is_whole in scope.paths(expression):
            absolute = self.collector.absolute(path if is_whole else posixpath.dirname(path) or ".")
            if not path and not is_whole:
                self.collector.doubt(f"{what} is a path that is not known without Terraform")
            elif is_whole and not Path(absolute).is_dir():
                self.collector.add_file(absolute, f"{what}: {path}")
            elif absolute == "/":
                self.collector.doubt(f"{what} is a path that is not known without Terraform")
            else:
                self.collector.partial = self.collector.partial or ("" if is_whole else what)
                self.collector.add_folder(absolute, what)

    def _visit_path(self, expression: Expression, scope: ModuleScope) -> None:
        """Takes in a file, or a folder in the repository, that any other argument names."""
        for path, is_whole in scope.paths(expression):
            absolute = self.collector.absolute(path if is_whole else posixpath.dirname(path))
            if not path or is_left_out(posixpath.basename(absolute) or "."):
                continue
            try:
                digest = self.reader.digests.file(absolute) if is_whole else None
                if digest:
                    self.collector.take({absolute: digest})
                elif self._is_folder_beside(absolute):
                    self.collector.take(self.reader.digests.folder(absolute).files)
            except UncountableError as error:
                if self._is_folder_beside(absolute):
                    self.collector.doubt(f"it names the folder {path}, which {error}")

    def _is_folder_beside(self, path: str) -> bool:
        """Whether `path` is a folder in the repository, and not one that the stack lies in."""
        is_inside = is_below(path, self.reader.root) and not is_below(self.cwd, path)
        return is_inside and Path(path).is_dir()

    def _read_template(self, function: str, path: str, where: str, scope: ModuleScope) -> None:
        """Takes in what a template reads, which may call functions that read files."""
        if function != "templatefile":
            return
        calls = self.reader.calls_in_template(path)
        if calls is None:
            self.collector.doubt(f"this tool cannot read the template {posixpath.basename(path)}")
        for inner_function, arguments in calls or ():
            inner = f"{posixpath.basename(path)}, a template of {where}"
            self._visit_call(
                inner_function, arguments, ModuleScope(NO_REFERENCES, ".", self.cwd), inner
            )


@cache
def _climbs(content: bytes, is_json: bool) -> bool:
    """Whether a file of values sets a text with a "..", in words and comments apart."""
    if b".." not in content and b"\\" not in content:
        return False
    assigned = read_assigned(content, is_json)
    if assigned is None or not is_known(list(assigned.values())):
        return True
    return any(".." in text.split("/") for text in texts_of(list(assigned.values())))


def _is_fixed(source: str, version: Expression | None) -> bool:
    """Whether the module at `source` can only be replaced by an edit of the call."""
    if version and version[0] == "literal" and _FIXED_VERSION.fullmatch(str(version[1])):
        return True
    return _FIXED_COMMIT.search(source) is not None


def _is_reference(expression: Expression) -> bool:
    """Whether `expression` is an attribute of a resource or of a data source."""
    while expression[0] in ("attribute", "index", "splat"):
        expression = expression[1]
    names = ("each", "count", "local", "path", "self", "terraform", "tofu", "var")
    return expression[0] == "name" and expression[1] not in names


def _calls_in_template(path: str) -> list[tuple[str, list[Expression]]] | None:
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError):
        return []  # Terraform says that it is missing
    if not file_references.may_call(content):
        return []
    try:
        return file_references.calls_in_template(content.decode())
    except (UnreadableError, UnicodeDecodeError):
        return None
