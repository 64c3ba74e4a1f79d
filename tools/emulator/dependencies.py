"""EC2's refusal to delete what is in use, which moto-ext 5.1.18.post6 leaves out.

On AWS a network interface keeps its subnet and its security groups, and a rule keeps the group that
it names. So does an interface endpoint, for which moto makes an interface without its groups.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html
"""

from collections.abc import Callable, Iterator
from typing import Any

from .sagemaker.store import stores


def install() -> None:
    """Makes moto refuse to delete what is in use; called as LocalStack starts.

    From a hook in `localstack.hooks.on_infra_start`.
    """
    from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
    from moto.ec2.models.security_groups import SecurityGroupBackend
    from moto.ec2.models.subnets import SubnetBackend

    _guard(SecurityGroupBackend, "delete_security_group", _refuse_group)
    _guard(SubnetBackend, "delete_subnet", _refuse_subnet)
    _guard(NetworkInterfaceBackend, "delete_network_interface", _refuse_interface)


def _guard(backend_class: Any, method: str, refuse: Callable[..., None]) -> None:
    delete = getattr(backend_class, method)

    def delete_unless_used(backend: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(backend, *args, **kwargs)
        return delete(backend, *args, **kwargs)

    setattr(backend_class, method, delete_unless_used)


def _refuse_group(backend: Any, name: str | None = None, group_id: str | None = None) -> None:
    from moto.ec2.exceptions import DependencyViolationError

    group = backend.get_security_group_by_name_or_id(group_id or name)
    if group and group.id in _used_groups(backend, besides=group):
        raise DependencyViolationError(f"resource {group.id} has a dependent object")


def _used_groups(backend: Any, besides: Any) -> Iterator[str]:
    """The ids of the groups of interfaces and endpoints, and in rules of groups `besides` one."""
    for interface in _interfaces(backend):
        for group in interface.group_set:
            yield group.id
    for endpoint in _endpoints(backend):
        yield from endpoint.security_group_ids
    for groups in list(backend.groups.values()):
        for group in list(groups.values()):
            if group is not besides:
                for rule in [*group.ingress_rules, *group.egress_rules]:
                    yield rule.source_group.get("GroupId", "")


def _refuse_subnet(backend: Any, subnet_id: str) -> None:
    from moto.ec2.exceptions import DependencyViolationError

    used = {interface.subnet.id for interface in _interfaces(backend)}
    for endpoint in _endpoints(backend):
        used.update(endpoint.subnet_ids or ())
    if subnet_id in used:
        raise DependencyViolationError(
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
        )


def _refuse_interface(backend: Any, eni_id: str) -> None:
    """Refuses that of a notebook instance, which goes with the instance alone."""
    from moto.ec2.exceptions import EC2ClientError

    store = stores[backend.account_id][backend.region_name]
    for notebook in list(store.notebooks.values()):
        if notebook.network_interface == eni_id and notebook.status not in ("Deleting", "Deleted"):
            raise EC2ClientError(
                "InvalidParameterValue", f"Network interface '{eni_id}' is currently in use."
            )


def _interfaces(backend: Any) -> list[Any]:
    """Returns the interfaces in use, without those of machines and NAT gateways that are gone.

    Moto keeps them: a NAT gateway's (moto-ext 5.1.18.post6, moto/ec2/models/nat_gateways.py), and
    a machine's that is not marked to go with it (moto/ec2/models/instances.py).
    """
    gateways = list(backend.nat_gateways.values())
    gone = {gateway._eni.id for gateway in gateways if gateway.state == "deleted"}
    return [
        interface
        for interface in list(backend.enis.values())
        if interface.id not in gone
        and (interface.instance is None or interface.instance._state.name != "terminated")
    ]


def _endpoints(backend: Any) -> list[Any]:
    """Returns the endpoints without those that were deleted.

    Moto keeps these with that state (moto-ext 5.1.18.post6, moto/ec2/models/vpcs.py).
    """
    return [
        endpoint
        for endpoint in list(backend.vpc_end_points.values())
        if endpoint.state != "deleted"
    ]
