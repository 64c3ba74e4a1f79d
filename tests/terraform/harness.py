"""Terraform in tests: the only user of tftest.

Everything runs on a temporary copy: tftest deletes states and lock files, and no test may touch
the repository's own.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import tftest

from tests.trees import REPOSITORY, copy_repository
from tools.terraform.keeper import VARIABLE

COMMON = "common.auto.tfvars"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Tree:
    """A copy of the repository in `root`, run with the terraform `binary` in `env`.

    A stack is a directory of it, such as `shared-infra/s3`.
    """

    root: Path
    binary: Path
    env: Mapping[str, str]
    _ready: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        copy_repository(self.root)
        for pattern in ("shared-infra/*/terraform.tfvars", "*/*/backend.tf"):
            for own in self.root.glob(pattern):  # a user's, for a real account
                own.unlink()
        groups = self.root / "shared-infra/security-groups/terraform.tfvars"
        groups.write_text('vpc_id = "default"\n')  # the one value that a root must be given
        self.set_common(project=self.project, region="us-east-1")

    @property
    def account(self) -> str:
        """The emulator takes an access key of 12 digits for the number of its account."""
        return self.env["AWS_ACCESS_KEY_ID"]

    @property
    def project(self) -> str:
        """Unlike any other tree's: the emulator's buckets share one namespace, as AWS's do."""
        return f"acme-{self.account}"

    def set_common(self, **values: Any) -> None:
        """Replaces what is typed once; `values` are project, region and state_bucket."""
        width = max(map(len, values))
        lines = (f"{name:<{width}} = {json.dumps(value)}\n" for name, value in values.items())
        (self.root / COMMON).write_text("".join(lines))

    def write_state(self, stack: str, outputs: Values) -> None:
        """A local state of `stack` with these outputs and nothing else, written by Terraform."""
        scratch = self.root / "states" / stack
        scratch.mkdir(parents=True)
        declared = {name: {"value": value} for name, value in outputs.items()}
        (scratch / "main.tf.json").write_text(json.dumps({"output": declared}))
        self.apply(f"states/{stack}")
        shutil.copy(scratch / "terraform.tfstate", self.root / stack)

    def write_calls(self, name: str, calls: Mapping[str, Values]) -> str:
        """A stack that calls modules, made or changed: returns its name.

        `calls` are name to arguments, with the path of the module in the tree as `source`. A
        root can be called too, which plans it with many sets of values at the cost of one.
        """
        roots = [
            v for v in calls.values() if v["source"].startswith(("shared-infra/", "notebooks/"))
        ]
        settings = {(values.get("project"), values.get("region")) for values in roots}
        # A root brings its provider block, and a kept provider answers by the last that it got.
        assert len(settings) < 2 or VARIABLE not in self.env, settings
        root = self.root / "calls" / name
        root.mkdir(parents=True, exist_ok=True)
        for call, arguments in calls.items():
            # A file for each, so that an error says by its place which call it is about.
            with_source = {**arguments, "source": f"../../{arguments['source']}"}
            text = {
                "module": {call: with_source},
                "output": {call: {"value": f"${{module.{call}}}"}},
            }
            (root / f"{call}.tf.json").write_text(json.dumps(text))
        return f"calls/{name}"

    def plan(self, stack: str) -> tftest.TerraformPlanOutput:
        """Raises tftest.TerraformTestError, with Terraform's words, where it fails."""
        return self._test(stack).plan(output=True)

    def refusals(self, stack: str) -> dict[str, list[str]]:
        """The errors of a plan by the file that they are about, without its endings."""
        try:
            self._test(stack).execute_command("plan", "-json", "-input=false")
        except tftest.TerraformTestError as error:
            found: dict[str, list[str]] = {}
            for event in _events(error.args[0], "diagnostic"):
                diagnostic = event["diagnostic"]
                about = Path(diagnostic["range"]["filename"]).name.split(".")[0]
                found.setdefault(about, []).append(diagnostic["detail"])
            return found
        return {}

    def changes(self, stack: str) -> dict[str, str]:
        """What a plan would change: address of a resource, or `output.<name>`, to the action."""
        planned = self._test(stack).execute_command("plan", "-json", "-input=false").out
        actions = {
            event["change"]["resource"]["addr"]: event["change"]["action"]
            for event in _events(planned, "planned_change")
        }
        for event in _events(planned, "outputs"):
            actions |= {f"output.{name}": o["action"] for name, o in event["outputs"].items()}
        return {address: action for address, action in actions.items() if action != "noop"}

    def planned(self, stack: str) -> str:
        """What a plan says, empty where by its exit code it would change nothing."""
        options = ("-detailed-exitcode", "-input=false", "-no-color")
        done = self._test(stack).execute_command("plan", *options)
        return "" if done.retcode == 0 else f"{done.out}{done.err}"

    def apply(self, stack: str) -> None:
        self._test(stack).apply()

    def import_existing(self, stack: str, address: str, identifier: str) -> None:
        """Takes what exists under `identifier` into the stack's state as `address`."""
        self._test(stack).execute_command("import", "-input=false", address, identifier)

    def move_in_state(self, stack: str, source: str, destination: str) -> None:
        """Gives a resource of the stack's state another address."""
        self._test(stack).execute_command("state", "mv", source, destination)

    def destroy(self, stack: str) -> None:
        self._test(stack).destroy()

    def outputs(self, stack: str) -> dict[str, Any]:
        return dict(self._test(stack).output())

    def state(self, stack: str) -> dict[str, dict[str, Any]]:
        """What a stack's state holds: `resources`, address to values, and `outputs`."""
        shown = json.loads(self._test(stack).execute_command("show", "-json").out)["values"]
        modules = [shown["root_module"], *shown["root_module"].get("child_modules", [])]
        found = {r["address"]: r["values"] for m in modules for r in m.get("resources", [])}
        outputs = {name: output["value"] for name, output in shown.get("outputs", {}).items()}
        return {"resources": found, "outputs": outputs}

    def resources(self, stack: str) -> list[str]:
        """The addresses in a stack's state."""
        return str(self._test(stack).execute_command("state", "list").out).split()

    def format_complaints(self) -> str:
        """The files that `terraform fmt` would change, and how; empty where there are none."""
        command = ("-check", "-diff", "-recursive")
        return str(self._wrapped(".").execute_command("fmt", *command).out)

    def _test(self, stack: str) -> tftest.TerraformTest:
        test = self._wrapped(stack)
        if stack not in self._ready:
            test.init()  # not setup(), which deletes the state when `test` goes out of scope
            self._ready.add(stack)
        return test

    def _wrapped(self, directory: str) -> tftest.TerraformTest:
        test = tftest.TerraformTest(directory, str(self.root), str(self.binary))
        test.env = dict(self.env)  # given as an argument, it would be laid over os.environ
        return test


class Chain:
    """Applies stacks, and destroys them in reverse when the `with` block ends, come what may."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.applied: list[str] = []

    def apply(self, stack: str) -> None:
        if stack not in self.applied:
            self.applied.append(stack)  # first: a failed apply leaves resources too
        self.tree.apply(stack)

    def destroy(self, stack: str) -> None:
        """Destroys one before the others; it has failed until it is done."""
        self.tree.destroy(stack)
        self.applied.remove(stack)

    def changes(self) -> dict[str, dict[str, str]]:
        """What plans of the applied stacks would change, by stack; empty where nothing is left."""
        found = {stack: self.tree.changes(stack) for stack in self.applied}
        return {stack: changes for stack, changes in found.items() if changes}

    def __enter__(self) -> "Chain":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failures: list[Exception] = []
        for stack in reversed(self.applied):
            try:
                self.tree.destroy(stack)
            except tftest.TerraformTestError as failure:
                failures.append(failure)
        if failures and error is None:
            raise ExceptionGroup("not destroyed", failures)


def account_env(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with an account that nobody else uses."""
    account = "".join(secrets.choice("123456789") for _ in range(12))
    return {**env, "AWS_ACCESS_KEY_ID": account}


def clean_env() -> dict[str, str]:
    """The environment without values for variables, which would reach every root."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TF_VAR_")}


def roots() -> list[str]:
    """Every root module of the repository, such as `shared-infra/s3`."""
    return sorted(
        str(versions.parent.relative_to(REPOSITORY))
        for folder in ("shared-infra", "notebooks")
        for versions in (REPOSITORY / folder).glob("*/versions.tf")
    )


def resources(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, dict[str, Any]]:
    """The planned resources of a called module: address within it to what is known of each."""
    planned = plan.modules[f"module.{call}"].resources
    return {address: resource["values"] for address, resource in planned.items()}


def outputs(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, Any]:
    """What is known of the outputs of a called module."""
    return dict(plan.output_changes[call]["after"])


def as_json(plan: tftest.TerraformPlanOutput) -> str:
    """The plan as `terraform show -json` gave it."""
    return json.dumps(plan._raw)


def statements(policy: str) -> dict[str, dict[str, Any]]:
    """The statements of a policy by Sid, with `Action` and `Resource` as sorted lists."""
    return {
        statement["Sid"]: statement
        | {key: _sorted(statement[key]) for key in ("Action", "Resource") if key in statement}
        for statement in json.loads(policy)["Statement"]
    }


def _sorted(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(value)


def _events(output: str, kind: str) -> list[dict[str, Any]]:
    """The events of one kind in the output of a command with `-json`."""
    lines = (line for line in output.splitlines() if line.startswith("{"))
    return [event for event in map(json.loads, lines) if event["type"] == kind]
