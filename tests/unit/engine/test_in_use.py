"""What keeps a stack from being destroyed: who reads it, and who may."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trees import reading, write_stack
from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import (
    FakeTerraform,
    failure,
    write_state,
    write_workspace,
)
from tools.aws import s3
from tools.engine.apply import run_stack
from tools.engine.in_use import refuse_in_use
from tools.engine.scheduler import run_stacks
from tools.errors import UserError

UNKNOWN = (
    'variable "team" {}\ndata "terraform_remote_state" "x" {\n  backend = "local"\n'
    '  config  = { path = "../../shared-infra/${var.team}/terraform.tfstate" }\n}\n'
)
ELSEWHERE = UNKNOWN.replace("${var.team}", "../../other")


@pytest.fixture
def shared(bench: Bench) -> Bench:
    """shared-infra/b is applied."""
    run_stacks(bench.run(), [bench.write("shared-infra/b")])
    return bench


def destroy_b(bench: Bench) -> None:
    """Asks whether shared-infra/b may be destroyed alone."""
    run = bench.run(destroy=True)
    records = run.records
    refuse_in_use(run, [bench.stack("shared-infra/b")], records.stacks, records.other_roots)


def test_a_reader_whose_reads_are_unknown_keeps_what_it_may_need(shared: Bench) -> None:
    shared.write("notebooks/n", text=UNKNOWN)
    destroy_b(shared)  # it is not deployed
    write_state(shared.stack("notebooks/n").path)
    with pytest.raises(UserError) as refused:
        destroy_b(shared)
    assert str(refused.value) == (
        "notebooks/n is deployed and may use shared-infra/b (terraform_remote_state.x: its path "
        "depends on variable team, which has no value here); destroy it first: tools destroy "
        "notebooks/n"
    )
    (shared.stack("notebooks/n").path / "terraform.tfvars").write_text('team = "c"\n')
    destroy_b(shared)  # it reads a state that is none of b's for certain


def test_a_reader_of_a_state_elsewhere_keeps_nothing(shared: Bench) -> None:
    write_state(shared.write("notebooks/n", text=ELSEWHERE).path)
    destroy_b(shared)


def test_a_module_that_reads_keeps_what_it_reads(shared: Bench) -> None:
    write_stack(shared.root, "modules/m", reading("shared-infra/b"))
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    write_state(shared.write("notebooks/n", text=call).path)
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        destroy_b(shared)


def nested(bench: Bench) -> Path:
    text = reading("shared-infra/b").replace("../../", "../../../")
    return write_stack(bench.root, "notebooks/team-a/alice", text)


def behind_a_link(bench: Bench) -> Path:
    target = write_stack(bench.root, "modules/../elsewhere/x", UNKNOWN)
    (bench.root / "notebooks/link").symlink_to(target)
    return target


def hidden(bench: Bench) -> Path:
    return write_stack(bench.root, "notebooks/.old", reading("shared-infra/b"))


def elsewhere(bench: Bench) -> Path:
    return write_stack(bench.root, "live/n", reading("shared-infra/b"))


def at_the_top(bench: Bench) -> Path:
    (bench.root / "main.tf").write_text(reading("shared-infra/b").replace("../../", ""))
    return bench.root


def behind_a_link_to_a_hidden_folder(bench: Bench) -> Path:
    """Below a link that is no root itself: nothing else leads there."""
    (bench.root / "envs").mkdir()
    (bench.root / "envs/live").symlink_to("../.hidden")
    directory = bench.root / ".hidden/prod"
    write_stack(bench.root, ".hidden/prod", reading("shared-infra/b"))
    return directory


def of_another_programs_files(bench: Bench) -> Path:
    directory = write_stack(bench.root, "live/tofu", "")
    (directory / "main.tf").rename(directory / "main.tofu")
    return directory


def beside_a_link_in_a_circle(bench: Bench) -> Path:
    (bench.root / "notebooks/circle").symlink_to("circle")
    return hidden(bench)


@pytest.mark.parametrize(
    "write",
    [
        nested,
        behind_a_link,
        hidden,
        elsewhere,
        at_the_top,
        behind_a_link_to_a_hidden_folder,
        of_another_programs_files,
        beside_a_link_in_a_circle,
    ],
)
def test_a_root_that_is_not_managed_keeps_what_it_reads(shared: Bench, write: object) -> None:
    directory = write(shared)  # type: ignore[operator]
    destroy_b(shared)  # it has no state
    write_state(directory)
    with pytest.raises(
        UserError, match=r"not managed here .* may hold resources and .*uses? shared"
    ):
        destroy_b(shared)


def test_a_root_that_does_not_say_where_its_state_is_may_hold_resources(shared: Bench) -> None:
    (nested(shared) / "more.tf").write_text('terraform {\n  backend "http" {}\n}\n')
    with pytest.raises(UserError, match="may hold resources and uses shared-infra/b"):
        destroy_b(shared)


@pytest.mark.parametrize("write", [elsewhere, nested])
@pytest.mark.parametrize("state", ["workspace", "prod.tfstate", "states/st/prod.tfstate"])
def test_a_state_that_is_not_the_selected_one_counts(
    shared: Bench, write: Callable[[Bench], Path], state: str
) -> None:
    """As `terraform workspace select default`, or `apply -state=prod.tfstate`, leave it."""
    write_other_state(write(shared), state)
    with pytest.raises(UserError, match="may hold resources and uses shared-infra/b"):
        destroy_b(shared)


@pytest.mark.parametrize("state", ["workspace", "prod.tfstate"])
def test_another_state_of_a_stack_is_neither_its_readers_nor_its_own_end(
    shared: Bench, state: str
) -> None:
    stack = shared.write("notebooks/n", "shared-infra/b")
    write_other_state(stack.path, state)
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        destroy_b(shared)
    gone = run_stack(shared.run(destroy=True), stack)
    assert gone.outcome == "failed"
    assert gone.detail.startswith("nothing is in its own state; ")
    assert ("staging" if state == "workspace" else state) in gone.detail


def test_a_copy_of_a_stack_s_own_state_holds_nothing_else(shared: Bench) -> None:
    stack = shared.write("notebooks/n", "shared-infra/b")
    run_stack(shared.run(), stack)
    shutil.copy(stack.path / "terraform.tfstate", stack.path / "before.tfstate")
    assert run_stack(shared.run(destroy=True), stack).outcome == "destroyed"
    destroy_b(shared)


def test_a_workspace_that_was_copied_holds_resources_of_its_own(shared: Bench) -> None:
    """`terraform state push` keeps the lineage, and what comes after it is another resource."""
    stack = shared.write("notebooks/n", "shared-infra/b")
    run_stack(shared.run(), stack)
    workspace = stack.path / "terraform.tfstate.d/staging"
    workspace.mkdir(parents=True)
    shutil.copy(stack.path / "terraform.tfstate", workspace)
    gone = run_stack(shared.run(destroy=True), stack)
    assert (gone.outcome, "staging/terraform.tfstate may hold more" in gone.detail) == (
        "destroyed",
        True,
    )
    with pytest.raises(UserError, match=r"destroy it first: .*staging/terraform.tfstate may hold"):
        destroy_b(shared)


def test_a_state_below_another_root_is_that_one_s(shared: Bench) -> None:
    stack = shared.write("notebooks/team", "shared-infra/b")
    write_state(nested(shared))
    assert run_stack(shared.run(destroy=True), stack).detail == "nothing to destroy"


def write_other_state(directory: Path, state: str) -> None:
    if state == "workspace":
        write_workspace(directory)
    else:
        write_state(directory)
        (directory / state).parent.mkdir(parents=True, exist_ok=True)
        (directory / "terraform.tfstate").rename(directory / state)


def test_states_of_workspaces_in_a_bucket_count(
    shared: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys are as the backend "s3" has them: env:/WORKSPACE/KEY."""
    backend = 'bucket = "b"\n    key = "n.tfstate"\n    region = "us-east-1"'
    text = f'terraform {{\n  backend "s3" {{\n    {backend}\n  }}\n}}\n'
    shared.write("notebooks/n", "shared-infra/b", text=text)
    write_state(shared.root / "of-staging")
    content = (shared.root / "of-staging/terraform.tfstate").read_bytes()
    bucket = {"env:/staging/other.tfstate": content}
    monkeypatch.setattr(s3.Objects, "get", lambda _, name, key: bucket.get(key))
    monkeypatch.setattr(
        s3.Objects, "keys", lambda _, name, prefix: [k for k in bucket if k.startswith(prefix)]
    )
    destroy_b(shared)
    bucket["env:/staging/n.tfstate"] = content
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        destroy_b(shared)


def test_terraform_names_the_workspaces_of_a_place_that_is_not_known(shared: Bench) -> None:
    text = 'terraform {\n  backend "s3" {\n    profile = "team"\n  }\n}\n'
    stack = shared.write("notebooks/n", "shared-infra/b", text=text)
    destroy_b(shared)
    assert run_stack(shared.run(destroy=True), stack).outcome == "unchanged"
    shared.terraform.workspaces.append("staging")
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        destroy_b(shared)
    gone = run_stack(shared.run(destroy=True), stack)
    assert gone.outcome == "failed"
    assert "workspace staging may hold more of it" in gone.detail


def test_what_is_destroyed_is_not_called_failed_if_its_other_states_are_not_known(
    shared: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(terraform: FakeTerraform, directory: Path) -> list[str]:
        raise UserError("AccessDenied")

    text = 'terraform {\n  backend "s3" {\n    profile = "team"\n  }\n}\n'
    stack = shared.write("notebooks/n", "shared-infra/b", text=text)
    run_stack(shared.run(), stack)
    monkeypatch.setattr(FakeTerraform, "other_workspaces", refuse)
    gone = run_stack(shared.run(destroy=True), stack)
    said = "what its other states hold is not known: AccessDenied"
    assert (gone.outcome, gone.detail) == ("destroyed", said)


def test_a_stack_without_a_known_place_stands_for_no_other_root(shared: Bench) -> None:
    shared.write("notebooks/q", text='terraform {\n  backend "gcs" {}\n}\n')
    (elsewhere(shared) / "more.tf").write_text('terraform {\n  backend "http" {}\n}\n')
    with pytest.raises(UserError, match="may hold resources and uses shared-infra/b"):
        destroy_b(shared)


def test_a_link_to_a_stack_is_that_stack(shared: Bench) -> None:
    stack = shared.write("notebooks/n", "shared-infra/b")
    write_state(stack.path)
    (shared.root / "notebooks/link").symlink_to(stack.path)
    run = shared.run(destroy=True)
    refuse_in_use(run, run.records.stacks, run.records.stacks, run.records.other_roots)


def calls(bench: Bench, verb: str) -> list[str]:
    called = [call.split() for call in bench.terraform.calls]
    return [words[1] for words in called if words[0] == verb]


def test_an_unknown_reader_is_applied_last_and_destroyed_first(bench: Bench) -> None:
    bench.write("shared-infra/a", text=UNKNOWN)
    bench.write("notebooks/reads-a", "shared-infra/a")
    bench.write("shared-infra/b")
    bench.write("notebooks/n", "shared-infra/b")
    run_stacks(bench.run(), bench.stacks())
    last = ["shared-infra/a", "notebooks/reads-a"]
    assert calls(bench, "apply")[-2:] == last
    assert [stack.name for stack in bench.stacks()][-2:] == last
    bench.terraform.calls.clear()
    run_stacks(bench.run(destroy=True), bench.stacks())
    assert calls(bench, "destroy")[:2] == last[::-1]


def test_what_an_unknown_reader_may_need_stays_if_it_could_not_be_destroyed(shared: Bench) -> None:
    shared.write("notebooks/n", text=UNKNOWN)
    run_stacks(shared.run(), shared.stacks())
    shared.terraform.will("destroy notebooks/n", failure("no"))
    results = run_stacks(shared.run(destroy=True), shared.stacks())
    assert {result.stack: result.outcome for result in results} == {
        "notebooks/n": "failed",
        "shared-infra/b": "not run",
    }


def test_a_failure_elsewhere_does_not_stop_an_unknown_reader(shared: Bench) -> None:
    shared.write("notebooks/n", text=UNKNOWN)
    shared.write("notebooks/m")
    shared.terraform.will("apply notebooks/m", failure("no"))
    results = run_stacks(shared.run(), shared.stacks())
    assert {result.stack: result.outcome for result in results} == {
        "shared-infra/b": "unchanged",
        "notebooks/m": "failed",
        "notebooks/n": "applied",
    }


AS_A_FILE = {
    "a literal": 'file("${path.module}/../../shared-infra/b/terraform.tfstate")',
    "a local": "filesha256(local.state)",
    "a template": 'templatefile("../../shared-infra/b/terraform.tfstate", {})',
}


@pytest.mark.parametrize("expression", AS_A_FILE.values(), ids=AS_A_FILE)
def test_a_state_that_is_read_as_a_file_is_upstream(shared: Bench, expression: str) -> None:
    state = 'locals {\n  state = "../../shared-infra/b/terraform.tfstate"\n}\n'
    text = f'{state}output "x" {{\n  value = {expression}\n}}\n'
    stack = shared.write("notebooks/n", text=text)
    assert (stack.upstream, stack.unknown_reads) == (("shared-infra/b",), ())
    write_state(stack.path)
    with pytest.raises(UserError, match="notebooks/n is deployed and uses shared-infra/b"):
        destroy_b(shared)


def test_a_state_that_is_read_as_a_file_in_a_module_is_upstream(shared: Bench) -> None:
    module = 'variable "state" {}\nresource "terraform_data" "x" {\n  input = file(var.state)\n}\n'
    write_stack(shared.root, "modules/m", module)
    call = 'module "m" {\n  source = "../../modules/m"\n  state = "%s"\n}\n'
    path = "${path.module}/../../shared-infra/b/terraform.tfstate"
    assert shared.write("notebooks/n", text=call % path).upstream == ("shared-infra/b",)


def test_a_state_of_an_unknown_name_that_is_read_as_a_file_is_unknown(shared: Bench) -> None:
    path = '"../../shared-infra/${var.team}/terraform.tfstate"'
    text = f'variable "team" {{}}\noutput "x" {{\n  value = file({path})\n}}\n'
    write_state(shared.write("notebooks/n", text=text).path)
    with pytest.raises(UserError, match="notebooks/n is deployed and may use shared-infra/b"):
        destroy_b(shared)


def test_another_file_is_no_state(shared: Bench) -> None:
    own = 'try(file("${path.root}/terraform.tfstate"), "")'
    other = 'file("../../other/terraform.tfstate")'
    for expression in (own, other, 'file("${path.module}/${var.name}")', "file(data.x.y.path)"):
        text = f'variable "name" {{}}\noutput "x" {{\n  value = {expression}\n}}\n'
        stack = shared.write("notebooks/n", text=text)
        assert (stack.upstream, stack.unknown_reads) == ((), ())
        assert not stack.named_upstream


def test_a_local_backend_that_lacks_its_path_may_have_the_state_elsewhere(shared: Bench) -> None:
    """In a fresh checkout, where Terraform would find an empty place: the default one."""
    stack = shared.write(
        "notebooks/n", "shared-infra/b", text='terraform {\n  backend "local" {}\n}\n'
    )
    why = 'its backend "local" has no path, and no terraform init here was given one'
    with pytest.raises(UserError, match=f"cannot tell whether notebooks/n is deployed: {why}"):
        destroy_b(shared)
    [result] = run_stacks(shared.run(destroy=True), [stack])
    assert (result.outcome, result.detail[: len(why)]) == ("failed", why)
    [result] = run_stacks(shared.run(), [stack])
    assert result.outcome == "applied"  # a state may also be new
    [result] = run_stacks(shared.run(destroy=True), [stack])
    assert result.outcome == "destroyed"
