"""`tools init` with options; tests/cli answers its questions."""

from tests.trees import REPOSITORY
from tests.unit.commands.conftest import Checkout
from tools.hcl import reading


def test_flags_write_the_values(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme", "--region", "eu-west-1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "common.auto.tfvars\n"
    values = reading.read_tfvars(checkout.root / "common.auto.tfvars")
    assert values == {"project": "acme", "region": "eu-west-1"}
    shown = (checkout.root / "common.auto.tfvars").read_text()
    before = (REPOSITORY / "common.auto.tfvars").read_text()
    replaced = [line for line in before.splitlines() if line not in shown.splitlines()]
    assert replaced == ['# project = "acme-ml"', '# region = "us-east-1"']


def test_without_a_terminal_every_value_must_be_given(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme")
    assert done.returncode == 1
    assert done.stderr == "error: stdin is not a terminal; pass --region\n"
    assert reading.read_tfvars(checkout.root / "common.auto.tfvars") == {}


def test_refuses_to_overwrite(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('region = "mine"\n')
    done = checkout.tools("init", "--project", "acme", "--region", "eu-west-1")
    assert done.returncode == 1
    assert "common.auto.tfvars sets region already, and is left as it is" in done.stderr
    assert (checkout.root / "common.auto.tfvars").read_text() == 'region = "mine"\n'


def test_a_region_that_does_not_exist_is_named_with_its_neighbours(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme", "--region", "eu-wst-1")
    assert done.returncode == 1
    assert "no region 'eu-wst-1' with SageMaker; did you mean eu-west-1" in done.stderr
    assert "Traceback" not in done.stderr
