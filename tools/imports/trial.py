"""A trial of what an import would write: Terraform plans it in a copy, which is then deleted.

What AWS takes of a notebook's values and scripts, and what the stacks take of theirs, is in their
files: nothing here knows it a second time.
"""

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools import SCRATCH
from tools.console.messages import say
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.hcl.reading import VALUES, Value
from tools.imports.pending_import import PendingImport
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3, Stack
from tools.runs import deployment
from tools.runs.session import Session
from tools.scaffold import render
from tools.state.place import STATE

_VARIABLES = "variables.tf"
# What a notebook reads, as far as the shared stacks have no outputs yet.
_STAND_INS: Mapping[str, Mapping[str, Value]] = {
    S3: {"bucket_arns": {}, "kms_key_arns": []},
    IAM: {
        # Terraform converts both branches of a conditional to one type: a null here would leave
        # a notebook's isolation, which is null, without attributes that its module asks for.
        # https://developer.hashicorp.com/terraform/language/expressions/conditionals
        "isolation": {
            "bind_trust_to_account": False,
            "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/trial",
            "policy_arns": {},
        },
        "role_arn": "arn:aws:iam::123456789012:role/trial",
    },
    GROUPS: {"notebook_security_group_id": "sg-00000000"},
    ENDPOINTS: {"subnet_ids": ["subnet-00000000"]},
}


def check(
    session: Session, pending: PendingImport, remedies: Mapping[str, str] | None = None
) -> None:
    """Raises UserError, about all at once, if Terraform refuses what `pending` would write.

    `remedies` says, by stack, how to do without it.
    """
    refused = refusals(session, pending)
    if refused:
        reasons = "; ".join(f"{stack_name}: {reason}" for stack_name, reason in refused.items())
        ways = " ".join(way for name, way in (remedies or {}).items() if name in refused)
        rest = f". To migrate the rest: {ways}" if ways else ""
        raise UserError(f"{reasons}; nothing was written{rest}")


def refusals(session: Session, pending: PendingImport) -> dict[str, str]:
    """Returns why Terraform refuses what `pending` would write, by stack."""
    if not (pending.edits or pending.notebooks):
        return {}
    say("Terraform tries what would be written, in a copy:")
    with _copy(session, pending) as root:
        original = session.target.repository
        trial = session.moved_to(Repository(root, original.option, original.env))
        options = replace(session.options, refresh=True, expects_waiting=True)
        trial = replace(trial, options=options)
        changed = {edit.stack.name for edit in pending.edits}
        changed |= {f"notebooks/{notebook.name}" for notebook in pending.notebooks}
        stacks = [stack for stack in trial.records.stacks if stack.name in changed]
        plans = deployment.plan_stacks(trial, stacks)
    return {plan.stack: plan.detail for plan in plans if plan.status == "failed"}


@contextmanager
def _copy(session: Session, pending: PendingImport) -> Iterator[Path]:
    """A repository of the new notebooks, and of what the shared stacks say and take."""
    repository = session.target.repository
    scratch = repository.root / SCRATCH
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=scratch) as name:
        root = Path(name)
        shutil.copytree(
            repository.root / "modules",
            root / "modules",
            ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"),
        )
        # The states are here, not in the state bucket.
        common = {
            key: value
            for key, value in repository.common().items()
            if key not in ("state_bucket", "state_prefix")
        }
        (root / COMMON).write_text(writing.format_assignments(common), encoding="utf-8")
        for stack_name, stand_ins in _STAND_INS.items():
            _write_state(session, root, stack_name, stand_ins)
        for edit in pending.edits:
            _write_values(root, edit.stack, edit.after)
        for notebook in pending.notebooks:
            _fill(
                root,
                f"notebooks/{notebook.name}",
                render.files(notebook, session.context.templates),
            )
        (root / "notebooks").mkdir(exist_ok=True)
        yield root


def _fill(root: Path, stack_name: str, contents: Mapping[str, bytes]) -> None:
    folder = root / stack_name
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / COMMON).unlink(missing_ok=True)
    (folder / COMMON).symlink_to(Path("..") / ".." / COMMON)


def _write_values(root: Path, stack: Stack, text: str) -> None:
    """The stack's variables with their rules, and its values: neither resources nor providers."""
    names = [path.name for path in reading.value_files(stack.path)]
    contents = {
        name: (stack.path / name).read_bytes()
        for name in (*names, _VARIABLES)
        if name not in (VALUES, COMMON) and (stack.path / name).is_file()
    }
    _fill(root, stack.name, {**contents, VALUES: text.encode()})


def _write_state(
    session: Session, root: Path, stack_name: str, stand_ins: Mapping[str, Value]
) -> None:
    """A state that has the stack's outputs and nothing else."""
    stack = Stack(session.target.repository.root, stack_name)
    declared = {
        name: None for file in stack.path.glob("*.tf") for name in reading.read_outputs(file)
    }
    held = session.records.state(stack)
    deployed = {name: value for name, value in (held.outputs if held else {}).items() if value}
    outputs = {**declared, **stand_ins, **deployed}
    state = {
        "version": 4,
        "terraform_version": "1.0.0",
        "serial": 1,
        "lineage": str(uuid.uuid4()),
        "outputs": {
            name: {"value": value, "type": _type(value)} for name, value in outputs.items()
        },
        "resources": [],
    }
    _fill(root, stack_name, {STATE: json.dumps(state).encode(), _VARIABLES: b""})


def _type(value: Any) -> Any:
    """A value's type, as a state says it."""
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "dynamic"  # null of no type, which goes wherever a value of some type does
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return ["tuple", [_type(item) for item in value]]
    if isinstance(value, Mapping):
        return ["object", {name: _type(item) for name, item in value.items()}]
    return "number"
