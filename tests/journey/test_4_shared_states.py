"""docs/state.md, "The way there": the bucket, the states into it, and the team goes on."""

import json

from .conftest import DEMO, SHARED, STATES, Demo


class TestSharedStates:
    def test_bootstrap_makes_the_bucket(self, demo: Demo) -> None:
        done = demo.bootstrap.ended()
        assert done.code == 0, done
        s3 = demo.client("s3")
        assert s3.get_bucket_versioning(Bucket=STATES)["Status"] == "Enabled"
        closed = s3.get_public_access_block(Bucket=STATES)["PublicAccessBlockConfiguration"]
        assert list(closed.values()) == [True] * 4
        (own,) = demo.stored_states()
        assert own == "bootstrap"
        assert not (demo.work / "bootstrap/terraform.tfstate").exists()

    def test_enable_moves_every_state_as_it_is(self, demo: Demo) -> None:
        local = demo.local_states()
        stacks = [f"shared-infra/{name}" for name in SHARED]
        assert local.keys() == {*stacks, *map("notebooks/{}".format, (*DEMO, "alice-notebook"))}
        done = demo.types(f"tools state enable --local --bucket {STATES}")
        assert done.code == 0, done
        assert {
            stack: text for stack, text in demo.stored_states().items() if stack in local
        } == local
        assert demo.local_states() == {}

    def test_nothing_changes(self, demo: Demo) -> None:
        done = demo.types("tools plan --local --detailed-exitcode")
        assert (done.code, done.out) == (0, "8 of 8 stacks: no changes\n"), done
        demo.no_changes("notebooks/notebook-dev")

    def test_a_new_notebook_has_its_state_there(self, demo: Demo) -> None:
        done = demo.types("tools new-notebook cv-project --from notebook-prod --local --apply")
        assert done.code == 0, done
        assert demo.instances()["cv-project"]["InstanceType"] == "ml.m5.2xlarge"
        resources = json.loads(demo.stored_states()["notebooks/cv-project"])["resources"]
        assert "aws_sagemaker_notebook_instance" in {one["type"] for one in resources}
        assert demo.local_states() == {}
        demo.no_changes("notebooks/cv-project")

    def test_the_clone_holds_what_its_user_made_and_no_trace_of_the_local_cloud(
        self, demo: Demo
    ) -> None:
        assert sorted(demo.git_status()) == [
            " M common.auto.tfvars",
            "!! .tools/",
            "?? notebooks/alice-notebook/",
            "?? notebooks/nlp-project/",
            "?? shared-infra/security-groups/terraform.tfvars",
            "?? team.csv",
        ]
        assert not list(demo.root.glob("*/*/backend.tf"))
