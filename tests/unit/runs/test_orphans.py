"""What an orphan's state is worth."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trees import reading, write_stack
from tests.unit.engine.conftest import Bench, bench
from tests.unit.engine.fake_terraform import write_state, write_workspace
from tools.context import Context, Target
from tools.cost import prices
from tools.cost.prices import Price, Table
from tools.engine.records import Records, UnfinishedApply
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.runs import orphans
from tools.runs.session import Session
from tools.state.file import State
from tools.state.place import RECORD_SUFFIX, LocalPlace

__all__ = ["bench"]  # a fixture


def state(*resources: tuple[str, dict[str, Any]]) -> State:
    managed = [
        {"mode": "managed", "type": kind, "name": "x", "instances": [{"attributes": attributes}]}
        for kind, attributes in resources
    ]
    text = json.dumps({"lineage": "l", "serial": 1, "outputs": {}, "resources": managed})
    return State.parse(text.encode(), "x")


NOTEBOOK = (
    "aws_sagemaker_notebook_instance",
    {
        "arn": "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/n",
        "instance_type": "ml.t3.medium",
        "volume_size": 20,
    },
)


def table(**usd: str) -> Table:
    from datetime import date

    day = date(2026, 11, 22)
    return Table({"us-east-1": {n: Price(Decimal(v), "a test", day) for n, v in usd.items()}})


def test_a_month_of_a_notebook_and_its_volume() -> None:
    known = table(**{"ml.t3.medium": "0.05", "volume_gb_month": "0.14"})
    # 730 hours at $0.05 and 20 GB at $0.14.
    assert orphans._cost(state(NOTEBOOK), known) == ("us-east-1", Decimal("39.30"))


def test_an_endpoint_in_two_zones() -> None:
    endpoint = {
        "arn": "arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-1",
        "vpc_endpoint_type": "Interface",
        "subnet_ids": ["a", "b"],
    }
    usd = orphans._cost(state(("aws_vpc_endpoint", endpoint)), table(endpoint_hour="0.01"))[1]
    assert usd == Decimal("14.60")  # 2 zones, 730 hours, $0.01


def test_a_price_that_is_not_known_makes_the_whole_unknown() -> None:
    assert orphans._cost(state(NOTEBOOK), table(volume_gb_month="0.14"))[1] is None
    assert orphans._cost(state(("aws_iam_role", {"arn": "arn:aws:iam::1:role/x"})), table())[1] == 0


def test_the_packaged_prices_know_it(tmp_path: Path) -> None:
    known = prices.read(prices.PACKAGED)
    usd = orphans._cost(state(NOTEBOOK), known)[1]
    assert usd is not None
    place = LocalPlace(tmp_path / "terraform.tfstate")
    orphan = orphans.Orphan("notebooks/n", place, state(NOTEBOOK), "us-east-1", usd)
    assert f"${usd:.2f} a month" in orphan.why
    found = orphans.write_roots([orphan], tmp_path / "roots", {}, "eu-west-1")
    assert [stack.name for stack in found.stacks()] == ["notebooks/n"]
    text = (tmp_path / "roots/notebooks/n/main.tf").read_text()
    assert f'path = "{place.path}"' in text
    assert 'region = "us-east-1"' in text
    # What lies in no region, such as a role, is reached from that of the stacks.
    nowhere = replace(orphan, region="")
    orphans.write_roots([nowhere], tmp_path / "roots", {}, "eu-west-1")
    assert 'region = "eu-west-1"' in (tmp_path / "roots/notebooks/n/main.tf").read_text()


@pytest.fixture
def session(bench: Bench) -> Session:
    """notebooks/gone has a state and no directory's files; notebooks/n is a stack."""
    write_state(bench.root / "notebooks/gone")
    bench.write("notebooks/n")
    return session_of(bench)


def session_of(bench: Bench) -> Session:
    repository = Repository(bench.root)
    target = Target(repository, bench.terraform, "us-east-1", bench.root / "logs")
    return Session(Context(bench.root), target, Records(repository, bench.terraform))


def refused(session: Session, *names: str) -> str:
    with pytest.raises(UserError) as error:
        orphans.destroy_orphans(session, names)
    return str(error.value)


def test_orphans_are_named_and_shown_before_anything_is_asked(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(session) == "name the orphans to destroy: tools destroy --orphan notebooks/gone"
    said = capsys.readouterr().err
    assert "cost: about $0.00 a month" in said
    assert "1 resource: terraform_data.this" in said


@pytest.mark.parametrize(
    "file", ["main.tf.json", "main.tofu", "any.tofu.json", "override.tf", "x.tf"]
)
def test_a_directory_that_holds_a_root_under_any_spelling_has_no_orphan(
    bench: Bench, session: Session, file: str
) -> None:
    assert [orphan.name for orphan in orphans.find_orphans(session.records)] == ["notebooks/gone"]
    (bench.root / "notebooks/gone" / file).write_text("{}" if "json" in file else "")
    assert orphans.find_orphans(session_of(bench).records) == []


def test_what_lies_behind_a_link_or_begins_with_a_dot_is_no_orphan(bench: Bench) -> None:
    write_state(write_stack(bench.root, "elsewhere/x", ""))
    (bench.root / "notebooks/link").symlink_to("../elsewhere/x")
    write_state(write_stack(bench.root, "notebooks/.hidden", ""))
    write_state(write_stack(bench.root, "notebooks/team/alice", ""))
    assert orphans.find_orphans(session_of(bench).records) == []


@pytest.mark.parametrize(
    ("text", "deployed", "reason"),
    [
        (reading("notebooks/gone"), True, "notebooks/n may hold resources and uses, or may use"),
        (
            reading("notebooks/gone").replace('"local"', "var.x"),
            True,
            "its backend depends on variable x",
        ),
        ('terraform {\n  backend "http" {}\n}\n', False, "notebooks/gone may be its state"),
    ],
)
def test_an_orphan_that_a_stack_may_need_or_have_is_not_destroyed(
    bench: Bench, session: Session, text: str, deployed: bool, reason: str
) -> None:
    stack = bench.write("notebooks/n", text=text)
    if deployed:
        write_state(stack.path)
    assert reason in refused(session_of(bench), "gone")


def test_the_state_of_a_root_elsewhere_in_the_repository_is_no_orphan_s(
    bench: Bench, session: Session
) -> None:
    state = '"../../notebooks/gone/terraform.tfstate"'
    backend = f'terraform {{\n  backend "local" {{\n    path = {state}\n  }}\n}}\n'
    write_stack(bench.root, "live/n", backend)
    assert "notebooks/gone is no orphan: its state is that of live/n" in refused(
        session_of(bench), "gone"
    )


def test_what_an_apply_that_did_not_finish_reads_stays(bench: Bench, session: Session) -> None:
    stack = bench.write("notebooks/n", text=reading("notebooks/gone"))
    note = UnfinishedApply("2026-01-01T00:00:00Z", "").to_json()
    (stack.path / f"terraform.tfstate{RECORD_SUFFIX}").write_bytes(note)
    assert "notebooks/n may hold resources and uses" in refused(session_of(bench), "gone")


def test_what_the_state_of_another_workspace_reads_stays(bench: Bench, session: Session) -> None:
    stack = bench.write("notebooks/n", text=reading("notebooks/gone"))
    write_workspace(stack.path)
    assert "notebooks/n may hold resources and uses" in refused(session_of(bench), "gone")


def test_a_root_of_another_programs_files_may_read_any_orphan(
    bench: Bench, session: Session
) -> None:
    directory = write_stack(bench.root, "live/n", "")
    (directory / "main.tf").rename(directory / "main.tofu")
    write_state(directory)
    assert "live/n may hold resources and uses, or may use" in refused(session_of(bench), "gone")


def test_the_note_of_an_apply_whose_root_is_gone_is_listed(bench: Bench) -> None:
    directory = bench.root / "notebooks/killed"
    directory.mkdir()
    note = directory / f"terraform.tfstate{RECORD_SUFFIX}"
    note.write_bytes(UnfinishedApply("2026-01-01T00:00:00Z", "").to_json())
    _, [(name, _, reason)] = orphans.find_states(session_of(bench).records)
    assert name == "notebooks/killed"
    assert reason.startswith("the apply that began at 2026-01-01T00:00:00Z did not finish, and its")
    (directory / "main.tf").touch()
    assert orphans.find_states(session_of(bench).records) == ([], [])


@pytest.mark.parametrize("name", ["notebooks/team/alice", "notebooks/.hidden"])
def test_a_state_that_no_stack_can_have_is_listed_with_what_to_do(bench: Bench, name: str) -> None:
    (directory := bench.root / name).mkdir(parents=True)
    write_state(directory)
    staging = bench.write("notebooks/n").path / "terraform.tfstate.d/staging"
    staging.mkdir(parents=True)
    write_state(staging)  # of a workspace of a stack
    records = session_of(bench).records
    destroyable, [(found, _, reason)] = orphans.find_states(records)
    assert destroyable == []
    assert found == name
    last = name.rpartition("/")[2]
    assert reason == (
        "no root module has this state, whose resources still exist; stacks lie in notebooks: to "
        f"destroy it as an orphan, move the directory to notebooks/{last.lstrip('.')}"
    )


@pytest.mark.parametrize("file", ["custom.tfstate", "terraform.tfstate.d/st/terraform.tfstate"])
def test_the_state_of_a_workspace_or_of_another_name_is_listed_once_its_root_is_gone(
    bench: Bench, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = bench.write("notebooks/old").path
    state = directory / file
    state.parent.mkdir(parents=True, exist_ok=True)
    write_state(directory)
    (directory / "terraform.tfstate").rename(state)
    assert orphans.find_states(session_of(bench).records) == ([], [])
    (directory / "main.tf").unlink()
    destroyable, [(name, place, reason)] = orphans.find_states(session_of(bench).records)
    assert (destroyable, str(place)) == ([], str(state))
    assert "whose resources still exist" in reason
    orphans.destroy_orphans(session_of(bench), ())
    assert name in capsys.readouterr().err


def test_a_broken_state_that_lies_too_deep_keeps_no_orphan_from_being_destroyed(
    bench: Bench, session: Session
) -> None:
    (directory := bench.root / "notebooks/team/alice").mkdir(parents=True)
    (directory / "terraform.tfstate").write_text('{"version": 4, "serial"')
    records = session_of(bench).records
    assert [orphan.name for orphan in orphans.find_orphans(records)] == ["notebooks/gone"]
    with pytest.raises(UserError, match="not a complete Terraform state"):
        orphans.find_states(records)
    assert "name the orphans to destroy" in refused(session_of(bench))
