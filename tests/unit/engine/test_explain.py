"""Each kind of Terraform's errors in one line, with the command that mends it."""

import json
from dataclasses import replace

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import write_state
from tools.engine.apply import run_stack
from tools.engine.explain import describe_losses, explain
from tools.engine.plans import Change
from tools.terraform.diagnostics import Diagnostic

LOCKED = Diagnostic(
    "Error acquiring the state lock",
    "Error message: resource temporarily unavailable Lock Info: ID: 4f-9a Path: terraform.tfstate "
    "Operation: OperationTypeApply Who: ann@laptop Version: 1.11.4 "
    "Created: 2026-01-02 03:04:05.678 +0000 UTC Info:",
)
OTHER = Diagnostic("creating IAM role", "AccessDenied")


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("more.tf", "tools state unlock --local notebooks/n"),
        # It may say that the state is elsewhere: only Terraform knows the lock.
        ("override.tf", "terraform -chdir={path} force-unlock 4f-9a"),
    ],
)
def test_who_holds_the_lock(bench: Bench, file: str, command: str) -> None:
    stack = bench.write("notebooks/n")
    (stack.path / file).write_text("")
    assert explain([OTHER, LOCKED], stack, bench.run(option=" --local")) == (
        "another Terraform works on it (ann@laptop, since 2026-01-02 03:04:05 UTC); "
        f"wait for it, or if it has died: {command.format(path=stack.path)}"
    )


def test_a_state_that_terraform_cannot_read_is_not_called_locked(bench: Bench) -> None:
    """What Terraform 1.11.4 says of a state that OpenTofu has encrypted."""
    detail = "Error message: Unsupported state file format: The state file does not have a version"
    error = Diagnostic("Error acquiring the state lock", detail)
    assert explain([error], bench.write("notebooks/n"), bench.run()) == error.text()


def test_the_lock_of_opentofu_is_taken_away_by_opentofu(bench: Bench) -> None:
    stack = bench.write("notebooks/n")
    (stack.path / "override.tf").write_text("")
    run = bench.run()
    run = replace(run, terraform=replace(run.terraform, product="OpenTofu"))
    assert f"tofu -chdir={stack.path} force-unlock" in explain([LOCKED], stack, run)


def test_a_key_whose_policy_does_not_name_the_logs(bench: Bench) -> None:
    """The answer of CloudWatch Logs to CreateLogGroup, as AWS's page on its keys quotes it."""
    stack = bench.write("shared-infra/s3")
    refused = Diagnostic(
        "creating CloudWatch Logs Log Group (/aws/sagemaker/TrainingJobs)",
        "InvalidParameterException: The specified KMS key does not exist or is not allowed to be "
        "used with Arn 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/TrainingJobs'",
    )
    said = explain([OTHER, refused], stack, bench.run())
    assert said.endswith("shared-infra/s3/README.md has the statement")


@pytest.mark.parametrize(
    "text",
    [
        "EntityAlreadyExists: Role with name x already exists.",
        "BucketAlreadyOwnedByYou",
        "api error InvalidGroup.Duplicate: the security group x",
        "ResourceInUse",
        "Cannot create a duplicate notebook instance",
    ],
)
def test_what_exists_already_is_adopted(bench: Bench, text: str) -> None:
    stack = bench.write("notebooks/n")
    exists = Diagnostic("creating", text, address="aws_iam_role.this")
    assert explain([exists], stack, bench.run(option=" --local")) == (
        "aws_iam_role.this exists already; to take what an earlier run made into the state: "
        "tools adopt --local notebooks/n"
    )
    both = explain([replace(exists, address="aws_b.b"), OTHER, exists], stack, bench.run())
    assert both.startswith("aws_b.b, aws_iam_role.this exist already")


LACKS = Diagnostic(
    "Unsupported attribute",
    'This object does not have an attribute named "role".',
    code="v = [data.terraform_remote_state.c.outputs.x, "
    "data.terraform_remote_state.b.outputs.role]",
)


@pytest.mark.parametrize(
    "diagnostic",
    [Diagnostic("Unable to find remote state", address="data.terraform_remote_state.b"), LACKS],
)
def test_a_missing_upstream_is_deployed_first(bench: Bench, diagnostic: Diagnostic) -> None:
    bench.write("shared-infra/b")
    stack = bench.write("notebooks/n", "shared-infra/b")
    assert explain([diagnostic, diagnostic, OTHER], stack, bench.run(option=" --local")) == (
        "shared-infra/b is not deployed yet; deploy first: tools deploy --local shared-infra/b"
    )


@pytest.mark.parametrize(
    "diagnostic",
    [
        Diagnostic(
            "Unable to find remote state",
            address='module.m.data.terraform_remote_state.of["b"]',
        ),
        replace(LACKS, code="v = [module.m.up.c.x, module.m.up.b.role]"),
    ],
)
def test_a_missing_upstream_that_a_module_reads(bench: Bench, diagnostic: Diagnostic) -> None:
    bench.write("shared-infra/b")
    bench.write("shared-infra/c")
    stack = bench.write("notebooks/n")
    (stack.path / "main.tf").write_text('module "m" {\n  source = "../../modules/m"\n}\n')
    (stack.path / "../../modules/m").mkdir(parents=True)
    (stack.path / "../../modules/m/main.tf").write_text(
        'data "terraform_remote_state" "of" {\n  for_each = toset(["b", "c"])\n'
        '  backend = "local"\n  config = {\n'
        '    path = "${path.module}/../../shared-infra/${each.key}/terraform.tfstate"\n  }\n}\n'
        'output "up" {\n'
        "  value = { for k, s in data.terraform_remote_state.of : k => s.outputs }\n}\n"
    )
    assert explain([diagnostic], stack, bench.run()) == (
        "shared-infra/b is not deployed yet; deploy first: tools deploy shared-infra/b"
    )


@pytest.mark.parametrize("read", [".outputs.role", '.outputs["role"]'])
def test_an_output_that_a_deployed_upstream_does_not_have_is_named(bench: Bench, read: str) -> None:
    upstreams = [bench.write("shared-infra/b"), bench.write("shared-infra/c")]
    stack = bench.write("notebooks/n", "shared-infra/b", "shared-infra/c")
    for upstream in upstreams:
        run_stack(bench.run(), upstream)
    lacks = replace(LACKS, code=LACKS.code.replace(".outputs.role", read))
    assert explain([lacks, lacks, OTHER], stack, bench.run(option=" --local")) == (
        "shared-infra/b has no output role, which notebooks/n reads (it has x); "
        "correct the name, or add the output there"
    )
    (upstreams[0].path / "more.tf").write_text('output "role" {\n  value = 1\n}\n')
    assert explain([lacks], stack, bench.run(option=" --local")) == (
        "shared-infra/b has no output role, which notebooks/n reads; it is not applied as it is: "
        "tools deploy --local shared-infra/b"
    )


@pytest.mark.parametrize(
    "diagnostic",
    [
        replace(LACKS, code="value = data.terraform_remote_state.b.outputs.other.role"),
        Diagnostic("Unsupported attribute", code="value = aws_s3_bucket.this.nothing"),
        Diagnostic("Unable to find remote state", address="data.terraform_remote_state.other"),
        Diagnostic("Invalid value", code="data.terraform_remote_state.b.outputs.x"),
    ],
)
def test_what_names_no_upstream_is_said_as_it_is(bench: Bench, diagnostic: Diagnostic) -> None:
    stack = bench.write("notebooks/n", "shared-infra/b")
    assert explain([diagnostic], stack, bench.run()) == diagnostic.text()


def test_a_state_that_could_not_be_written(bench: Bench) -> None:
    stack = bench.write("notebooks/n")
    full = Diagnostic("Failed to save state", "no space left on device")
    errored = stack.path / "errored.tfstate"
    errored.write_text("{")
    assert explain([full, OTHER], stack, bench.run()) == (
        "Failed to save state: no space left on device; "
        f"{errored} is cut short too: make room, and run this again"
    )
    write_state(stack.path)
    errored.write_text(json.dumps(json.loads((stack.path / "terraform.tfstate").read_text())))
    assert f"the state is kept in {errored}, and the next run writes it" in explain(
        [full], stack, bench.run()
    )


def test_any_other_error_is_the_first_in_one_line(bench: Bench) -> None:
    stack = bench.write("notebooks/n")
    first = replace(OTHER, file="main.tf", line=3)
    assert explain([first, OTHER], stack, bench.run()) == (
        "main.tf, line 3: creating IAM role: AccessDenied"
    )


def test_losses_name_each_resource() -> None:
    losses = [Change("aws_s3_bucket.b", "aws_s3_bucket", "destroy"), Change("k", "k", "replace")]
    assert describe_losses(losses, "Ask") == (
        "would destroy aws_s3_bucket.b, replace k, and the data goes with it; nothing was "
        "changed. Ask"
    )


@pytest.mark.parametrize("of_opentofu", ["", "Resource i"])
def test_a_state_of_an_older_layout_is_upgraded(bench: Bench, of_opentofu: str) -> None:
    stack = bench.write("shared-infra/s3")
    prevented = Diagnostic(
        f"{of_opentofu or 'I'}nstance cannot be destroyed",
        'Resource aws_s3_bucket.shared["models"] has lifecycle.prevent_destroy set, but the plan '
        "calls for this resource to be destroyed.",
    )
    assert explain([OTHER, prevented], stack, bench.run(option=" --local")) == (
        "its state has addresses of an older layout, and nothing was changed; move them: "
        "tools upgrade --local shared-infra/s3"
    )
    own = replace(prevented, detail="Resource aws_kms_key.mine has lifecycle.prevent_destroy set")
    assert "tools upgrade" not in explain([own], stack, bench.run())


def test_a_platform_that_the_provider_is_too_old_for(bench: Bench) -> None:
    """As provider 5.100 refuses it."""
    refused = Diagnostic(
        'expected value of platform_identifier to match regular expression "^(notebook-al1-v1|'
        'notebook-al2-v1|notebook-al2-v2|notebook-al2-v3)$", got notebook-al2023-v1',
        "",
    )
    said = explain([OTHER, refused], bench.write("notebooks/n"), bench.run())
    assert "got notebook-al2023-v1" in said
    assert said.endswith("leave platform_identifier out, and AWS takes its own default")
