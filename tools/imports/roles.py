"""A role that shared-infra/iam would take."""

from typing import Any

from tools.aws.policies import as_list
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports.destination import Site, lost_tags, tags
from tools.imports.request import IAM, Adoption, Takeover

_INLINE = "pass-itself"  # the stack's own inline policy
_SHORTEST_SESSION = 3600  # seconds, what the stack's role has


def role(site: Site, name: str) -> Takeover:
    """The role called `name` as the one that all notebooks share.

    Raises UserError where it does not exist, or belongs to an AWS service.
    """
    found = (site.ask(f"look for role {name}", "iam", "get_role", RoleName=name) or {}).get("Role")
    if not found:
        raise UserError(
            f"role {name} does not exist; to see which there are: tools import{site.option} --scan"
        )
    if found["Path"].startswith("/aws-service-role/"):
        raise UserError(f"role {name} belongs to an AWS service, which alone may change it")
    name = found["RoleName"]  # IAM finds it in whatever case
    declared = site.declared(IAM)
    values: dict[str, Value] = {}
    if (declared.get("role_name") or f"{site.project}-notebook") != name:
        values["role_name"] = name
    if declared.get("role_path") != found["Path"]:
        values["role_path"] = found["Path"]
    boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if boundary and declared.get("permissions_boundary_arn") != boundary:
        values["permissions_boundary_arn"] = boundary
    about = f"read the policies of role {name}"
    inline = site.every(about, "iam", "list_role_policies", "PolicyNames", RoleName=name)
    adoptions = [Adoption.at(IAM, "aws_iam_role.notebook", name)]
    if _INLINE in inline:
        adoptions.append(Adoption.at(IAM, "aws_iam_role_policy.pass_itself", f"{name}:{_INLINE}"))
    others = [policy for policy in inline if policy != _INLINE]
    attached = site.every(
        about, "iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name
    )
    others += [policy["PolicyName"] for policy in attached]
    notes = _notes(site, found, [policy for policy in others if not _is_ours(site, policy)])
    return Takeover(tuple(adoptions), {IAM: values} if values else {}, notes=tuple(notes))


def _is_ours(site: Site, policy: str) -> bool:
    return policy.startswith(f"{site.project}-notebook-")


def _notes(site: Site, role: Any, others: list[str]) -> list[str]:
    name = role["RoleName"]
    notes = []
    if others:
        notes.append(
            f"role {name}: its policies {', '.join(sorted(others))} stay, unmanaged, and allow "
            "what they did: take them away once the stack's own are enough"
        )
    trust = role["AssumeRolePolicyDocument"]
    if _principals(trust) != {("Service", "sagemaker.amazonaws.com")} or _has_conditions(trust):
        notes.append(
            f"role {name}: its trust policy gives way to the stack's, which lets SageMaker alone "
            "assume it"
        )
    if role.get("MaxSessionDuration", _SHORTEST_SESSION) != _SHORTEST_SESSION:
        notes.append(f"role {name}: its sessions last an hour at most, as in the stack")
    boundary = site.declared(IAM).get("permissions_boundary_arn")
    if boundary and "PermissionsBoundary" not in role:
        notes.append(f"role {name}: it gets the permissions boundary {boundary}")
    return notes + lost_tags(f"role {name}", tags(role.get("Tags", [])))


def _principals(trust: Any) -> set[tuple[str, str]]:
    return {
        (kind, one)
        for statement in as_list(trust.get("Statement", []))
        for kind, named in _pairs(statement.get("Principal", {}))
        for one in as_list(named)
    }


def _pairs(principal: Any) -> list[tuple[str, Any]]:
    return list(principal.items()) if isinstance(principal, dict) else [("*", principal)]


def _has_conditions(trust: Any) -> bool:
    return any("Condition" in statement for statement in as_list(trust.get("Statement", [])))
