"""docs/getting-started.md, "Add notebooks": three are added, one changed, one taken away."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from .conftest import DEMO, Demo

# notebooks/README.md has the file; Carol's notebook has a role of its own besides.
TEAM = """\
name,profile,owner,purpose,tags,isolated
alice-notebook,dev,alice,Churn model,Team=growth;CostCentre=42,
carol-notebook,dev,carol,Salaries,,true
"""


class TestATeam:
    def test_three_notebooks_become_directories(self, demo: Demo) -> None:
        one = demo.types(
            'tools new-notebook nlp-project --profile staging --purpose "Language models"'
        )
        assert (one.code, one.out) == (0, "notebooks/nlp-project\n"), one
        (demo.root / "team.csv").write_text(TEAM)
        two = demo.types("tools new-notebook --from-file team.csv")
        assert two.code == 0, two
        assert two.out.split() == ["notebooks/alice-notebook", "notebooks/carol-notebook"]
        for path in ("nlp-project", *two.out.split()):
            assert (demo.root / "notebooks" / Path(path).name / "main.tf").is_file()
        assert sorted(demo.instances()) == list(DEMO)

    def test_what_is_not_deployed_has_no_access_to_explain(self, demo: Demo) -> None:
        done = demo.types("tools explain-access carol-notebook --local")
        assert (done.code, done.out) == (1, ""), done
        assert "notebooks/carol-notebook is not deployed, so it has no role yet" in done.err
        assert "tools deploy --local notebooks/carol-notebook" in done.err

    def test_the_plan_says_what_deploy_would_do(self, demo: Demo) -> None:
        done = demo.types("tools plan --local --detailed-exitcode")
        assert done.code == 2, done
        planned = done.table()
        assert planned["notebooks/alice-notebook"] == "2  -  -  -"  # create, update, replace, ...
        assert planned["notebooks/carol-notebook"].endswith("-  -  -")
        # The demo has made one of this name: it is taken over, not made again.
        assert planned["notebooks/nlp-project"] == "-  2  -  -"
        assert len(planned) == 3, planned
        assert sorted(demo.instances()) == list(DEMO)

    def test_deploy_does_it(self, demo: Demo) -> None:
        made = demo.instances()["nlp-project"]["CreationTime"]
        done = demo.types("tools deploy --local")
        assert done.code == 0, done
        outcomes = {stack: row.split()[0] for stack, row in done.table().items()}
        new = {"notebooks/alice-notebook", "notebooks/carol-notebook", "notebooks/nlp-project"}
        assert {stack for stack, outcome in outcomes.items() if outcome == "applied"} == new
        assert {outcomes[stack] for stack in outcomes.keys() - new} == {"unchanged"}

        instances = demo.instances()
        assert sorted(instances) == sorted([*DEMO, "alice-notebook", "carol-notebook"])
        tags = demo.tags(instances["alice-notebook"])
        assert (tags["Owner"], tags["Team"], tags["CostCentre"]) == ("alice", "growth", "42")
        assert demo.tags(instances["nlp-project"])["Purpose"] == "Language models"
        assert instances["nlp-project"]["CreationTime"] == made

    def test_an_isolated_notebook_writes_under_its_own_name(self, demo: Demo) -> None:
        role = demo.instances()["carol-notebook"]["RoleArn"].rpartition("/")[2]
        assert role == "demo-notebook-carol-notebook"
        iam = demo.client("iam")
        bounded = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]
        assert bounded["PermissionsBoundaryArn"].endswith("/demo-isolated-notebook-boundary")
        explained = demo.types("tools explain-access carol-notebook --local")
        writes = explained.out.split("\nWrites\n")[1].split("\nCalls\n")[0]
        assert sorted(set(re.findall(r"arn:aws:s3:::\S+", writes))) == [
            "arn:aws:s3:::demo-datasets/users/carol-notebook/*",
            "arn:aws:s3:::demo-models/users/carol-notebook/*",
        ]

    def test_status_shows_them_all(self, demo: Demo) -> None:
        done = demo.types("tools status --local")
        assert done.code == 0, done
        for name in demo.instances():
            assert re.search(rf"^{name} +InService ", done.out, re.M), done.out
        assert "5 InService" in done.err

    def test_drift_is_what_somebody_has_changed_by_hand(self, demo: Demo) -> None:
        arn = demo.instances()["alice-notebook"]["NotebookInstanceArn"]
        tag = {"Key": "Owner", "Value": "mallory"}
        demo.client("sagemaker").add_tags(ResourceArn=arn, Tags=[tag])
        done = demo.types("tools drift --local --detailed-exitcode alice-notebook nlp-project")
        assert done.code == 2, done
        _, line = done.out.splitlines()
        assert line.startswith("notebooks/alice-notebook  changed outside of Terraform  ")
        assert "aws_sagemaker_notebook_instance.this (tags, tags_all)" in line
        assert demo.tags(demo.instances()["alice-notebook"])["Owner"] == "mallory"

        done = demo.types("tools deploy --local --refresh alice-notebook")
        assert done.code == 0, done
        assert demo.tags(demo.instances()["alice-notebook"])["Owner"] == "alice"

    def test_one_is_changed_and_the_others_are_left_alone(self, demo: Demo) -> None:
        before = _modified(demo)
        values = demo.root / "notebooks/alice-notebook/terraform.tfvars"
        text = values.read_text().replace("ml.t3.medium", "ml.m5.xlarge")
        values.write_text(text.replace("= 20", "= 60"))
        listed = demo.types("tools list --local").table()
        changed = {stack for stack, row in listed.items() if "changed since" in row}
        assert changed == {"notebooks/alice-notebook"}
        planned = demo.types("tools plan --local")
        assert planned.table() == {"notebooks/alice-notebook": "-  1  -  -"}, planned
        done = demo.types("tools deploy --local")
        assert done.code == 0, done
        alice = demo.instances()["alice-notebook"]
        assert (alice["InstanceType"], alice["VolumeSizeInGB"]) == ("ml.m5.xlarge", 60)
        after = _modified(demo)
        assert {name for name in after if after[name] != before[name]} == {"alice-notebook"}

    def test_one_is_destroyed_with_its_role(self, demo: Demo) -> None:
        done = demo.types("tools destroy --local carol-notebook")
        assert done.code == 0, done
        assert done.table()["notebooks/carol-notebook"].startswith("destroyed")
        assert sorted(demo.instances()) == sorted([*DEMO, "alice-notebook"])
        iam = demo.client("iam")
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName="demo-notebook-carol-notebook")

    def test_its_directory_goes_afterwards_and_nothing_is_left_to_do(self, demo: Demo) -> None:
        demo.types("rm -r notebooks/carol-notebook")
        done = demo.types("tools plan --local --detailed-exitcode")
        assert (done.code, done.out) == (0, "8 of 8 stacks: no changes\n"), done
        listed = demo.types("tools list --local").table()
        assert "notebooks/carol-notebook" not in listed
        assert {row.split()[1] for row in listed.values()} == {"applied"}
        demo.no_changes("notebooks/alice-notebook")


def _modified(demo: Demo) -> dict[str, datetime]:
    return {name: found["LastModifiedTime"] for name, found in demo.instances().items()}
