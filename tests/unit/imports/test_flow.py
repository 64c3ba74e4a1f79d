"""An import from its request to its plan, on a Terraform that does as it is told."""

import json
import signal
from typing import Any

import click
import pytest

from tests.trees import copy_repository
from tests.unit.engine.fake_terraform import Answer, failure, write_state
from tests.unit.remote_state.conftest import Team
from tools.engine.fingerprint import Inputs
from tools.engine.plans import Plan
from tools.errors import UserError
from tools.hcl import reading
from tools.imports import closing_plan, execute, pending_import
from tools.imports.adopt import adopt
from tools.imports.pending_import import PendingImport
from tools.imports.request import ImportRequest, ResourceImport
from tools.imports.state_import import import_all
from tools.imports.tfvars import plan_edits
from tools.runs.session import Session
from tools.scaffold.notebook import Notebook

ADDRESS = "aws_s3_bucket.this"
STACK = "notebooks/n"
BUCKET = ResourceImport.at(STACK, ADDRESS, "data")
ELSEWHERE = 'terraform {\n  backend "http" {}\n}\n'


def creates(address: str, bucket: str) -> dict[str, Any]:
    """A bucket that a plan would create, as `terraform show -json` has it."""
    return {
        "mode": "managed",
        "type": "aws_s3_bucket",
        "address": address,
        "change": {"actions": ["create"], "after": {"bucket": bucket}},
    }


def test_what_an_apply_left_is_imported_until_nothing_of_it_is_left(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second bucket shows once the first is in the state, such as a rule after its group."""
    stack = team.write(STACK)
    for name in ("first", "second"):
        team.make_bucket(name)
    plans = [[creates("aws_s3_bucket.b", "second")], [creates("aws_s3_bucket.c", "missing")]]
    team.terraform.plan_json["resource_changes"] = [creates("aws_s3_bucket.a", "first")]

    def imported() -> None:
        team.terraform.plan_json["resource_changes"] = plans.pop(0)

    calls = [f"import aws_s3_bucket.{n} in {STACK}" for n in ("a first", "b second")]
    for call in calls:
        team.terraform.will(call, Answer(meanwhile=imported))
    adopt(team.open(), stack)
    assert [call for call in team.terraform.calls if call.startswith("import")] == calls
    said = capsys.readouterr().err
    assert said.count(f"Import in AWS account 123456789012, into the state of {STACK}:") == 2
    assert said.endswith(f"imported 2; next: tools deploy {STACK}\n")
    adopt(team.open(), stack)
    assert capsys.readouterr().err.endswith(
        f"Nothing to adopt in {STACK}. To import a resource that has no name to look for: "
        f"terraform -chdir={stack.path} import ADDRESS ID\n"
    )


def test_ctrl_c_ends_an_adoption_after_the_import_at_hand(team: Team) -> None:
    stack = team.write(STACK)
    for name in ("first", "second"):
        team.make_bucket(name)
    changes = [creates("aws_s3_bucket.a", "first"), creates("aws_s3_bucket.b", "second")]
    team.terraform.plan_json["resource_changes"] = changes
    interrupted = Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    team.terraform.will(f"import aws_s3_bucket.a first in {STACK}", interrupted)
    with pytest.raises(click.exceptions.Exit) as end:
        adopt(team.open(), stack)
    assert end.value.exit_code == 130
    assert not any("aws_s3_bucket.b" in call for call in team.terraform.calls)


def test_ctrl_c_while_aws_is_asked_ends_an_adoption_before_it_imports(team: Team) -> None:
    stack = team.write(STACK)
    team.make_bucket("first")
    team.terraform.plan_json["resource_changes"] = [creates("aws_s3_bucket.a", "first")]
    interrupted = Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    team.terraform.will(f"plan {STACK}", interrupted)
    imported = Answer(meanwhile=team.terraform.plan_json.clear)
    team.terraform.will(f"import aws_s3_bucket.a first in {STACK}", imported)
    with pytest.raises(click.exceptions.Exit) as end:
        adopt(team.open(), stack)
    assert end.value.exit_code == 130
    assert not any(call.startswith("import") for call in team.terraform.calls)


def test_nothing_is_adopted_without_a_yes(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = team.write(STACK)
    team.make_bucket("data")
    team.terraform.plan_json["resource_changes"] = [creates(ADDRESS, "data")]
    team.terraform.will(f"import {ADDRESS} data in {STACK}", failure("nobody said yes"))
    asked = answer_no(monkeypatch)
    with pytest.raises(click.Abort):
        adopt(team.open(), stack)
    assert asked == ["Import this resource?"]
    assert not any(call.startswith("import") for call in team.terraform.calls)


def answer_no(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for somebody at a terminal who says no; the questions."""
    asked: list[str] = []

    def confirm(session: Session, question: str) -> None:
        asked.append(question)
        raise click.Abort

    monkeypatch.setattr(Session, "confirm", confirm)
    return asked


def import_with(team: Team, *resources: ResourceImport) -> None:
    import_all(team.run(), resources)


def test_an_interruption_ends_an_import_without_an_error_of_its_own(team: Team) -> None:
    """Terraform takes the same Ctrl-C, and fails."""
    team.write(STACK)
    other = team.write("notebooks/o")

    def interrupt() -> None:
        team.interruption.count = 1

    errors = failure("interrupted").errors
    call = f"import {ADDRESS} data in {STACK}"
    team.terraform.will(call, Answer(errors=errors, meanwhile=interrupt))
    import_with(team, BUCKET, ResourceImport.at(other.name, ADDRESS, "more"))
    assert team.terraform.calls[-1] == call


def test_an_interruption_while_a_left_state_is_written_starts_no_further_terraform(
    team: Team,
) -> None:
    """Which would be asked for the state, since the files do not say where it is."""
    stack = team.write(STACK, text=ELSEWHERE)
    write_state(stack.path)
    (stack.path / "terraform.tfstate").rename(stack.path / "errored.tfstate")

    def interrupt() -> None:
        team.interruption.count = 1

    team.terraform.will(f"state push {STACK}", Answer(meanwhile=interrupt))
    import_with(team, BUCKET)
    assert team.terraform.calls[-1] == f"state push {STACK}"


def test_an_interruption_ends_the_refresh_of_what_is_read(team: Team) -> None:
    """Of stacks that are not deployed, each needs the outputs of those that it reads."""
    team.write("shared-infra/b")
    team.write("shared-infra/a", "shared-infra/b")
    team.write(STACK, "shared-infra/a")

    def interrupt() -> None:
        team.interruption.count = 1

    team.terraform.will("refresh shared-infra/b", Answer(meanwhile=interrupt))
    import_with(team, BUCKET)
    assert [call for call in team.terraform.calls if not call.startswith("init")] == [
        "refresh shared-infra/b"
    ]


def test_an_error_of_an_import_that_nobody_interrupted_names_the_stack(team: Team) -> None:
    team.deployed(STACK)
    team.terraform.will(f"import {ADDRESS} data in {STACK}", failure("Cannot import"))
    with pytest.raises(UserError, match=r"^notebooks/n: Cannot import.*; what was imported before"):
        import_with(team, BUCKET)


def test_what_a_state_elsewhere_holds_is_not_imported_again(team: Team) -> None:
    """Of a place that the files do not tell, Terraform itself is asked."""
    stack = team.write(STACK, text=ELSEWHERE)
    request = ImportRequest((BUCKET,))
    assert pending_import.find_pending(team.open(), request).imports == (BUCKET,)
    held = {
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "this",
        "instances": [{"attributes": {"id": "data"}}],
    }
    state = {"version": 4, "lineage": "l", "serial": 1, "outputs": {}, "resources": [held]}
    (stack.path / "terraform.tfstate.plain").write_text(json.dumps(state))
    assert pending_import.find_pending(team.open(), request).imports == ()


def test_a_stack_that_was_applied_in_another_account_is_refused(team: Team) -> None:
    stack = team.deployed(STACK)
    session = team.open()
    session.records.account = "210987654321"
    session.records.record_apply(stack, Inputs({}, {}, {}, {}))
    session = team.open()
    session.records.account = "123456789012"
    with pytest.raises(UserError) as caught:
        pending_import.find_pending(session, ImportRequest((BUCKET,)))
    assert str(caught.value) == (
        "notebooks/n was applied in account 210987654321, but these credentials are for "
        "123456789012; use that account's credentials"
    )


def test_every_conflict_is_found_also_that_of_a_directory(team: Team) -> None:
    team.write("notebooks/nlp")
    (team.root / "notebooks/nlp/terraform.tfvars").write_text('name = "another"\n')
    request = ImportRequest((), {}, (Notebook("nlp", {}),))
    (conflict,) = pending_import.find_conflicts(team.open(), request)
    assert conflict.what == "notebooks/nlp"
    assert "notebooks/nlp exists already" in conflict.reason


@pytest.fixture
def with_templates(team: Team) -> Team:
    copy_repository(team.root, "templates")
    team.write(STACK, text='variable "owner" {\n  default = null\n}\n')
    return team


def values_alone(team: Team, *notebooks: Notebook) -> PendingImport:
    edits = plan_edits(team.open().target.repository, {STACK: {"owner": "o"}}, local=False)
    return PendingImport((), tuple(edits), notebooks, (), (STACK,))


def test_values_alone_are_asked_about_as_values(
    with_templates: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer_no(monkeypatch)
    with pytest.raises(click.Abort):
        execute.execute(with_templates.open(), values_alone(with_templates))
    assert asked == ["Write these values?"]
    assert not (with_templates.root / STACK / "terraform.tfvars").exists()


@pytest.mark.parametrize("before", [None, "# ours\n"])
def test_values_are_taken_back_if_a_directory_cannot_be_made(
    with_templates: Team, before: str | None
) -> None:
    values = with_templates.root / STACK / "terraform.tfvars"
    if before:
        values.write_text(before)
    left = values_alone(with_templates, Notebook("nlp", {}))
    with_templates.write("notebooks/nlp")  # somebody makes it while the question is open
    with pytest.raises(UserError, match="notebooks/nlp exists already"):
        execute.execute(with_templates.open(), left)
    assert (values.read_text() if values.exists() else None) == before


def test_values_that_are_written_are_planned(with_templates: Team) -> None:
    (plan,) = execute.execute(with_templates.open(), values_alone(with_templates))
    assert (plan.stack, plan.status) == (STACK, "unchanged")
    assert reading.read_tfvars(with_templates.root / STACK / "terraform.tfvars") == {"owner": "o"}


def test_the_errors_of_a_plan_are_said_by_stack_and_end_in_1(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(STACK, "failed", detail="2 errors", errors=("Error: one", "Error: two"))
    with pytest.raises(click.exceptions.Exit) as end:
        closing_plan.report([plan], team.open().target)
    assert end.value.exit_code == 1
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["[notebooks/n] Error: one", "[notebooks/n] Error: two"]
