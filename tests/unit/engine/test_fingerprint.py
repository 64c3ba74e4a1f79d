"""What an apply depends on: which files, and which outputs of other stacks."""

import json
from pathlib import Path

import pytest

from tests.trees import reading, write_stack
from tools.engine.fingerprint import Inputs, InputsReader, differences
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state.file import State
from tools.terraform.binary import Terraform

TERRAFORM = Terraform(Path("terraform"), "Terraform", (1, 11, 4), "linux_amd64", False, {})
UPSTREAM = State("l", 1, {"read": 1, "other": 2})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("shared-infra", "modules", "notebooks"):
        (tmp_path / folder).mkdir()
    write_stack(tmp_path, "shared-infra/b", "")
    return tmp_path


def read(root: Path, upstream: State = UPSTREAM) -> Inputs:
    reader = InputsReader(Repository(root), TERRAFORM)
    return reader.read(Stack(root, "notebooks/n"), {"shared-infra/b": upstream})


@pytest.mark.parametrize(
    ("expression", "outputs"),
    [
        ("data.terraform_remote_state.b.outputs.read", ["read"]),
        ('data.terraform_remote_state.b.outputs["read"]', ["read"]),
        ("data.terraform_remote_state.b.outputs", ["other", "read"]),
        ("data.terraform_remote_state.b.outputs[var.name]", ["other", "read"]),
        ('data.terraform_remote_state.b["k"].outputs.read', ["read"]),
        ("data.terraform_remote_state.b[0].outputs.read", ["read"]),
        ("{ up = data.terraform_remote_state.b }", ["other", "read"]),
        # It may be read in a way that the text does not show.
        ("1", ["other", "read"]),
    ],
)
def test_the_outputs_that_are_read(root: Path, expression: str, outputs: list[str]) -> None:
    text = f'output "x" {{\n  value = {expression}\n}}\n'
    write_stack(root, "notebooks/n", text + reading("shared-infra/b"))
    names = [f"shared-infra/b {name}" for name in outputs]
    assert sorted(read(root).upstream) == names


HANDS_ON = (
    'data "terraform_remote_state" "of" {\n  for_each = toset(["b"])\n  backend = "local"\n'
    '  config = { path = "${path.module}/../../shared-infra/${each.key}/terraform.tfstate" }\n}\n'
    'output "up" {\n'
    "  value = { for k, s in data.terraform_remote_state.of : upper(k) => s.outputs }\n}\n"
)


@pytest.mark.parametrize(
    ("expression", "outputs"),
    [
        ("module.m.up.B.read", ["read"]),
        ('module.m["up"].B.read[0]', ["read"]),
        ("[module.m.up.B.read, module.m.up.B]", ["other", "read"]),
        ("module.m.up[var.name].read", ["other", "read"]),
        ("{ up = module.m }", ["other", "read"]),
        ("1", ["other", "read"]),
    ],
)
def test_the_outputs_that_a_module_hands_on(
    root: Path, expression: str, outputs: list[str]
) -> None:
    write_stack(root, "modules/m", HANDS_ON)
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    write_stack(root, "notebooks/n", f'{call}output "x" {{\n  value = {expression}\n}}\n')
    assert sorted(read(root).upstream) == [f"shared-infra/b {name}" for name in outputs]


@pytest.mark.parametrize(
    "more",
    [
        'output "more" {\n  value = data.terraform_remote_state.of["b"].outputs.other\n}\n',
        HANDS_ON[HANDS_ON.index("output") :].replace('"up"', '"also"'),
    ],
)
def test_a_module_that_uses_the_outputs_itself_reads_all_of_them(root: Path, more: str) -> None:
    write_stack(root, "modules/m", HANDS_ON + more)
    call = 'module "m" {\n  source = "../../modules/m"\n}\n'
    write_stack(root, "notebooks/n", f'{call}output "x" {{\n  value = module.m.up.B.read\n}}\n')
    assert sorted(read(root).upstream) == ["shared-infra/b other", "shared-infra/b read"]


def test_modules_of_modules_and_links_count_and_what_terraform_writes_does_not(root: Path) -> None:
    write_stack(root, "modules/inner", "# inner")
    write_stack(root, "modules/outer", 'module "i" {\n  source = "../inner"\n}\n')
    stack = write_stack(root, "notebooks/n", 'module "o" {\n  source = "../../modules/outer"\n}\n')
    (root / "common.auto.tfvars").write_text('a = "b"\n')
    (stack / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
    for name in ("terraform.tfstate", "terraform.tfstate.backup", "x.tfplan", "crash.log"):
        (stack / name).touch()
    (stack / ".terraform").mkdir()
    (stack / ".terraform/modules.json").touch()
    before = read(root)
    assert list(before.files) == [
        "modules/inner/main.tf",
        "modules/outer/main.tf",
        "notebooks/n/common.auto.tfvars",
        "notebooks/n/main.tf",
    ]
    (root / "common.auto.tfvars").write_text('a = "c"\n')
    (root / "modules/inner/main.tf").unlink()
    assert differences(before, read(root)) == [
        "notebooks/n/common.auto.tfvars changed",
        "modules/inner/main.tf is gone",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "../../some scripts/größe.sh",
        "./.hidden.sh",
        "{root}/absolute.sh",
        "../../modules/.m/main.tf",
    ],
)
def test_whatever_path_is_spelled_out(root: Path, path: str) -> None:
    path = path.format(root=root)
    write_stack(root, "notebooks/n", f'locals {{\n  a = file("{path}")\n}}\n')
    named = root / "notebooks/n" / path
    named.parent.mkdir(parents=True, exist_ok=True)
    named.write_text("1")
    before = read(root)
    named.write_text("2")
    assert len(differences(before, read(root))) == 1


def test_another_program_and_another_version_are_changes() -> None:
    def inputs(**versions: str) -> Inputs:
        return Inputs({}, {}, {}, versions)

    one = inputs(Terraform="1.11.4")
    assert differences(one, inputs(Terraform="1.11.4")) == []
    assert differences(one, inputs(Terraform="1.12.0")) == ["Terraform is 1.12.0, and was 1.11.4"]
    assert differences(one, inputs(OpenTofu="1.9.0")) == [
        "OpenTofu has taken the place of Terraform"
    ]


def test_a_path_that_leads_above_the_stack_takes_in_no_other_stack(root: Path) -> None:
    write_stack(root, "notebooks/n", 'locals {\n  up = "${path.module}/../.."\n  also = ".."\n}\n')
    assert list(read(root).files) == ["notebooks/n/main.tf"]


def test_a_path_by_an_output_is_unknown_if_the_output_may_lead_out_of_its_folder(
    root: Path,
) -> None:
    text = 'output "x" {\n  value = file("s/${data.terraform_remote_state.b.outputs.read}")\n}\n'
    write_stack(root, "notebooks/n", text + reading("shared-infra/b"))
    assert read(root, State("l", 1, {"read": "a", "other": "../a"})).unknown == ()
    [unknown] = read(root, State("l", 1, {"read": "../a"})).unknown
    assert unknown == (
        'file() in main.tf reads a path that depends on an output of shared-infra/b with a ".."'
    )


def test_an_output_counts_by_its_type_too(root: Path) -> None:
    """As `terraform apply` 1.11.4 writes [1] and tolist([1]) to a state."""
    text = 'output "x" {\n  value = data.terraform_remote_state.b.outputs.read\n}\n'
    write_stack(root, "notebooks/n", text + reading("shared-infra/b"))

    def upstream(type_: object) -> Inputs:
        output = {"value": [1], "type": type_}
        state = {"version": 4, "lineage": "l", "serial": 1, "outputs": {"read": output}}
        return read(root, State.parse(json.dumps({**state, "resources": []}).encode(), "x"))

    of_tuple, of_list = upstream(["tuple", ["number"]]), upstream(["list", "number"])
    assert differences(of_tuple, of_list) == ["output of shared-infra/b read changed"]
    # A literal's type is what its value tells, as records have it that know no types.
    assert of_tuple == read(root, State("l", 1, {"read": [1]}))
