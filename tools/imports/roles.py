"""A role to import into shared-infra/iam."""

from typing import Any

from tools.aws.policies import as_list
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports.destination import Destination, note_lost_tags, parse_tags
from tools.imports.request import ImportRequest, ResourceImport
from tools.layout.stack import IAM

_INLINE = "pass-itself"  # the stack's only inline policy
# Seconds. The stack leaves it at the provider's default:
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role#max_session_duration
_SESSION = 3600


def request_role(destination: Destination, name: str) -> ImportRequest:
    """Requests the role called `name` as the one that all notebooks share.

    Raises UserError if it does not exist, or belongs to an AWS service.
    """
    answer = destination.ask(f"look for role {name}", "iam", "get_role", RoleName=name)
    if not answer:
        raise UserError(
            f"role {name} does not exist; to list what can be imported: "
            f"tools import{destination.option} --scan"
        )
    role = answer["Role"]
    if role["Path"].startswith("/aws-service-role/"):
        raise UserError(f"role {name} belongs to an AWS service, and only that can change it")
    # IAM finds a name in any case; Terraform would replace a role whose case differs.
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    name = role["RoleName"]
    inline = destination.ask_pages(
        f"read the policies of role {name}",
        "iam",
        "list_role_policies",
        "PolicyNames",
        RoleName=name,
    )
    imports = [ResourceImport.at(IAM, "aws_iam_role.notebook", name)]
    if _INLINE in inline:
        inline.remove(_INLINE)
        address = "aws_iam_role_policy.pass_itself"
        imports.append(ResourceImport.at(IAM, address, f"{name}:{_INLINE}"))
    attached = [policy["PolicyName"] for policy in attached_policies(destination, name)]
    prefix = f"{destination.name_prefix}-notebook-"  # of the stack's own policies
    others = [policy for policy in (*inline, *attached) if not policy.startswith(prefix)]
    values = _values(destination, role)
    return ImportRequest(
        tuple(imports),
        {IAM: values} if values else {},
        notes=tuple(_notes(destination, role, others)),
    )


def attached_policies(destination: Destination, name: str) -> list[Any]:
    """Returns the managed policies of a role, as IAM lists them: name and ARN."""
    return destination.ask_pages(
        f"read the policies of role {name}",
        "iam",
        "list_attached_role_policies",
        "AttachedPolicies",
        RoleName=name,
    )


def _values(destination: Destination, role: Any) -> dict[str, Value]:
    declared = destination.declared(IAM)
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    values: dict[str, Value] = {}
    if (declared.get("role_name") or f"{destination.name_prefix}-notebook") != role["RoleName"]:
        values["role_name"] = role["RoleName"]
    if declared.get("role_path") != role["Path"]:
        values["role_path"] = role["Path"]
    if boundary and declared.get("permissions_boundary_arn") != boundary:
        values["permissions_boundary_arn"] = boundary
    return values


def _notes(destination: Destination, role: Any, others: list[str]) -> list[str]:
    """Notes on what the stack changes of the role; `others` are its policies that stay."""
    label = f"role {role['RoleName']}"
    notes = []
    if others:
        notes.append(
            f"{label}: its policies {', '.join(sorted(others))} stay, unmanaged, and allow what "
            "they did: remove them once the stack's policies are enough"
        )
    trust = as_list(role["AssumeRolePolicyDocument"].get("Statement", []))
    if _principals(trust) != {("Service", "sagemaker.amazonaws.com")} or any(
        "Condition" in statement for statement in trust
    ):
        notes.append(
            f"{label}: the stack's trust policy replaces its own: only SageMaker may assume the "
            "role"
        )
    if role.get("MaxSessionDuration", _SESSION) != _SESSION:
        notes.append(f"{label}: its sessions will last at most one hour, as the stack says")
    boundary = destination.declared(IAM).get("permissions_boundary_arn")
    if boundary and "PermissionsBoundary" not in role:
        notes.append(f"{label}: it gets the permissions boundary {boundary}")
    return notes + note_lost_tags(label, parse_tags(role.get("Tags", [])))


def _principals(statements: list[Any]) -> set[tuple[str, str]]:
    """Whom a trust policy allows: kind and name of each principal."""
    principals = [statement.get("Principal", {}) for statement in statements]
    return {
        (kind, name)
        for principal in principals
        for kind, names in (principal if isinstance(principal, dict) else {"*": principal}).items()
        for name in as_list(names)
    }
