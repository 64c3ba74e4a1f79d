"""docs/getting-started.md, "Take it down": notebooks first, and no data with it."""

import json
import socket

import pytest

from .conftest import Demo

BUCKETS = ("demo-datasets", "demo-models")


class TestTheEnd:
    def test_buckets_that_hold_objects_keep_everything(self, demo: Demo) -> None:
        before = demo.instances()
        done = demo.types("tools destroy --local")
        assert done.code == 1, done
        assert "bucket demo-datasets holds objects" in done.err
        assert "nothing was destroyed" in done.err
        assert sorted(demo.instances()) == sorted(before)

    def test_emptied_everything_goes_notebooks_first(self, demo: Demo) -> None:
        s3 = demo.client("s3")
        for bucket in BUCKETS:
            for one in s3.list_object_versions(Bucket=bucket).get("Versions", []):
                s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        done = demo.types("tools destroy --local")
        assert done.code == 0, done
        outcomes = {row.split()[0] for row in done.table().values()}
        assert outcomes == {"destroyed"}, done
        last_notebook = done.err.rindex("[notebooks/")
        assert last_notebook < done.err.index(f"[shared-infra/iam] {demo.program} destroy")
        assert done.err.index("[shared-infra/iam]") < done.err.index("[shared-infra/s3]")

    def test_the_cloud_is_empty_but_for_the_states(self, demo: Demo) -> None:
        assert demo.instances() == {}
        s3, ec2, iam = map(demo.client, ("s3", "ec2", "iam"))
        assert not set(BUCKETS) & {one["Name"] for one in s3.list_buckets()["Buckets"]}
        endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]  # a deleted one shows for a while
        assert {endpoint["State"] for endpoint in endpoints} <= {"deleted"}
        groups = {one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]}
        assert groups == {"default"}
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName="demo-notebook")
        left = {
            stack: json.loads(text)["resources"] for stack, text in demo.stored_states().items()
        }
        assert [stack for stack, resources in left.items() if resources] == ["bootstrap"]

    def test_the_local_cloud_ends_with_all_it_held(self, demo: Demo) -> None:
        done = demo.types("tools local down")
        assert done.code == 0, done
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", demo.port)).close()
        assert not demo.work.exists()
        assert json.loads(demo.types("tools local status --json").out)["running"] is False
