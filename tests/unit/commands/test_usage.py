"""What is typed in another form than a command takes ends with click's 2, and says the form."""

import pytest

from tests.unit.commands.conftest import Checkout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("cost --hours many", "'many' is not a number of 0 or more"),
        ("destroy --orphan --shared notebooks/old", "--orphan takes only names and globs"),
        ("destroy --orphan --where owner=a", "--orphan takes only names and globs"),
        ("import", "give --scan, or what to import: tools import --help"),
        ("import --json", "give --scan, or what to import: tools import --help"),
        ("import --local role acme", "put --local after the command"),
        ("import --scan bucket acme-data", "--scan and --json take no command"),
        ("migrate old --bucket acme-data", "'acme-data' is not NAME=PURPOSE"),
        ("migrate old --bucket =datasets", "'=datasets' is not NAME=PURPOSE"),
        ("migrate old --bucket a=models --bucket a=datasets", "'a' is given twice"),
        ("migrate old --bucket a=", "'a' has no purpose; give one, such as acme-data=datasets"),
        ("new-notebook nlp --tag Team=a --tag Team=b", "'Team' is given twice"),
        ("plan --wave 3", "'3' is not a part such as 3/8, the third of eight"),
        ("plan --shard 9/8", "'9/8' is not a part such as 3/8"),
        ("plan --shard 0/8", "'0/8' is not a part such as 3/8"),
        ("deploy --wave 1/6 --with-upstream", "give --wave and --shard without --with-upstream"),
        ("plan --shard 1/8 --with-downstream", "give --wave and --shard without --with-upstream"),
        ("plan --all notebook-dev", "give --all alone, or STACKS and --shared"),
    ],
)
def test_another_form_is_refused_with_the_one_that_is_taken(
    checkout: Checkout, typed: str, said: str
) -> None:
    before = sorted(checkout.root.rglob("*"))
    done = checkout.tools(*typed.split())
    assert (done.returncode, done.stdout) == (2, ""), done
    assert said in done.stderr
    assert sorted(checkout.root.rglob("*")) == before
