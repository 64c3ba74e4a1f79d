"""What an apply of a stack depends on, by content: equal inputs mean there is nothing to apply."""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.engine.file_digests import FileDigests
from tools.engine.file_reads import FileReader
from tools.engine.read_collector import FileReads
from tools.engine.secret_digests import (
    WITHOUT_KEY,
    Variables,
    describe_missing_key,
    environment_digests,
    keyed_digest,
    secret_digest,
)
from tools.hcl.scanning import CONFIGURATION_ENDINGS, LOCK_FILE, locked_versions, value_names
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state.file import State
from tools.system.user import home_folder
from tools.terraform.binary import Terraform

_CODE = (*CONFIGURATION_ENDINGS, LOCK_FILE)
_VALUES = (".tfvars", ".tfvars.json")
_OUTSIDE = ("~/", "/", "../")  # of the repository, in the names of files


@dataclass(frozen=True)
class Inputs:
    """Name to digest, or to version: what Terraform reads when it plans a stack.

    `files` are relative to the repository: the stack's own, its modules' (recursively), and others
    that a path in them leads to. `upstream` are the outputs that the stack reads of others, such
    as `shared-infra/iam role_arn`. `environment` is what Terraform takes from there. `unknown` are
    reasons why a plan may read something else besides.
    """

    files: Mapping[str, str]
    environment: Mapping[str, str]
    upstream: Mapping[str, str]
    versions: Mapping[str, str]
    unknown: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "unknown", tuple(self.unknown))  # JSON has a list

    @classmethod
    def parse(cls, fields: Any) -> "Inputs":
        """Returns what a record holds of inputs. Raises TypeError for what is none."""
        inputs = cls(**fields)
        for digests in (inputs.files, inputs.environment, inputs.upstream, inputs.versions):
            if not isinstance(digests, dict) or not all(
                isinstance(text, str) for text in (*digests, *digests.values())
            ):
                raise TypeError(digests)
        return inputs


@dataclass
class InputsReader:
    """Reads the inputs of stacks. What several of them share, such as a module, is read once.

    `key` is the one for digests of secrets, empty if the user has none.
    """

    repository: Repository
    terraform: Terraform
    key: bytes = b""
    _reads: dict[tuple[str, frozenset[str]], FileReads] = field(default_factory=dict)
    _output_digests: dict[tuple[str, int, str], str] = field(default_factory=dict)
    # By all that changes while the files do not: a run asks before each stack's turn again.
    _inputs: dict[tuple[object, ...], Inputs] = field(default_factory=dict)

    def __post_init__(self) -> None:
        digests = FileDigests(self.terraform.program == "tofu")
        self._files = FileReader(str(self.repository.root), self.terraform.env, digests)

    def read(
        self, stack: Stack, states: Mapping[str, State], own_files: frozenset[str] = frozenset()
    ) -> Inputs:
        """Returns the inputs of `stack`; `states` are those of its upstream stacks, by name.

        `own_files` are files that an apply of it writes, such as a state of an unusual name.
        """
        versions = _versions(stack, self.terraform)
        upstream_serials = sorted((name, s.lineage, s.serial) for name, s in states.items())
        inputs_key = (stack.name, own_files, *versions.items(), *upstream_serials)
        if inputs_key not in self._inputs:
            self._inputs[inputs_key] = self._find_inputs(stack, states, own_files, versions)
        return self._inputs[inputs_key]

    def _find_inputs(
        self,
        stack: Stack,
        states: Mapping[str, State],
        own_files: frozenset[str],
        versions: dict[str, str],
    ) -> Inputs:
        reads = self._read_files(stack, own_files)
        files = {self._name(path): reads.files[path] for path in sorted(reads.files)}
        variables = Variables.from_references(reads.root, reads.secrets)
        environment, secrets = environment_digests(self.terraform.env, variables, self.key)
        for path, content in reads.values.items():
            if variables.may_set_secret(content, path):
                name = self._name(path)
                files[name] = secret_digest(self.key, name, content)
                secrets += [] if self.key else [name]
        outputs = sorted(set(_read_outputs(stack, reads, states)))
        climbing = [
            f'{reads.by_outputs} reads a path that depends on an output of {name} with a ".."'
            for name, output in outputs
            if reads.by_outputs and ".." in json.dumps(states[name].outputs.get(output))
        ]
        return Inputs(
            files,
            environment,
            self._upstream(outputs, states),
            versions,
            (*reads.unknown, *climbing[:1], *map(describe_missing_key, secrets)),
        )

    def _upstream(
        self, outputs: Iterable[tuple[str, str]], states: Mapping[str, State]
    ) -> dict[str, str]:
        digests_by_output = {}
        for name, output in outputs:
            state = states[name]
            digest_key = (state.lineage, state.serial, output)
            if digest_key not in self._output_digests:
                # Who reads this stack's record may not read that state, whose lineage, a random
                # number, is in no record.
                value = json.dumps(state.typed_output(output), sort_keys=True).encode()
                self._output_digests[digest_key] = keyed_digest(state.lineage, output, value)
            digests_by_output[f"{name} {output}"] = self._output_digests[digest_key]
        return digests_by_output

    def named_files(self, stack: Stack) -> set[str]:
        """Returns those of the files that `stack` reads which an expression names."""
        return {self._name(path) for path in self._read_files(stack, frozenset()).named}

    def last_change(self, name: str) -> str:
        """Returns when the file that records call `name` was changed last, in nanoseconds.

        "missing" if it cannot be seen.
        """
        home = home_folder(self.terraform.env)
        path = f"{home}{name[1:]}" if name.startswith("~/") else self.repository.root / name
        try:
            return str(os.stat(path).st_mtime_ns)  # noqa: PTH116 - a name may be no UTF-8
        except OSError:
            return "missing"

    def terraform_files(self, stack: Stack) -> list[Path]:
        """Returns the files of configuration of `stack` and of its modules, recursively."""
        return [Path(path) for path in sorted(self._read_files(stack, frozenset()).configuration)]

    def _read_files(self, stack: Stack, own_files: frozenset[str]) -> FileReads:
        reads_key = (stack.name, own_files)
        if reads_key not in self._reads:
            self._reads[reads_key] = self._files.read(str(stack.path), own_files)
        return self._reads[reads_key]

    def _name(self, path: str) -> str:
        """How records name a file: relative to the repository, or to the user's home."""
        root_prefix, home_prefix = f"{self.repository.root}/", f"{home_folder(self.terraform.env)}/"
        if path.startswith(root_prefix):
            return path[len(root_prefix) :]
        if (
            len(home_prefix) > 1
            and path.startswith(home_prefix)
            and not root_prefix.startswith(home_prefix)
        ):
            return f"~/{path[len(home_prefix) :]}"
        return os.path.relpath(path, self.repository.root)


def with_keyed_files(inputs: Inputs, lineage: str) -> Inputs:
    """Returns `inputs` as records hold them: with `lineage` as the key of `keyed_files`."""
    keyed = keyed_files(inputs)
    return replace(
        inputs,
        files={
            name: digest
            if name not in keyed or digest == WITHOUT_KEY
            else keyed_digest(lineage, name, digest.encode())
            for name, digest in inputs.files.items()
        },
    )


def keyed_files(inputs: Inputs) -> set[str]:
    """Returns the files that are no code, which the readers of a record have anyway.

    One may hold a secret that is short.
    """
    return {name for name in inputs.files if not name.endswith(_CODE)}


def foreign_files(inputs: Inputs) -> set[str]:
    """Returns those of `keyed_files` that the repository's readers may not have.

    Of values that Terraform takes by themselves it is known which are secret (`secret_digests`).
    """
    return {
        name
        for name in keyed_files(inputs)
        if name.startswith(_OUTSIDE)
        or (name.endswith(_VALUES) and not value_names([name.rpartition("/")[2]]))
    }


def without_files(inputs: Inputs, names: Collection[str]) -> Inputs:
    """Returns `inputs` without the files called `names`."""
    files = {name: digest for name, digest in inputs.files.items() if name not in names}
    return replace(inputs, files=files)


def differences(before: Inputs, now: Inputs) -> list[str]:
    """Returns what has changed between two readings, in words; nothing if they are equal."""
    version_changes = {
        name: f"{name} is {now.versions[name]}, and was {before.versions[name]}"
        for name in sorted(before.versions.keys() & now.versions.keys())
        if before.versions[name] != now.versions[name]
    }
    products = [{name for name in v if "/" not in name} for v in (before.versions, now.versions)]
    if products[0] != products[1]:
        version_changes[""] = (
            f"{' '.join(products[1])} has taken the place of {' '.join(products[0])}"
        )
    return [
        *_changes(before.files, now.files, ""),
        *_changes(before.environment, now.environment, "environment variable "),
        *_changes(before.upstream, now.upstream, "output of "),
        *version_changes.values(),
    ]


def _changes(
    digests_before: Mapping[str, str], digests_now: Mapping[str, str], kind: str
) -> list[str]:
    if digests_before == digests_now:
        return []
    # What is not compared for want of a key is a reason of its own.
    compared = {name: digest for name, digest in digests_now.items() if digest != WITHOUT_KEY}
    return [
        *(
            f"{kind}{name} changed"
            for name in compared
            if digests_before.get(name, compared[name]) != compared[name]
        ),
        *(f"{kind}{name} is new" for name in compared if name not in digests_before),
        *(f"{kind}{name} is gone" for name in digests_before if name not in digests_now),
    ]


def _read_outputs(
    stack: Stack, reads: FileReads, states: Mapping[str, State]
) -> Iterator[tuple[str, str]]:
    """The upstream stacks and their outputs that the stack's files read.

    They are all outputs of an upstream if the files do not say which.
    """
    root = reads.root
    named = [
        (source, output)
        for file_refs in root.files.values()
        for source, output in file_refs["outputs"]
    ]
    # A file that cannot be read may name any.
    missed = stack.upstream_by_name.keys() - {data_source for data_source, _ in named}
    read_outputs = [(name, "") for name in stack.upstream_in_modules]
    for data_source, output in [*named, *((data_source, "") for data_source in missed)]:
        read_outputs += [(name, output) for name in stack.upstream_by_name.get(data_source, ())]
    for output_path, upstream_names in stack.upstream_by_output.items():
        read_outputs += [
            (name, output) for name in upstream_names for output in _handed_on(output_path, reads)
        ]
    for name, output in read_outputs:
        if name in states:
            yield from (
                (name, output_name)
                for output_name in ([output] if output else states[name].outputs)
            )


def _handed_on(output_path: str, reads: FileReads) -> set[str]:
    """The outputs of a state that the root reads by a module's output, such as module.m.up.iam.

    The empty one stands for all of them: if no file names it, or the module uses them itself.
    """
    call, output, instance_key = output_path.split(".")[1:]
    module = reads.modules.get(call)
    sources = (
        [s for file_refs in module.files.values() for s, _ in file_refs["outputs"]]
        if module
        else []
    )
    if module is None or len(set(sources)) < len(sources):
        return {""}
    output_names = {
        module_output[3] if module_output[2] else ""
        for file_refs in reads.root.files.values()
        for module_output in file_refs["module_outputs"]
        if module_output[0] in (call, "")
        and module_output[1] in (output, "")
        and module_output[2] in (instance_key, "")
    }
    return output_names or {""}


def _versions(stack: Stack, terraform: Terraform) -> dict[str, str]:
    return {terraform.product: terraform.version_text, **locked_versions(stack.path)}
