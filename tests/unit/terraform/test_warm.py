"""Where a provider that keeps running would make a difference, a Terraform gets its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.trees import REPOSITORY, tracked
from tools.errors import UserError
from tools.terraform import warm
from tools.terraform.keeper import VARIABLE, Keeper
from tools.terraform.warm import WarmProviders, find_installed, reason_for_own

ROOTS = {
    Path(file).parent
    for file in tracked("bootstrap", "shared-infra", "notebooks")
    if file.endswith(".tf")
}
PROVIDER = 'provider "aws" {\n  region = "eu-north-1"\n}\n'
PLAIN = {"main.tf": PROVIDER}
ADDRESS = "registry.terraform.io/hashicorp/aws"


def write(root: Path, files: dict[str, str], modules: dict[str, str] | None = None) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, errors="surrogateescape")
    if modules is not None:
        # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/modsdir/record.go
        entries = [{"Key": k, "Source": d, "Dir": d} for k, d in {"": ".", **modules}.items()]
        manifest = root / ".terraform/modules/modules.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps({"Modules": entries}))
    return root


@pytest.mark.parametrize(
    "files",
    [
        {},
        PLAIN,
        {**PLAIN, "r.tf": 'provider "random" {\n  alias = "x"\n}\n'},
        {"main.tf.json": '{"provider": {"aws": {"region": "eu-north-1"}}}'},
        {
            "main.tf.json": '{"provider": {"aws": {}, "random": {}}, "terraform": {'
            '"required_providers": {"random": {"source": "hashicorp/random"}}}}'
        },
        # Terraform opens these, in its own directory.
        {**PLAIN, "o.tf": 'output "x" {\n  value = file("${path.module}/x")\n}\n'},
        {**PLAIN, "m.tf": 'module "m" {\n  source = "./m"\n}\n', "m/x.tf": "locals {}\n"},
        {**PLAIN, "n.tf": 'resource "x" "y" {\n  path = "/home/ec2-user"\n}\n'},
        # Nothing there opens a file, wherever the path goes.
        {**PLAIN, "n.tf": 'resource "aws_iam_role" "r" {\n  name = "./x"\n}\n'},
        {**PLAIN, "n.tf.json": '{"data": {"aws_vpc": {"v": {"tags": {"a": "./x"}}}}}'},
    ],
)
def test_one_plain_block_is_fit(tmp_path: Path, files: dict[str, str]) -> None:
    modules = {"m": "m"} if "m/x.tf" in files else None
    assert reason_for_own(write(tmp_path, files, modules), {}) == ""


@pytest.mark.parametrize("root", sorted(map(str, ROOTS)))
def test_every_shipped_root_is_fit(tmp_path: Path, root: str) -> None:
    # Its modules as the last init would have found them: everything that the repository has.
    modules = {str(n): str(folder) for n, folder in enumerate(sorted(REPOSITORY.glob("modules/*")))}
    write(tmp_path, {}, modules)
    for file in (REPOSITORY / root).glob("*.tf"):
        write(tmp_path, {file.name: file.read_text()})
    assert reason_for_own(tmp_path, {}) == ""


TWO = "more than one plain provider block"
OPENS = "which the provider may open"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({**PLAIN, "b.tf": 'provider "aws" {\n  alias = "b"\n}\n'}, TWO),
        ({"b.tf": 'provider "aws" {\n  alias = "b"\n}\n'}, TWO),  # and an empty one is implied
        ({"main.tf.json": '{"provider": {"aws": [{"region": "a"}, {"region": "b"}]}}'}, TWO),
        ({"m/x.tf": PROVIDER}, TWO),
        ({**PLAIN, "m/x.tf": PROVIDER}, TWO),
        (
            {
                "main.tf": PROVIDER + PROVIDER.replace('"aws"', '"other"'),
                "v.tf": "terraform {\n  required_providers {\n"
                '    other = { source = "hashicorp/aws" }\n  }\n}\n',
            },
            TWO,
        ),
        (
            {
                "main.tf.json": '{"provider": {"aws": {}, "other": {}}, "terraform": [{'
                '"required_providers": [{"other": {"source": "hashicorp/aws"}}]}]}'
            },
            TWO,
        ),
        ({"main.tf": 'provider "aws" {\n  shared_config_files = ["x"]\n}\n'}, TWO),
        (
            {"p.tf.json": '{"provider": {"aws": {"assume_role": {"web_identity_token_file": 1}}}}'},
            TWO,
        ),
        ({**PLAIN, "o.tf": 'resource "aws_s3_object" "o" {\n  source = "x"\n}\n'}, OPENS),
        ({**PLAIN, "n.tf": 'resource "new" "n" {\n  code = "${path.module}/x"\n}\n'}, OPENS),
        ({**PLAIN, "n.tf": 'resource "new" "n" {\n  code = "./x"\n}\n'}, OPENS),
        ({**PLAIN, "m/n.tf": 'resource "new" "n" {\n  code = "../x"\n}\n'}, OPENS),
        ({**PLAIN, "n.tf.json": '{"resource": {"new": {"n": {"code": "./x"}}}}'}, OPENS),
        # In one file the path, in another one what opens it.
        (
            {
                **PLAIN,
                "m/n.tf": 'locals {\n  code = "./x"\n}\n',
                "l.tf": 'resource "aws_lambda_function" "f" {\n  filename = module.m.code\n}\n',
            },
            OPENS,
        ),
        ({**PLAIN, "x.tf": "resource {{{\n"}, "cannot be read by this tool"),
        ({**PLAIN, "x.tf": "# \udcff"}, "cannot be read by this tool: not UTF-8 at byte 2"),
        ({**PLAIN, "x.tf.json": "{"}, "cannot be read by this tool: not valid JSON at line 1"),
        ({**PLAIN, "x.tf.json": "[" * 5000}, "cannot be read by this tool: nested too deeply"),
        ({**PLAIN, ".terraform/modules/modules.json": "{"}, "cannot be read by this tool"),
    ],
)
def test_what_could_differ_is_not_fit(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    modules = {"m": "m"} if any(name.startswith("m/") for name in files) else None
    assert reason in reason_for_own(write(tmp_path, files, modules), {})


@pytest.mark.parametrize(
    "env",
    [
        {VARIABLE: "{}"},
        {"AWS_CONFIG_FILE": "config"},
        {"AWS_SHARED_CREDENTIALS_FILE": "../credentials"},
        {"TF_CLI_CONFIG_FILE": "terraform.rc"},
        {"TERRAFORM_CONFIG": "terraform.rc"},
    ],
)
def test_a_users_own_environment_may_ask_for_its_own(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {**PLAIN, "terraform.rc": "provider_installation {\n  dev_overrides {}\n}\n"})
    monkeypatch.chdir(tmp_path)
    assert reason_for_own(tmp_path, env)
    assert reason_for_own(tmp_path, {"AWS_CONFIG_FILE": "/home/x/config"}) == ""


def test_the_provider_is_the_one_that_init_has_chosen(tmp_path: Path) -> None:
    for version in ("5.99.0", "5.100.0"):
        folder = tmp_path / ".terraform/providers" / ADDRESS / version / "linux_amd64"
        write(folder, {f"terraform-provider-aws_v{version}_x5": ""})
    assert find_installed(tmp_path, "linux_amd64") is None  # no lock file
    for version in ("5.100.0", "5.99.0"):
        lock = f'provider "{ADDRESS}" {{\n  version     = "{version}"\n}}\n'
        write(tmp_path, {".terraform.lock.hcl": lock})
        found = find_installed(tmp_path, "linux_amd64")
        assert found
        assert found[0].name == f"terraform-provider-aws_v{version}_x5"
        assert found[1] == ADDRESS
        assert find_installed(tmp_path, "darwin_arm64") is None


def test_one_that_does_not_start_is_said_once_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Keeper):  # a stand-in: the real one starts
        @contextmanager
        def lease(self, *arguments: object) -> Iterator[object]:  # type: ignore[override]
            raise UserError("it said: no")
            yield

    monkeypatch.setattr(warm, "find_installed", lambda *_: (Path("provider"), ADDRESS))
    said: list[str] = []
    providers = WarmProviders(Broken(1), "linux_amd64", said.append)
    for _ in range(2):
        with providers.lend(write(tmp_path, PLAIN), {}) as lease:
            assert lease is None
    assert said == ["each Terraform starts a provider of its own from here on: it said: no"]


def test_who_asks_for_them_is_told_once_where_they_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "find_installed", lambda *_: (Path("provider"), ADDRESS))
    write(tmp_path, {"main.tf": PROVIDER, "b.tf": 'provider "aws" {\n  alias = "b"\n}\n'})
    for says_why, count in ((True, 1), (False, 0)):
        said: list[str] = []
        providers = WarmProviders(Keeper(1), "linux_amd64", said.append, says_why)
        for _ in range(2):
            with providers.lend(tmp_path, {}) as lease:
                assert lease is None
        assert len(said) == count
        assert all(f"{tmp_path.name} starts its own: it has {TWO}" in line for line in said)
