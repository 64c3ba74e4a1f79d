"""No command that reads states works while a variable leads Terraform to other ones."""

from tests.unit.commands.conftest import Checkout

READS_STATES = (
    "list",
    "plan",
    "deploy --yes",
    "destroy --yes",
    "destroy --orphan --yes",
    "drift",
    "adopt notebook-dev",
    "import bucket x",
    "state list",
    "state enable",
    "rename-notebook notebook-dev other",
    "explain-access notebook-dev",
    "cost",
    "demo",
)


def test_refused_in_one_line_that_names_the_mend(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    before = sorted(checkout.root.rglob("*"))
    for command in READS_STATES:
        done = checkout.tools(*command.split(), TF_WORKSPACE="staging")
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr.startswith("error: TF_WORKSPACE is set (staging)"), done
        assert "unset TF_WORKSPACE" in done.stderr
        assert done.stderr.count("\n") == 1
    assert sorted(checkout.root.rglob("*")) == before


def test_what_reads_no_state_works(checkout: Checkout) -> None:
    for command in (
        "init --project acme-ml --region us-east-1 --default-vpc",
        "new-notebook nlp",
        "graph",
    ):
        done = checkout.tools(*command.split(), TF_WORKSPACE="staging")
        assert done.returncode == 0, done
