"""Why a scan offers something by another name, or not at all; tests/imports scans more."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.unit.imports.conftest import WithValues, only_vpc
from tests.unit.imports.test_builders import declare, make_endpoint, make_notebook
from tests.unit.remote_state.conftest import Team
from tools.imports import scan
from tools.imports.destination import Destination
from tools.imports.inventory import Inventory
from tools.imports.scan import Candidate
from tools.layout.stack import ENDPOINTS, GROUPS, IAM


def hold(shipped: Team, stack: str, kind: str, name: str, id: str, **more: Any) -> None:
    """Gives a stack a state with one resource."""
    instance = {"attributes": {"id": id, "name": id}, **more}
    resource = {"mode": "managed", "type": kind, "name": name, "instances": [instance]}
    state = {"version": 4, "lineage": stack, "serial": 1, "outputs": {}, "resources": [resource]}
    (shipped.root / stack / "terraform.tfstate").write_text(json.dumps(state))


def candidates(destination: Destination, kind: str) -> list[Candidate]:
    return [one for one in scan.find_candidates(destination) if one.kind == kind]


def test_what_a_stack_has_one_of_is_not_offered_again(
    shipped: Team, destination: Destination
) -> None:
    """A notebook with a role and a group of its own, where the stacks have theirs already."""
    hold(shipped, IAM, "aws_iam_role", "notebook", "acme-notebook-shared")
    hold(shipped, GROUPS, "aws_security_group", "notebooks", "sg-0000aaaa")
    hold(shipped, ENDPOINTS, "aws_vpc_endpoint", "s3", "vpce-0000aaaa", index_key=0)
    ec2 = destination.cloud.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=only_vpc(destination))
    make_notebook(destination, "nlp", groups=[group["GroupId"]])
    gateway = make_endpoint(destination, "s3", "Gateway")
    (role,) = candidates(destination, "role")
    assert (role.name, role.command) == ("acme-notebook", "")
    assert role.why == f"{IAM} already has acme-notebook-shared; notebooks with this role keep it"
    (found,) = candidates(destination, "security-group")
    assert (found.name, found.command) == (group["GroupId"], "")
    assert found.why == f"{GROUPS} already has sg-0000aaaa for its notebooks"
    (endpoint,) = candidates(destination, "endpoint")
    assert (endpoint.name, endpoint.command) == (gateway, "")
    assert endpoint.why == f"{ENDPOINTS} already has vpce-0000aaaa for s3"


def test_an_endpoint_that_the_stack_makes_none_of_has_its_reason(
    shipped: Team, destination: Destination
) -> None:
    id = make_endpoint(destination, "dynamodb", "Gateway")
    (endpoint,) = candidates(destination, "endpoint")
    assert (endpoint.name, endpoint.command) == (id, "")
    assert "of type Gateway for com.amazonaws.us-east-1.dynamodb" in endpoint.why


def test_a_bucket_that_may_not_be_listed_has_awss_words(
    shipped: Team, destination: Destination
) -> None:
    described = scan._Scan(destination, Inventory({}))
    with Stubber(destination.cloud.client("s3")) as s3:
        s3.add_client_error("list_objects_v2", "AccessDenied", "not for you")
        candidate = described._bucket("theirs", ())
    assert candidate.command == ""
    assert "AccessDenied" in candidate.why


@pytest.mark.parametrize("name", ["nlp", "n" * 63])
def test_a_directory_of_another_instance_is_not_offered(
    shipped: Team, destination_with: WithValues, name: str
) -> None:
    """The user has to choose a name then, which the command leaves open."""
    declare(shipped, name, 'name = "another"')
    destination = destination_with()
    make_notebook(destination, name)
    (candidate,) = candidates(destination, "notebook")
    assert candidate.why == ""
    assert candidate.command == f"tools import notebook {name} --directory DIRECTORY"
    assert candidate.stack == "notebooks/DIRECTORY"
