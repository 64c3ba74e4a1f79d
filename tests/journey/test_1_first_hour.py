"""README, "Try it": the demo, a look around, and then `tools init` and `tools deploy --local`."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.terraform.chain import check_deployed

from .conftest import DEMO, SHARED, Demo

GROUPS = "shared-infra/security-groups"  # the stack that is told its VPC


class TestTheDemo:
    def test_says_that_everything_is_deployed_with_its_url(self, demo: Demo) -> None:
        assert demo.ran.code == 0, demo.ran
        for stack in (
            *(f"shared-infra/{name}" for name in SHARED),
            *map("notebooks/{}".format, DEMO),
        ):
            assert any(
                line.split()[:2] == [stack, "applied"] for line in demo.ran.err.splitlines()
            ), stack
        lines = demo.ran.out.splitlines()
        for name in DEMO:
            at = next(at for at, line in enumerate(lines) if f"notebooks/{name} " in line)
            assert "InService" in lines[at]
            assert f"https://{name}-" in lines[at + 1]
            assert f"{demo.ran.out}{demo.ran.err}".count(f"https://{name}-") == 1
        for output in ("demo-datasets", "demo-models", ":role/demo-notebook", "vpc-", "subnet-"):
            assert output in demo.ran.out

    def test_ends_with_one_screen_of_what_there_is(self, demo: Demo) -> None:
        lines = demo.ran.out.splitlines()
        # A terminal of 24 lines, but for its prompt, and 80 columns; paths are as long as they are.
        assert len(lines) < 24, demo.ran.out
        assert all(len(line) <= 80 for line in lines if "/" not in line), demo.ran.out
        # Python's way to write a dictionary, a list, a truth value: none of it is for a person.
        assert not re.search(r"\{'|\['|\b(False|True|None)\b", demo.ran.out)
        assert "no Jupyter behind them" in demo.ran.out

    def test_has_made_what_it_says(self, demo: Demo) -> None:
        instances = demo.instances()
        assert sorted(instances) == list(DEMO)
        types = [instances[name]["InstanceType"] for name in DEMO]
        assert types == ["ml.m5.xlarge", "ml.t3.medium", "ml.m5.2xlarge"]
        for name, instance in instances.items():
            assert instance["NotebookInstanceStatus"] == "InService"
            assert instance["DirectInternetAccess"] == instance["RootAccess"] == "Disabled"
            assert instance["RoleArn"].endswith(":role/demo-notebook")
            assert demo.tags(instance)["Stack"] == f"notebooks/{name}"
        buckets = {bucket["Name"] for bucket in demo.client("s3").list_buckets()["Buckets"]}
        assert {"demo-datasets", "demo-models"} <= buckets
        endpoints = demo.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        assert sorted(endpoint["ServiceName"].split("us-east-1.")[1] for endpoint in endpoints) == [
            "ec2",
            "s3",
            "sagemaker.api",
            "sagemaker.runtime",
        ]

    def test_the_states_say_what_is_there(self, demo: Demo) -> None:
        check_deployed(demo.outputs(), demo.client)

    def test_leaves_the_clone_as_it_was(self, demo: Demo) -> None:
        assert demo.git_status() == ["!! .tools/"]

    def test_status_agrees(self, demo: Demo) -> None:
        done = demo.types("tools status --local --json")
        assert done.code == 0, done
        notebooks = json.loads(done.out)["notebooks"]
        assert sorted(one["name"] for one in notebooks) == list(DEMO)
        assert {(one["status"], *one["differences"]) for one in notebooks} == {("InService",)}

    def test_plain_terraform_has_nothing_to_do(self, demo: Demo) -> None:
        demo.no_changes("notebooks/notebook-dev")
        formed = demo.by_hand(
            "terraform fmt -check -diff && terraform validate", "notebooks/nlp-project"
        )
        assert formed.code == 0, formed

    def test_two_notebooks_share_data_as_the_example_shows(self, demo: Demo) -> None:
        done = demo.types("python examples/data-sharing/run.py")
        assert done.code == 0, done
        # By hand: means 3 and 60.4, slope 40 / 10 = 4, so 60.4 + 4 * (6 - 3).
        assert done.out.splitlines()[-1] == "6 hours give a score of 72.40"
        for name in ("notebook-dev", "notebook-prod"):
            role = f"arn:aws:sts::000000000000:assumed-role/demo-notebook/{name}"
            assert f"{name} works as {role}" in done.out
        s3 = demo.client("s3")
        written = s3.get_object(Bucket="demo-datasets", Key="shared/scores.csv")["Body"].read()
        assert written.splitlines()[:2] == [b"hours,score", b"1,53.0"]
        assert s3.head_object(Bucket="demo-models", Key="experiments/scores/model.joblib")

    def test_what_the_shared_role_may_do_is_explained(self, demo: Demo) -> None:
        done = demo.types("tools explain-access notebook-dev --local")
        assert done.code == 0, done
        assert ":role/demo-notebook (shared with other notebooks)" in done.out
        writes = done.out.split("\nWrites\n")[1].split("\nCalls\n")[0]
        assert "    arn:aws:s3:::demo-datasets/*\n" in writes
        assert "[bucket demo-models: DenyPlainHttp]" in done.out
        for name in ("iam", "notebooks/*"):
            refused = demo.types(f"tools explain-access '{name}' --local")
            assert refused.code == 1, refused
            assert f"{name} is not one notebook" in refused.err

    def test_nothing_has_drifted(self, demo: Demo) -> None:
        done = demo.types("tools drift --local --shared --detailed-exitcode")
        assert (done.code, done.out) == (0, ""), done

    def test_what_is_changed_by_hand_has_drifted(self, demo: Demo) -> None:
        with changes_by_hand(demo):
            done = demo.types("tools drift --local iam security-groups --detailed-exitcode")
        assert done.code == 2, done
        rows = [line.split(maxsplit=1) for line in done.out.splitlines()[1:]]
        assert [(stack, *text.split("  ")) for stack, text in rows] == [
            (f"shared-infra/{stack}", "changed outside of Terraform", details)
            for stack, details in [
                ("iam", 'aws_iam_policy.notebook["logs"] (attachment_count)'),
                ("iam", "aws_iam_role.notebook (inline_policy, managed_policy_arns)"),
                ("security-groups", "aws_security_group.endpoints (tags, tags_all)"),
                ("security-groups", "aws_security_group.notebooks (egress)"),
            ]
        ]


@contextmanager
def changes_by_hand(demo: Demo) -> Iterator[None]:
    """Changes in the cloud what the stacks declare, and takes it back."""
    iam, ec2 = demo.client("iam"), demo.client("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    ids = {group["GroupName"]: group["GroupId"] for group in groups}
    role, inline = {"RoleName": "demo-notebook"}, {"PolicyName": "by-hand"}
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    rule = {**ssh, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    named = [{"Key": "Name", "Value": "demo-endpoints"}]
    trust = _document(Action="sts:AssumeRole", Principal={"Service": "sagemaker.amazonaws.com"})
    logs = "arn:aws:iam::000000000000:policy/demo-notebook-logs"

    iam.attach_role_policy(**role, PolicyArn=admin)
    iam.put_role_policy(**role, **inline, PolicyDocument=_document(Action="*", Resource="*"))
    iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="by-hand", PolicyArn=logs)
    ec2.authorize_security_group_egress(GroupId=ids["demo-notebooks"], IpPermissions=[rule])
    ec2.create_tags(Resources=[ids["demo-endpoints"]], Tags=[{"Key": "Name", "Value": "mine"}])
    try:
        yield
    finally:
        iam.detach_role_policy(**role, PolicyArn=admin)
        iam.delete_role_policy(**role, **inline)
        iam.detach_role_policy(RoleName="by-hand", PolicyArn=logs)
        iam.delete_role(RoleName="by-hand")
        ec2.revoke_security_group_egress(GroupId=ids["demo-notebooks"], IpPermissions=[rule])
        ec2.create_tags(Resources=[ids["demo-endpoints"]], Tags=named)


def _document(**statement: object) -> str:
    statements = [{"Effect": "Allow", **statement}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class TestThenInit:
    """The clone becomes the user's own."""

    def test_what_is_typed_once_is_written(self, demo: Demo) -> None:
        done = demo.types("tools init --project acme-ml --region us-east-1 --default-vpc")
        assert done.code == 0, done
        assert done.out.split() == ["common.auto.tfvars", f"{GROUPS}/terraform.tfvars"]
        assert 'vpc_id = "default"' in (demo.root / GROUPS / "terraform.tfvars").read_text()
        changes = demo.types("git diff --unified=0 common.auto.tfvars").out
        assert re.findall(r"^[+-][^+-].*", changes, re.M) == [
            '-# project = "acme-ml"',
            '+project = "acme-ml"',
            '-# region = "us-east-1"',
            '+region = "us-east-1"',
        ]

    def test_the_local_cloud_of_another_project_is_to_be_reset(self, demo: Demo) -> None:
        before = demo.local_states()
        done = demo.types("tools deploy --local")
        assert (done.code, done.out) == (1, ""), done
        assert done.err == (
            "error: the local cloud was deployed for project demo in us-east-1, and this "
            "repository is now acme-ml in us-east-1; start the local cloud empty: "
            "tools local reset\n"
        )
        assert demo.local_states() == before

    def test_what_was_typed_is_never_overwritten(self, demo: Demo) -> None:
        done = demo.types("tools init --project demo --region us-east-1 --default-vpc")
        assert done.code == 1, done
        assert "left as it is: common.auto.tfvars (project, region), shared-infra/" in done.err
        assert 'project = "acme-ml"' in (demo.root / "common.auto.tfvars").read_text()

    def test_the_demo_s_project_goes_on_where_the_demo_was(self, demo: Demo) -> None:
        before = demo.local_states()
        assert len(before) == len(SHARED) + len(DEMO)
        typed = demo.types("sed -i s/acme-ml/demo/ common.auto.tfvars && tools deploy --local")
        assert typed.code == 0, typed
        # What init wrote is new to one stack, which is planned and stays what it is.
        assert f"{len(before) - 1} of {len(before)} stacks have not changed." in typed.err
        after = demo.local_states()
        groups, formerly = (json.loads(states.pop(GROUPS)) for states in (after, before))
        assert groups["outputs"] == formerly["outputs"]
        assert after == before
        assert sorted(demo.instances()) == list(DEMO)
