"""All checks, each of which ends in a line whatever happens."""

from collections.abc import Callable, Iterator, Sequence

from tools.aws import sessions
from tools.aws.client import Cloud, refuse_emulator
from tools.aws.vpcs import Vpc
from tools.context import Context
from tools.doctor import account, machine, quotas, repository
from tools.doctor.check import Check
from tools.errors import UserError, in_one_line
from tools.layout import variables
from tools.layout.stack import ENDPOINTS, GROUPS, Stack
from tools.localcloud import workspace
from tools.state.backend import ROOT

_ANY_REGION = "us-east-1"  # where every account may ask who it is
_NOT_CONFIGURED = "not checked without a project and a region"
_OF_ACCOUNT = ("vpc", "endpoints", "quotas")


def examine(context: Context, local: bool) -> Iterator[Check]:
    """Makes the checks, of AWS or of the local cloud, and yields each as it is known.

    Raises UserError if there is no repository, and nothing else.
    """
    root = context.repository.root
    yield from _guard("terraform", lambda: [machine.check_terraform(context.terraform())])
    yield from _guard("provider source", lambda: [machine.check_provider(context.terraform())])
    yield from _guard("python", lambda: [machine.check_python()])
    yield from _guard("disk", lambda: [machine.check_disk(root)])
    yield from _guard("settings", lambda: [_check_settings(context, local)])
    yield from _guard("region", lambda: [_check_region(context, local)])
    yield from _guard("lock files", lambda: [repository.check_locks(_roots(context))])
    yield from _guard("git", lambda: repository.check_git(root, _roots(context)))
    clouds: list[Cloud] = []
    yield from _guard("credentials", lambda: [_check_credentials(context, local, clouds)])
    if clouds and _is_configured(context):
        yield from _examine_account(context, clouds[0])
        return
    why = _NOT_CONFIGURED if clouds else "not checked without credentials"
    for name in _OF_ACCOUNT:
        yield Check(name, "unknown", why)


def _examine_account(context: Context, cloud: Cloud) -> Iterator[Check]:
    project = str(context.repository.common()["project"])

    def values(name: str) -> account.Values:
        return variables.read_values(Stack(context.repository.root, name))

    vpcs: list[Vpc] = []
    yield from _guard("vpc", lambda: [_check_vpc(cloud, values(GROUPS), values(ENDPOINTS), vpcs)])
    vpc = vpcs[0] if vpcs else None
    yield from _guard(
        "endpoints",
        lambda: [account.check_endpoints(cloud, vpc, project, values(ENDPOINTS))],
    )
    yield from _guard(
        "quotas",
        lambda: quotas.check_quotas(
            cloud, _types(context), _count(values(ENDPOINTS).get("interface_services"))
        ),
    )


def _check_settings(context: Context, local: bool) -> Check:
    if local and not _is_configured(context):
        detail = "no project is set; the local cloud works without"
        return Check("settings", "warning", detail, "tools init, before AWS")
    return repository.check_settings(context.repository)


def _check_region(context: Context, local: bool) -> Check:
    if not _is_configured(context):
        return Check("region", "unknown", _NOT_CONFIGURED)
    return repository.check_region(context.repository, None if local else sessions.default_region())


def _check_credentials(context: Context, local: bool, clouds: list[Cloud]) -> Check:
    """Whose credentials these are; adds the cloud that took them to `clouds`."""
    if local:
        region, endpoint = workspace.region(context.repository), context.running().endpoint
        cloud = Cloud(region, endpoint)  # which loads each service at its first request
    else:
        cloud = Cloud(_region_to_ask(context), is_hurried=True)
    check = account.check_credentials(cloud)
    clouds.append(cloud)
    return check


def _check_vpc(
    cloud: Cloud, groups: account.Values, endpoints: account.Values, vpcs: list[Vpc]
) -> Check:
    """Checks the VPC, and adds it to `vpcs` if there is one."""
    vpc = account.find_vpc(cloud, groups)
    if vpc is not None:
        vpcs.append(vpc)
    return account.check_vpc(cloud, vpc, groups, endpoints)


def _is_configured(context: Context) -> bool:
    try:
        return bool(context.repository.common())
    except UserError:  # `settings` has said it
        return False


def _region_to_ask(context: Context) -> str:
    """The repository's region or, before `tools init`, the one of AWS's settings or any."""
    if _is_configured(context):
        return context.aws_region()
    region_and_setting = sessions.default_region()
    region = region_and_setting[0] if region_and_setting else _ANY_REGION
    refuse_emulator(region)
    return region


def _roots(context: Context) -> list[Stack]:
    """Every stack, and bootstrap/, which is not among them."""
    root_stack = Stack(context.repository.root, ROOT)
    return [*([root_stack] if root_stack.path.is_dir() else []), *context.repository.stacks()]


def _types(context: Context) -> list[str]:
    """The instance type of each declared notebook that says one."""
    stacks = [stack for stack in context.repository.stacks() if stack.kind == "notebook"]
    declared = (values.get("instance_type") for _, values in variables.read_values_of(stacks))
    return [str(type_) for type_ in declared if type_]


def _count(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _guard(name: str, make: Callable[[], Sequence[Check]]) -> Sequence[Check]:
    """What `make` returns, or a check of this name that says why it could not."""
    try:
        return make()
    except UserError as error:
        return [Check(name, "error", in_one_line(str(error)))]
    except Exception as error:
        return [Check(name, "unknown", in_one_line(f"{type(error).__name__}: {error}"))]
