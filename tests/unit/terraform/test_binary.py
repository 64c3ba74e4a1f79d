"""What is made of a program's output and exit code; a script stands for Terraform."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.system.signals import count_signals
from tools.terraform import masking
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import Diagnostic, TerraformError
from tools.terraform.masking import Mask
from tools.terraform.text import Event

QUESTION = (
    "\nDo you want to perform these actions?\n"
    "  Terraform will perform the actions described above.\n"
    "  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
)
ERROR = "\nError: no\n\nbecause\n"


class Script:
    """A Terraform that runs a script in place of each command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "logs" / "notebooks.n.apply.log"
        self.events: list[Event] = []

    def terraform(self, script: str, **env: str) -> Terraform:
        program = self.folder / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **env}
        return Terraform(program, "Terraform", (1, 11, 4), "linux_amd64", False, env)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def says(*parts: object) -> str:
    """A script that prints `parts`, dicts as JSON."""
    lines = [json.dumps(part) if isinstance(part, dict) else str(part) for part in parts]
    return "; ".join(f"printf '%s\\n' {shlex.quote(line)}" for line in lines)


def asks(plan: str) -> str:
    """A script that asks to approve `plan`, says what it was answered, and obeys."""
    question = shlex.quote(f"{plan}\n{QUESTION}")
    return f"printf '%s' {question}; read answer; [ \"$answer\" = yes ] && echo applied"


def test_events_come_as_they_are_and_errors_as_the_failure(script: Script) -> None:
    diagnostic = {"severity": "error", "summary": "no", "detail": "because", "address": "a.b"}
    lines = [{"type": "version"}, "panic", {"type": "diagnostic", "diagnostic": diagnostic}]
    terraform = script.terraform(f"{says(*lines)}; exit 1")
    with pytest.raises(TerraformError) as failed:
        terraform.apply(script.folder, script.log, script.events.append)
    assert failed.value.diagnostics == [Diagnostic("no", "because", "a.b")]
    assert [event["type"] for event in script.events] == ["version", "text", "diagnostic"]


def test_no_secret_is_in_an_event_or_a_failure(script: Script) -> None:
    (script.folder / "variables.tf").write_text('variable "p" {\n  sensitive = true\n}\n')
    event = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "hunter2-x"}}
    terraform = script.terraform(f"{says(event)}; exit 1", TF_VAR_p="hunter2-x")
    with pytest.raises(TerraformError, match=r"^\(sensitive value\)$"):
        terraform.plan(script.folder, script.log, script.events.append)
    assert "hunter2" not in script.log.read_text() + str(script.events)


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("notebooks.n.apply.log", "Terraform was ended by signal 9: what it had begun may be"),
        ("notebooks.n.plan.log", "Terraform was ended by signal 9; see "),
    ],
)
def test_a_terraform_that_was_killed(script: Script, log: str, message: str) -> None:
    terraform = script.terraform("kill -9 $$")
    with pytest.raises(TerraformError, match=message):
        terraform.plan(script.folder, script.folder / log, script.events.append)
    with pytest.raises(TerraformError, match=message):
        terraform.init(script.folder, script.folder / log)


def test_a_terraform_that_says_nothing(script: Script) -> None:
    with pytest.raises(TerraformError, match=r"Terraform ended with an error; see .*apply.log"):
        script.terraform("exit 1").apply(script.folder, script.log, script.events.append)


def test_the_first_error_of_a_text_is_the_failure(script: Script) -> None:
    terraform = script.terraform(f"{says(ERROR, ERROR.replace('no', 'other'))}; exit 1")
    with pytest.raises(TerraformError, match=r"^no: because$"):
        terraform.init(script.folder, script.log)
    with pytest.raises(TerraformError, match=r"^no: because$"):
        terraform.import_resource(script.folder, script.log, "a.b", "id")


def test_nothing_starts_if_its_secrets_cannot_be_told(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(directory: Path, env: Mapping[str, str]) -> Mask:
        raise PermissionError("terraform.tfvars")

    terraform = script.terraform("exit 0")
    monkeypatch.setattr(masking, "mask_of", refuse)
    with pytest.raises(PermissionError):
        terraform.init(script.folder, script.log)
    with pytest.raises(PermissionError):
        terraform.import_resource(script.folder, script.log, "a.b", "id")
    assert not script.log.exists()


def test_what_destroys_nothing_is_approved(script: Script) -> None:
    terraform = script.terraform(asks("Plan: 1 to add, 0 to change, 0 to destroy."))
    begun: list[str] = []
    assert terraform.apply_unless_destructive(
        script.folder, script.log, script.events.append, before=lambda: begun.append("begun")
    )
    assert begun == ["begun"]
    assert script.log.read_text().endswith("applied\n")


def test_what_destroys_something_is_not(script: Script) -> None:
    terraform = script.terraform(asks("Plan: 1 to add, 0 to change, 1 to destroy."))
    begun: list[str] = []
    assert not terraform.apply_unless_destructive(
        script.folder, script.log, script.events.append, before=lambda: begun.append("begun")
    )
    assert begun == []
    assert "applied" not in script.log.read_text()


def test_a_plan_says_by_its_exit_code_whether_there_is_anything_to_apply(script: Script) -> None:
    for code, has_changes in ((0, False), (2, True)):
        terraform = script.terraform(f"exit {code}")
        assert terraform.plan(script.folder, script.log, script.events.append) is has_changes
    with pytest.raises(TerraformError):
        script.terraform("exit 1").plan(script.folder, script.log, script.events.append)
    with pytest.raises(TerraformError):  # of an apply that is an error
        script.terraform("exit 2").apply(script.folder, script.log, script.events.append)


def test_a_secret_that_reads_like_a_type_does_not_change_a_plan(script: Script) -> None:
    (script.folder / "variables.tf").write_text('variable "p" {\n  sensitive = true\n}\n')
    resource = {"addr": "aws_s3_bucket.b", "resource_type": "aws_s3_bucket"}
    change = {"resource": resource, "action": "delete"}
    terraform = script.terraform(
        says({"type": "planned_change", "change": change}), TF_VAR_p="aws_s3_bucket"
    )
    terraform.plan(script.folder, script.log, script.events.append)
    assert script.events[0]["change"]["resource"]["resource_type"] == "aws_s3_bucket"


def test_a_value_that_is_asked_for_is_not_given(script: Script) -> None:
    asked = f"printf 'var.x\\n  Enter a value: '; read value || {{ {says(ERROR)}; exit 1; }}"
    terraform = script.terraform(asked)
    with pytest.raises(TerraformError, match=r"^no: because$"):
        terraform.apply_unless_destructive(script.folder, script.log, script.events.append)


def test_an_approved_apply_that_fails_is_a_failure(script: Script) -> None:
    terraform = script.terraform(
        f"{asks('Plan: 1 to add, 0 to change, 0 to destroy.')}; {says(ERROR)}; exit 1"
    )
    with pytest.raises(TerraformError, match=r"^no: because$"):
        terraform.apply_unless_destructive(script.folder, script.log, script.events.append)


def test_warnings_of_a_text_are_events(script: Script) -> None:
    warning = "\nWarning: {}\n\nbecause\n\nof it\n"
    plan = f"Plan: 0 to add, 1 to change, 0 to destroy.\n{warning.format('old')}"
    after = says(warning.format("deprecated"), "", "Apply complete! Resources: 0 added.")
    terraform = script.terraform(f"{asks(plan)}; {after}")
    assert terraform.apply_unless_destructive(script.folder, script.log, script.events.append)
    assert [event["warning"] for event in script.events if event["type"] == "warning"] == [
        Diagnostic("old", "because of it"),
        Diagnostic("deprecated", "because of it"),
    ]


def test_outputs_come_without_sensitive_values(script: Script) -> None:
    outputs = {
        "role": {"sensitive": False, "value": "arn"},
        "key": {"sensitive": True, "value": "s"},
    }
    terraform = script.terraform(says(outputs))
    assert terraform.outputs(script.folder) == {"role": "arn", "key": "(sensitive value)"}
    with pytest.raises(UserError, match="terraform output: no: because"):
        script.terraform(f"{says(ERROR)} >&2; exit 1").outputs(script.folder)


def test_a_backend_may_have_no_workspaces(script: Script) -> None:
    terraform = script.terraform("echo 'workspaces not supported' >&2; exit 1")
    assert terraform.other_workspaces(script.folder) == []
    with pytest.raises(TerraformError, match="no such host"):
        script.terraform("echo 'Error: no such host' >&2; exit 1").other_workspaces(script.folder)


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("echo aws_s3_bucket.this", True),
        ("true", False),
        ("echo 'No state file was found!' >&2; exit 1", False),
    ],
)
def test_whether_a_state_holds_resources(script: Script, command: str, holds: bool) -> None:
    assert script.terraform(command).holds_resources(script.folder) is holds


def test_a_short_command_that_fails_says_why(script: Script) -> None:
    terraform = script.terraform(f"{says(ERROR)} >&2; exit 1")
    file = script.folder / "file"
    for command in (
        lambda: terraform.holds_resources(script.folder),
        lambda: terraform.show(script.folder, file),
        lambda: terraform.show_json(script.folder, file),
        lambda: terraform.pull_state(script.folder),
        lambda: terraform.push_state(script.folder, file),
        lambda: terraform.force_unlock(script.folder, "1"),
    ):
        with pytest.raises(TerraformError, match=r"^no: because$"):
            command()


def test_a_terminal_s_ctrl_c_reaches_nothing_that_writes_a_state(script: Script) -> None:
    session = script.folder / "session"
    # As a Ctrl-C at the command that runs it: that one goes on, and so does this.
    terraform = script.terraform("ps -o sid= -p $$ > began; kill -INT $PPID; mv began session")
    for write in (
        lambda: terraform.push_state(script.folder, script.folder / "s"),
        lambda: terraform.move_in_state(script.folder, "a.b", "a.c"),
        lambda: terraform.force_unlock(script.folder, "id"),
    ):
        with count_signals() as interruption:
            write()
        assert interruption.count == 1
        assert int(session.read_text()) != os.getsid(0)
        session.unlink()
