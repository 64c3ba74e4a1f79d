"""Whether a secret can be found from a record, and whether all who share it agree."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer
from tools.engine.records import Records
from tools.engine.scheduler import run_stacks
from tools.engine.secret_digests import record_key
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.terraform.diagnostics import Diagnostic
from tools.terraform.text import Event

DECLARED = 'variable "pin" {\n  sensitive = true\n}\nvariable "size" {\n  default = "1"\n}\n'
KEY = b"0123456789abcdef"


@pytest.fixture
def secret(bench: Bench) -> Bench:
    """notebooks/n has a secret variable, which is set in the environment."""
    bench.write("notebooks/n", text=DECLARED)
    bench.terraform = replace(bench.terraform, env={**bench.terraform.env, "TF_VAR_pin": "1234"})
    return bench


def records(bench: Bench, key: bytes = b"", **env: str) -> Records:
    terraform = replace(bench.terraform, env={**bench.terraform.env, **env})
    return Records(Repository(bench.root), terraform, key=key)


def deploy(bench: Bench, key: bytes = b"", **env: str) -> None:
    run_stacks(bench.run(records=records(bench, key, **env)), bench.stacks())


def reasons(bench: Bench, key: bytes = b"", **env: str) -> list[str]:
    return records(bench, key, **env).reasons_to_apply(bench.stack("notebooks/n"))


def record(bench: Bench) -> str:
    return (bench.root / "notebooks/n/terraform.tfstate.record.json").read_text()


def test_without_a_key_the_stack_is_planned_and_nothing_of_the_secret_recorded(
    secret: Bench,
) -> None:
    deploy(secret)
    missing = (
        "unknown: TF_VAR_pin holds a secret, which is compared only if TOOLS_RECORD_KEY is set"
    )
    assert reasons(secret) == [missing]
    assert reasons(secret, TF_VAR_pin="9999") == [missing]
    assert json.loads(record(secret))["inputs"]["environment"] == {"TF_VAR_pin": "not recorded"}


def test_with_the_key_everybody_comes_to_the_same_answer(secret: Bench) -> None:
    deploy(secret, KEY)
    assert reasons(secret, KEY) == []
    assert reasons(secret, KEY, TF_VAR_pin="9999") == ["environment variable TF_VAR_pin changed"]
    # Another key, and none: planned, not skipped.
    assert reasons(secret, KEY + b"x") == ["environment variable TF_VAR_pin changed"]
    assert len(reasons(secret)) == 1


def test_no_guess_is_confirmed_by_a_record(secret: Bench) -> None:
    """All numbers of four digits are tried, as who has a record would."""
    deploy(secret, KEY)
    text = record(secret)
    for guess in (f"{number:04}".encode() for number in range(10_000)):
        assert hashlib.sha256(guess).hexdigest()[:32] not in text


@pytest.mark.parametrize(
    ("file", "env", "name"),
    [
        ("terraform.tfvars", {}, "notebooks/n/terraform.tfvars"),
        (".my.auto.tfvars", {}, "notebooks/n/.my.auto.tfvars"),
        ("s.tfvars", {"TF_CLI_ARGS_plan": "-var-file=s.tfvars"}, "notebooks/n/s.tfvars"),
        (None, {"TF_CLI_ARGS": "-var pin=1234"}, "TF_CLI_ARGS"),
        (None, {"TF_CLI_ARGS_apply": "'-var=pin=1234'"}, "TF_CLI_ARGS_apply"),
    ],
)
def test_every_place_of_a_secret_takes_the_key(
    bench: Bench, file: str | None, env: dict[str, str], name: str
) -> None:
    stack = bench.write("notebooks/n", text=DECLARED)
    text = 'pin = "1234"\n'
    if file:
        (stack.path / file).write_text(text)
    deploy(bench, KEY, **env)
    assert reasons(bench, KEY, **env) == []
    plain = text if file else env[name]
    assert hashlib.sha256(plain.encode()).hexdigest()[:32] not in record(bench)
    assert any(
        reason.startswith(f"unknown: {name} holds a secret") for reason in reasons(bench, **env)
    )


def test_a_value_that_is_no_secret_needs_no_key(bench: Bench) -> None:
    stack = bench.write("notebooks/n", text=DECLARED)
    (stack.path / "terraform.tfvars").write_text('size = "2"\n')
    deploy(bench, TF_VAR_size="3")
    assert reasons(bench, TF_VAR_size="3") == []
    assert reasons(bench, TF_VAR_size="4") == ["environment variable TF_VAR_size changed"]


def test_a_variable_of_another_stack_is_no_input(bench: Bench) -> None:
    """Terraform ignores TF_VAR_x where no variable x is declared."""
    bench.write("notebooks/n", text=DECLARED)
    deploy(bench)
    assert reasons(bench, TF_VAR_other="1") == []


def test_in_a_file_that_cannot_be_read_every_variable_may_be_secret(bench: Bench) -> None:
    stack = bench.write("notebooks/n", text=DECLARED)
    (stack.path / "broken.tf").write_text('variable "x" {\n  a = = 1\n')
    deploy(bench)
    assert any("TF_VAR_x holds a secret" in reason for reason in reasons(bench, TF_VAR_x="1"))


def test_an_output_cannot_be_guessed_without_the_state_that_has_it(bench: Bench) -> None:
    """The upstream's lineage is the key, and it is in neither record."""
    bench.write("shared-infra/b")
    uses = 'output "y" {\n  value = data.terraform_remote_state.b.outputs.x\n}\n'
    bench.write("notebooks/n", "shared-infra/b", text=uses)
    deploy(bench)
    state = json.loads((bench.root / "shared-infra/b/terraform.tfstate").read_text())
    for text in (
        record(bench),
        (bench.root / "shared-infra/b/terraform.tfstate.record.json").read_text(),
    ):
        assert state["lineage"] not in text
    value = json.dumps(state["outputs"]["x"]["value"]).encode()
    assert hashlib.sha256(value).hexdigest()[:32] not in record(bench)
    assert reasons(bench) == []


@pytest.mark.parametrize(
    ("path", "file", "name"),
    [
        ("${path.module}/pin", "repository/notebooks/n/pin", "notebooks/n/pin"),
        ("../../secrets/pin.txt", "repository/secrets/pin.txt", "secrets/pin.txt"),
        ("prod.tfvars", "repository/notebooks/n/prod.tfvars", "notebooks/n/prod.tfvars"),
        ("~/pin", "home/pin", "~/pin"),
        ("../../../pin", "pin", "../pin"),
    ],
)
def test_a_file_that_an_expression_names_may_be_a_secret(
    bench: Bench, tmp_path: Path, path: str, file: str, name: str
) -> None:
    """No variable says that it is one. The key is the state's lineage, a random number."""
    bench.root = tmp_path / "repository"
    (bench.root / "modules").mkdir(parents=True)
    (bench.root / "shared-infra").mkdir()
    stack = bench.write("notebooks/n", text=f'output "x" {{\n  value = file("{path}")\n}}\n')
    secret_file = tmp_path / file
    secret_file.parent.mkdir(exist_ok=True)
    secret_file.write_text("1234")
    guess = hashlib.sha256(b"1234").hexdigest()[:32]

    creates: Event = {"type": "apply_start", "@message": "", "hook": {"action": "create"}}
    bench.terraform.will("apply notebooks/n", Answer([creates], [Diagnostic("no")]))
    deploy(bench)
    # Before there is a lineage, files of the repository alone are noted: its readers have them.
    is_noted = not name.startswith(("~", "..")) and not name.endswith(".tfvars")
    assert (guess in record(bench)) == is_noted

    deploy(bench)
    state = json.loads((stack.path / "terraform.tfstate").read_text())
    assert guess not in record(bench)
    assert state["lineage"] not in record(bench)
    assert reasons(bench) == []
    secret_file.write_text("9999")
    assert reasons(bench) == [f"{name} changed"]


def test_texts_that_are_no_utf8_are_compared_as_others(bench: Bench) -> None:
    """The system has bytes, of which Python makes texts with "\\udcff"."""
    listing = 'output "x" {\n  value = fileset(".", "*.txt")\n}\n'
    stack = bench.write("notebooks/n", text=DECLARED + listing)
    key = record_key({"TOOLS_RECORD_KEY": "0123456789abcdef\udcff"})
    assert key == b"0123456789abcdef\xff"
    file = stack.path / "a\udcff.txt"
    file.write_text("1")
    given = {"TF_VAR_pin": "a\udcff", "TF_VAR_size": "b\udcff"}
    deploy(bench, key, **given)
    assert reasons(bench, key, **given) == []
    assert reasons(bench, key, **{**given, "TF_VAR_pin": "a\udcfe"}) == [
        "environment variable TF_VAR_pin changed"
    ]
    file.write_text("2")
    assert reasons(bench, key, **given) == ["notebooks/n/a\udcff.txt changed"]


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TOOLS_RECORD_KEY has 5 characters and needs 16 or more"):
        record_key({"TOOLS_RECORD_KEY": "short"})
    assert record_key({}) == b""
