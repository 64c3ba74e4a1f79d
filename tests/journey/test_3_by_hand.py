"""notebooks/README.md, "Add one" by hand, "Rename one" and "Remove one", with plain Terraform."""

import json
import re

from .conftest import Demo

PURPOSE = r"Alice's \"trial\" of $${models}\n100 %%{ x } C:\\dir é"  # as HCL writes it
SAID = 'Alice\'s "trial" of ${models}\n100 %{ x } C:\\dir é'
VALUES = f"""\
instance_type = "ml.t3.large"
volume_size   = 30
owner         = "alice"
purpose       = "{PURPOSE}"
environment   = "dev"
"""
APPLY = "terraform init -input=false && terraform apply -input=false -auto-approve"


class TestACopy:
    def test_with_the_original_s_state_takes_nothing_from_it(self, demo: Demo) -> None:
        before = {name: one["CreationTime"] for name, one in demo.instances().items()}
        copied = demo.by_hand("cp -r notebooks/notebook-dev notebooks/notebook-data-science")
        assert copied.code == 0, copied
        done = demo.by_hand(APPLY, "notebooks/notebook-data-science")
        said = " ".join(re.sub(r"\x1b\[[0-9;]*m|│", "", done.err).split())
        assert "has terraform.tfstate, the state of notebooks/notebook-dev" in said, done
        assert "In a copy, delete terraform.tfstate* and .terraform." in said, done
        assert "run `tools rename-notebook notebook-dev notebook-data-science`" in said, done
        after = {name: one["CreationTime"] for name, one in demo.instances().items()}
        assert after == before

    def test_with_the_original_s_state_is_refused_by_tools(self, demo: Demo) -> None:
        done = demo.types("tools deploy --local")
        assert done.code == 1, done
        (error,) = done.err.splitlines()
        assert "notebooks/notebook-dev and notebooks/notebook-data-science hold the same" in error
        assert "notebook-data-science" not in demo.instances()
        demo.by_hand("rm -r notebooks/notebook-data-science")

    def test_without_it_is_another_notebook_on_the_shared_parts(self, demo: Demo) -> None:
        copied = demo.by_hand(
            "mkdir notebooks/notebook-data-science && "
            "cp -P notebooks/notebook-dev/*.tf notebooks/notebook-dev/*.tfvars* "
            "notebooks/notebook-data-science/"
        )
        assert copied.code == 0, copied
        (demo.work / "notebooks/notebook-data-science/terraform.tfvars").write_text(VALUES)
        done = demo.by_hand(APPLY, "notebooks/notebook-data-science")
        assert done.code == 0, done
        instances = demo.instances()
        copy, original = instances["notebook-data-science"], instances["notebook-dev"]
        for shared in ("RoleArn", "SubnetId", "SecurityGroups"):
            assert copy[shared] == original[shared]
        assert (copy["InstanceType"], copy["VolumeSizeInGB"]) == ("ml.t3.large", 30)
        tags = demo.tags(copy)
        assert (tags["Stack"], tags["Owner"]) == ("notebooks/notebook-data-science", "alice")
        outputs = demo.by_hand("terraform output -json", "notebooks/notebook-data-science")
        values = json.loads(outputs.out)
        assert values["notebook_url"]["value"].startswith("https://notebook-data-science-")
        assert values["purpose"]["value"] == SAID

    def test_is_known_to_tools(self, demo: Demo) -> None:
        done = demo.types("tools status --local --json notebook-data-science")
        (found,) = json.loads(done.out)["notebooks"]
        assert (found["status"], found["differences"]) == ("InService", [])


class TestARenaming:
    def test_keeps_the_instance_and_its_volume(self, demo: Demo) -> None:
        before = demo.instances()
        done = demo.types("tools rename-notebook notebook-data-science churn --local")
        assert done.code == 0, done
        assert "it is still called notebook-data-science" in done.err
        assert not (demo.work / "notebooks/notebook-data-science").exists()
        deployed = demo.types("tools deploy --local churn")
        assert deployed.code == 0, deployed
        after = demo.instances()
        assert sorted(after) == sorted(before)
        renamed = after["notebook-data-science"]
        assert renamed["CreationTime"] == before["notebook-data-science"]["CreationTime"]
        assert demo.tags(renamed)["Stack"] == "notebooks/churn"
        demo.no_changes("notebooks/churn")

    def test_of_a_notebook_of_the_repository_works_as_the_error_says(self, demo: Demo) -> None:
        told = demo.types("tools rename-notebook alice-notebook alice --local")
        assert "rename it there, without --local" in told.err, told
        for old, new in (("alice-notebook", "alice"), ("alice", "alice-notebook")):
            done = demo.types(f"tools rename-notebook {old} {new} --yes")
            assert done.code == 0, done
            assert (demo.root / "notebooks" / new / "main.tf").is_file()
            assert not (demo.root / "notebooks" / old).exists()


class TestARemoval:
    def test_by_hand_takes_the_instance_with_it(self, demo: Demo) -> None:
        before = demo.instances()
        done = demo.by_hand("terraform destroy -input=false -auto-approve", "notebooks/churn")
        assert done.code == 0, done
        assert sorted(demo.instances()) == sorted(before.keys() - {"notebook-data-science"})

    def test_leaves_nothing_to_do(self, demo: Demo) -> None:
        demo.by_hand("rm -r notebooks/churn")
        done = demo.types("tools plan --local --detailed-exitcode")
        assert done.code == 0, done
