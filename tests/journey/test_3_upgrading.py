"""docs/upgrading.md: what an older layout deployed goes on by today's, and nothing changes in AWS.

A directory of eight files and a state with the buckets' former addresses are what the repository
had before; Terraform's own plan is the judge.
"""

import json

from tests.trees import REPOSITORY
from tools.scaffold import upgrade

from .conftest import Demo

BUCKETS = "shared-infra/s3"
OLD = "notebooks/from-before"
FORMER = {
    "aws_s3_bucket.datasets": 'aws_s3_bucket.shared["datasets"]',
    "aws_s3_bucket.models": 'aws_s3_bucket.shared["models"]',
}


def make_old(demo: Demo) -> None:
    for address, former in FORMER.items():
        done = demo.by_hand(f"terraform state mv '{address}' '{former}'", BUCKETS)
        assert done.code == 0, done


class TestUpgrading:
    def test_the_older_layout_deploys(self, demo: Demo) -> None:
        directory = demo.work / OLD
        directory.mkdir()
        for name, text in upgrade.read_layouts(REPOSITORY / "templates/notebook")[0].items():
            (directory / name).write_text(text)
        (directory / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
        (directory / "terraform.tfvars").write_text(
            'instance_type = "ml.t3.medium"\nowner = "alice"\npurpose = "Before"\n'
            'environment = "dev"\ntags = { Team = "growth" }\n'
        )
        outputs = directory / "outputs.tf"
        outputs.write_text(f'{outputs.read_text()}\noutput "mine" {{\n  value = var.owner\n}}\n')
        done = demo.by_hand("terraform init -input=false && terraform apply -auto-approve", OLD)
        assert done.code == 0, done
        make_old(demo)

    def test_plain_terraform_destroys_no_bucket(self, demo: Demo) -> None:
        done = demo.by_hand("terraform apply -auto-approve -no-color", BUCKETS)
        assert done.code == 1, done
        assert "has lifecycle.prevent_destroy set" in done.err.replace("\n│ ", " ")
        assert "former.tf" in done.err

    def test_deploy_says_what_to_do(self, demo: Demo) -> None:
        done = demo.types("tools deploy --local s3")
        assert done.code == 1, done
        assert f"move them: tools upgrade --local {BUCKETS}" in done.err

    def test_a_look_writes_nothing(self, demo: Demo) -> None:
        before = demo.local_states()
        done = demo.types("tools upgrade --local --dry-run")
        assert done.code == 0, done
        assert f"--- {OLD}/guard.tf" in done.out
        assert (
            f"{BUCKETS}: {FORMER['aws_s3_bucket.models']} becomes aws_s3_bucket.models" in done.err
        )
        assert "notebooks/from-before keeps your output.mine" in done.err
        assert demo.local_states() == before
        assert (demo.work / OLD / "guard.tf").exists()

    def test_upgrade_changes_nothing_in_aws(self, demo: Demo) -> None:
        before = demo.instances()["from-before"]
        tags = demo.tags(before)
        assert tags["Team"] == "growth"
        done = demo.types("tools upgrade --local")
        assert done.code == 0, done
        assert {path.name for path in (demo.work / OLD).glob("*.tf")} == {
            *("main.tf", "outputs.tf", "variables.tf", "versions.tf")
        }
        demo.by_hand("terraform init -input=false", OLD)
        demo.no_changes(OLD, BUCKETS)
        after = demo.instances()["from-before"]
        assert (after, demo.tags(after)) == (before, tags)
        again = demo.types("tools upgrade --local")
        assert again.code == 0, again
        assert "nothing to upgrade" in again.err

    def test_the_notebook_goes(self, demo: Demo) -> None:
        done = demo.types("tools deploy --local from-before && tools destroy --local from-before")
        assert done.code == 0, done
        assert "from-before" not in demo.instances()
        demo.by_hand(f"rm -r {OLD}")
        assert json.loads(demo.local_states()[BUCKETS])["resources"]
