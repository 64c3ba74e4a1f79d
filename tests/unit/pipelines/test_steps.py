"""What the jobs of a pipeline do, on a Terraform that does as it is told and a bucket in memory.

tests/pipelines runs the same steps with the real ones. Here are the ways in which a plan must not
be applied: each test lets somebody meddle between two jobs, and looks at what Terraform was asked.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.conftest import bench as bench
from tests.unit.engine.conftest import chain as chain
from tests.unit.engine.fake_terraform import Answer, failure, planned, write_state
from tools.context import Context, Target
from tools.engine import plans
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.waves import Portion
from tools.pipelines import steps
from tools.pipelines.steps import Pipeline, Prepared
from tools.pipelines.store import PlanStore
from tools.runs.options import Options
from tools.runs.session import Account, Session

WHOLE = Portion(1, 1)
BUCKET = "aws_s3_bucket.this"


@dataclass
class Memory:
    """The methods of tools.aws.s3.Objects that a store uses."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self.objects[key] = content

    def get(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(key)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return [key for key in self.objects if key.startswith(prefix)]

    def delete(self, bucket: str, key: str) -> None:
        del self.objects[key]


@dataclass
class Jobs:
    """The jobs of a pipeline over a bench: each opens the repository anew, as in a clone."""

    bench: Bench
    memory: Memory = field(default_factory=Memory)
    tree: str = "tree"

    def open(self, **options: Any) -> Pipeline:
        root = self.bench.root
        repository = Repository(root)
        terraform = self.bench.terraform
        target = Target(repository, terraform, "eu-west-1", root / "logs" / "run")
        session = Session(
            Context(root, {}),
            target,
            Records(repository, terraform, account="123456789012"),
            Options(jobs=1, **options),
            Account("123456789012", "AWS account 123456789012, region eu-west-1"),
        )
        store = PlanStore(self.memory, "states", f"pipeline/ml-infra/{self.tree}")  # type: ignore[arg-type]
        return Pipeline(session, store)

    def plan(self, wave: int) -> None:
        self.open(locks=False).plan(Portion(wave, 3), WHOLE)

    def prepare(self, wave: int, run: str = "1") -> Prepared:
        self.bench.terraform.calls.clear()
        return self.open(locks=False).prepare(Portion(wave, 6), run, 25)

    def deploy(self, wave: int, prepared: Prepared, run: str = "1", **options: Any) -> None:
        self.bench.terraform.calls.clear()
        for shard in prepared.shards:
            part = Portion.parse(shard)
            self.open(**options).deploy(Portion(wave, 6), part, run, prepared.digest)

    def fail_first_wave(self, run: str = "1") -> Prepared:
        """Deploys the first wave, in which the apply of shared-infra/b fails."""
        prepared = self.prepare(1, run)
        self.bench.terraform.will("apply shared-infra.b.tfplan of shared-infra/b", failure("no"))
        with pytest.raises(click.exceptions.Exit):
            self.deploy(1, prepared, run)
        return prepared

    def asked(self, verb: str) -> list[str]:
        return [call for call in self.bench.terraform.calls if call.startswith(verb)]

    def results(self, run: str = "1") -> dict[str, str]:
        return {result.stack: result.outcome for result in self.open().results(run)}


@pytest.fixture
def jobs(chain: Bench) -> Jobs:
    """shared-infra/b and notebooks/m in wave 1, a in wave 2, n in wave 3; nothing is deployed."""
    jobs = Jobs(chain)
    create_both(jobs)
    return jobs


def create(bench: Bench, stack: str, action: str = "create", kind: str = BUCKET) -> None:
    """The next plan of a stack has this change."""
    bench.terraform.will(f"plan {stack}", Answer(events=(planned(kind, action),)))


def create_both(jobs: Jobs) -> None:
    for stack in ("shared-infra/b", "notebooks/m"):
        create(jobs.bench, stack)


def outcomes(prepared: Prepared) -> dict[str, str]:
    return {result.stack: result.outcome for result in prepared.results}


def test_the_plans_of_a_pull_request_are_taken_over_and_applied_in_waves(jobs: Jobs) -> None:
    assert jobs.open().start(25)[-1]["wave"] == "3/3"
    jobs.plan(1)
    first = jobs.prepare(1)
    assert jobs.asked("plan") == []
    assert outcomes(first) == {"shared-infra/b": "changed", "notebooks/m": "changed"}
    create_both(jobs)
    jobs.deploy(1, first)
    assert sorted(jobs.asked("plan")) == ["plan notebooks/m", "plan shared-infra/b"]
    assert sorted(jobs.asked("apply")) == [
        "apply notebooks.m.tfplan of notebooks/m",
        "apply shared-infra.b.tfplan of shared-infra/b",
    ]
    create(jobs.bench, "shared-infra/a")
    second = jobs.prepare(2)
    assert jobs.asked("plan") == ["plan shared-infra/a"]
    jobs.deploy(2, second)
    assert jobs.asked("plan") == []  # the job before has planned it, of the merged files
    third = jobs.prepare(3)
    jobs.deploy(3, third)
    assert jobs.prepare(4).shards == []
    assert set(jobs.results().values()) <= {"applied", "unchanged"}
    assert len(jobs.results()) == 4


def test_plans_of_other_files_are_not_taken_over(jobs: Jobs) -> None:
    jobs.plan(1)
    jobs.tree = "another"
    jobs.prepare(1)
    assert jobs.asked("plan") == ["plan shared-infra/b", "plan notebooks/m"]


@pytest.mark.parametrize("what", ["state", "file"])
def test_a_plan_that_has_gone_stale_is_made_again(jobs: Jobs, what: str) -> None:
    jobs.plan(1)
    if what == "state":
        write_state(jobs.bench.root / "notebooks/m")
    else:
        with (jobs.bench.root / "notebooks/m/main.tf").open("a") as file:
            file.write("# another\n")
    jobs.prepare(1)
    assert jobs.asked("plan") == ["plan notebooks/m"]


def test_a_plan_that_goes_stale_after_its_approval_is_refused(jobs: Jobs) -> None:
    prepared = jobs.prepare(1)
    with (jobs.bench.root / "notebooks/m/main.tf").open("a") as file:
        file.write("# another\n")
    with pytest.raises(click.exceptions.Exit):
        jobs.deploy(1, prepared)
    assert jobs.asked("apply") == ["apply shared-infra.b.tfplan of shared-infra/b"]
    assert jobs.results() == {"shared-infra/b": "applied", "notebooks/m": "failed"}


@pytest.mark.parametrize(
    ("key", "was", "complaint"),
    [
        ("plans/notebooks.m.tfplan", b"a plan", "the plan of notebooks/m is not the one that was"),
        ("plans/notebooks.m.json", b'"create"', "the plan of notebooks/m is not the one that was"),
        ("manifests/1/1.json", b"notebooks/m", "the list of plans 1/1 in s3://states is not the"),
    ],
)
def test_what_was_replaced_after_the_approval_is_refused(
    jobs: Jobs, key: str, was: bytes, complaint: str
) -> None:
    prepared = jobs.prepare(1)
    name = f"pipeline/ml-infra/tree/{key}"
    before = jobs.memory.objects[name]
    jobs.memory.objects[name] = before.replace(was, b'"another"')
    assert jobs.memory.objects[name] != before
    with pytest.raises(UserError, match=complaint):
        jobs.deploy(1, prepared)
    assert jobs.asked("apply") == []


def test_what_a_plan_changes_is_read_from_the_plan_itself(jobs: Jobs) -> None:
    """Its description, which the jobs of a pull request write, says that it creates."""
    jobs.plan(1)
    change = {"actions": ["delete"]}
    resource = {"address": BUCKET, "type": "aws_s3_bucket", "change": change}
    jobs.bench.terraform.plan_json["resource_changes"] = [resource]
    prepared = jobs.prepare(1)
    losses = {result.stack: result.losses for result in prepared.results}
    assert losses["notebooks/m"] == (f"destroy {BUCKET}",)
    with pytest.raises(click.exceptions.Exit):
        jobs.deploy(1, prepared)
    assert jobs.asked("apply") == []


def test_a_plan_of_a_pull_request_that_is_not_what_the_files_lead_to_is_refused(jobs: Jobs) -> None:
    """Whoever can push a branch can write one: here with as many changes, and another in them."""
    jobs.plan(1)
    key = "pipeline/ml-infra/tree/plans/notebooks.m.tfplan"
    forged = jobs.memory.objects[key].replace(b"aws_s3_bucket.this", b"aws_s3_bucket.that")
    assert forged != jobs.memory.objects[key]
    jobs.memory.objects[key] = forged
    prepared = jobs.prepare(1)
    assert outcomes(prepared)["notebooks/m"] == "changed"
    create_both(jobs)
    with pytest.raises(click.exceptions.Exit):
        jobs.deploy(1, prepared)
    assert jobs.asked("apply") == ["apply shared-infra.b.tfplan of shared-infra/b"]
    [failed] = [r for r in jobs.open().results("1") if r.stack == "notebooks/m"]
    assert (failed.outcome, "somebody has replaced it" in failed.detail) == ("failed", True)
    assert "aws_s3_bucket.that" in failed.detail
    create(jobs.bench, "notebooks/m")
    again = jobs.prepare(1, "2")
    assert jobs.asked("plan") == ["plan notebooks/m"]  # and no more takes the other over
    jobs.deploy(1, again, "2")
    assert jobs.asked("apply") == ["apply notebooks.m.tfplan of notebooks/m"]


def test_what_is_applied_is_the_plan_of_the_merged_files(jobs: Jobs) -> None:
    """A plan holds the files that it was made of, with their provisioners: they show as nothing."""
    jobs.plan(1)
    key = "pipeline/ml-infra/tree/plans/notebooks.m.tfplan"
    jobs.memory.objects[key] += b" "  # as any other program reads it, and not the same bytes
    prepared = jobs.prepare(1)
    applied: list[bytes] = []
    terraform = jobs.bench.terraform
    call = "apply notebooks.m.tfplan of notebooks/m"
    folders = list[Path]()
    terraform.will(call, Answer(meanwhile=lambda: applied.extend(p.read_bytes() for p in folders)))
    assert applied == []
    create_both(jobs)
    with pytest.MonkeyPatch.context() as patch:
        real = plans.load

        def load(folder: Path, *rest: Any) -> list[Plan]:
            folders.append(folder / "notebooks.m.tfplan")
            return real(folder, *rest)

        patch.setattr(plans, "load", load)
        jobs.deploy(1, prepared)
    assert [content.endswith(b" ") for content in applied] == [False]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"plans": []}', b'{"where": "", "plans": [{"stack": "notebooks/m"}]}']
)
def test_a_description_that_is_none_is_passed_over(jobs: Jobs, text: bytes) -> None:
    jobs.plan(1)
    jobs.memory.objects["pipeline/ml-infra/tree/plans/notebooks.m.json"] = text
    jobs.prepare(1)
    assert jobs.asked("plan") == ["plan notebooks/m"]


def test_a_description_cannot_hide_what_a_plan_changes(jobs: Jobs) -> None:
    jobs.plan(1)
    key = "pipeline/ml-infra/tree/plans/notebooks.m.json"
    entry = json.loads(jobs.memory.objects[key])
    entry["plans"][0] |= {"status": "unchanged", "changes": [], "detail": "nothing to see"}
    jobs.memory.objects[key] = json.dumps(entry).encode()
    [shown] = [r for r in jobs.prepare(1).results if r.stack == "notebooks/m"]
    assert (shown.outcome, shown.changes["add"], shown.detail) == ("changed", 1, "")


def test_a_plan_that_loses_data_is_applied_only_if_that_is_allowed(jobs: Jobs) -> None:
    jobs.bench.terraform.answers.clear()
    create(jobs.bench, "notebooks/m", "delete")
    prepared = jobs.prepare(1)
    with pytest.raises(click.exceptions.Exit):
        jobs.deploy(1, prepared)
    assert jobs.asked("apply") == ["apply shared-infra.b.tfplan of shared-infra/b"]
    again = jobs.prepare(1, "2")
    create(jobs.bench, "notebooks/m", "delete")
    jobs.deploy(1, again, "2", allow_destroy=True)
    assert jobs.asked("apply") == ["apply notebooks.m.tfplan of notebooks/m"]


def test_a_job_that_is_run_again_applies_what_is_left(jobs: Jobs) -> None:
    """ "Re-run failed jobs" of GitHub: the approval is that of the first attempt."""
    prepared = jobs.fail_first_wave()
    jobs.deploy(1, prepared)
    assert jobs.asked("apply") == ["apply shared-infra.b.tfplan of shared-infra/b"]
    assert jobs.results() == {"shared-infra/b": "applied", "notebooks/m": "unchanged"}
    jobs.deploy(1, prepared)
    assert jobs.asked("apply") == []


def test_what_reads_a_failed_stack_is_not_run(jobs: Jobs) -> None:
    jobs.fail_first_wave()
    for wave in (2, 3):
        assert jobs.prepare(wave).shards == []
        assert jobs.asked("plan") == []
    assert jobs.results() == {
        "shared-infra/b": "failed",
        "notebooks/m": "applied",
        "shared-infra/a": "not run",
        "notebooks/n": "not run",
    }


def test_what_reads_a_failed_stack_is_not_run_though_it_could_be_planned(jobs: Jobs) -> None:
    for wave in (1, 2, 3):
        jobs.deploy(wave, jobs.prepare(wave))
    for stack in ("shared-infra/b", "shared-infra/a"):
        with (jobs.bench.root / stack / "main.tf").open("a") as file:
            file.write("# another\n")
    jobs.fail_first_wave("2")
    assert outcomes(jobs.prepare(2, "2")) == {"shared-infra/a": "not run"}
    assert jobs.asked("plan") == []


def test_what_was_not_approved_counts_as_not_run(jobs: Jobs) -> None:
    jobs.prepare(1)
    assert outcomes(jobs.prepare(2)) == {"shared-infra/a": "not run"}
    assert jobs.results()["shared-infra/b"] == "not run"


def test_a_wave_is_not_prepared_before_the_earlier_ones(jobs: Jobs) -> None:
    with pytest.raises(UserError, match="wave 1 of this run was never prepared"):
        jobs.prepare(2)


def test_a_job_that_never_ends_shows_as_failed(jobs: Jobs) -> None:
    jobs.open().start(25)
    assert {result.outcome for result in jobs.open().planned()} == {"failed"}
    jobs.plan(1)
    assert {result.stack: result.outcome for result in jobs.open().planned()} == {
        "shared-infra/b": "changed",
        "notebooks/m": "changed",
        "shared-infra/a": "failed",
        "notebooks/n": "failed",
    }


def test_a_matrix_has_no_more_jobs_than_github_takes(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(jobs.open().start(1)) == 4
    monkeypatch.setattr(steps, "MOST_JOBS", 3)
    assert len(jobs.open().start(1)) == 3
    monkeypatch.setattr(steps, "MOST_JOBS", 1)  # three waves cannot be one job
    assert len(jobs.open().start(1)) == 3
    assert jobs.open(locks=False).prepare(Portion(1, 6), "1", 1).shards == ["1/1"]


def test_a_repository_without_a_bucket_has_no_pipeline(tmp_path: Path, chain: Bench) -> None:
    with pytest.raises(UserError, match="needs the states in a bucket: tools state bootstrap"):
        PlanStore.open(Repository(chain.root), None, "tree")
