"""`tools init`."""

import click

from tools.aws import model
from tools.aws.client import Cloud
from tools.console.messages import say
from tools.console.prompt import is_interactive
from tools.context import Context
from tools.cost import prices
from tools.cost.model import Amount, Assumptions, Quantities, SharedSpec, estimate_month
from tools.errors import UserError
from tools.fleet import occupants
from tools.scaffold import settings
from tools.scaffold.settings import DEFAULT_VPC, ENDPOINT_SETS


@click.command("init", short_help="Set the project, region and VPC.")
@click.option(
    "--project", help="Prefix of every name: 2 to 32 lower-case letters, digits and hyphens."
)
@click.option("--region", help="AWS region, such as eu-central-1.")
@click.option("--vpc-id", help="VPC of the notebooks, with --subnet-id.")
@click.option("--default-vpc", is_flag=True, help="Use the region's default VPC.")
@click.option("--subnet-id", "subnet_ids", multiple=True, help="Private subnet. May be repeated.")
@click.option(
    "--route-table-id",
    "route_table_ids",
    multiple=True,
    help="Route table that gets the S3 endpoint. May be repeated.  [default: the subnets']",
)
@click.option(
    "--endpoints",
    type=click.Choice(list(ENDPOINT_SETS)),
    help="Interface endpoints; sdk adds what the SageMaker Python SDK needs.  [default: default]",
)
@click.option(
    "--nat-subnet",
    help="Public subnet's ID, or a free range such as 10.0.255.0/28, for a NAT gateway.",
)
@click.option("--bucket-suffix", help="Suffix of the bucket names, if the plain names are taken.")
@click.option("--state-bucket", help="S3 bucket for the states.  [default: local files]")
@click.pass_obj
def command(
    context: Context,
    project: str | None,
    region: str | None,
    vpc_id: str | None,
    default_vpc: bool,
    subnet_ids: tuple[str, ...],
    route_table_ids: tuple[str, ...],
    endpoints: str | None,
    nat_subnet: str | None,
    bucket_suffix: str | None,
    state_bucket: str | None,
) -> None:
    """Set the project, region and VPC that every stack uses.

    Prompts for missing values on a terminal. Writes project and region to common.auto.tfvars, the
    VPC to shared-infra/security-groups/terraform.tfvars, and subnets, route tables and endpoints to
    shared-infra/vpc-endpoints/terraform.tfvars. Overwrites nothing. Says what else is in the VPC,
    as far as AWS tells. A NAT gateway opens the notebooks' egress to the internet.
    """
    settings.refuse_configured(context.repository)
    if default_vpc and vpc_id:
        raise click.UsageError("--vpc-id and --default-vpc exclude each other")
    vpc_id = DEFAULT_VPC if default_vpc else vpc_id
    if is_interactive():
        project = project or _ask("Project (prefix of every name)", settings.check_project)
        region = region or _ask("AWS region", model.check_region)
        vpc_id = vpc_id or _ask('VPC (its ID, or "default")', settings.check_vpc)
        if vpc_id != DEFAULT_VPC and not subnet_ids:
            answer = _ask("Its private subnets, separated by spaces", settings.check_subnets)
            subnet_ids = tuple(answer.split())
        zones = len(subnet_ids) or 1
        endpoints = endpoints or _ask_endpoints(context, region, zones)
        # A default VPC's subnets are public: a NAT gateway would be refused there.
        if nat_subnet is None and vpc_id != DEFAULT_VPC:
            nat_subnet = _ask_nat(context, region)
    for option, value in (("--project", project), ("--region", region)):
        if not value:
            raise UserError(f"stdin is not a terminal; pass {option}")
    assert project
    assert region
    answers = settings.Settings(
        project,
        region,
        vpc_id,
        subnet_ids,
        route_table_ids,
        state_bucket,
        bucket_suffix,
        endpoints or "default",
        nat_subnet or None,
    )
    for path in settings.write(answers, context.repository):
        click.echo(path.relative_to(context.repository.root))
    for sentence in occupants.describe_declared(Cloud(region), context.repository):
        say(sentence)
    say("next: make deploy-shared, then tools new-notebook NAME")


def _ask_endpoints(context: Context, region: str, zones: int) -> str:
    costs = {
        name: f"{', '.join(services)}: {_month(context, region, SharedSpec(len(services), zones))}"
        for name, services in ENDPOINT_SETS.items()
    }
    say(f"Interface endpoints, and what they cost a month in {region}:")
    for name, cost in costs.items():
        say(f"  {name}: {cost}")
    say("The SageMaker Python SDK hangs or fails without those of sdk (docs/endpoints.md).")
    return str(click.prompt("Endpoints", type=click.Choice(list(costs)), default="default"))


def _ask_nat(context: Context, region: str) -> str:
    cost = _month(context, region, SharedSpec(nat_gateway=True))
    say(f"A NAT gateway, for pip, conda and Git hosts, costs {cost} a month, and more by the GB.")
    question = "NAT gateway in (a public subnet's ID, a free address range, or empty for none)"
    return _ask(question, settings.check_nat_subnet, default="")


def _month(context: Context, region: str, spec: SharedSpec) -> Amount:
    table = prices.load()
    return estimate_month(Quantities(region, [], spec), table, Assumptions()).amount


def _ask(question: str, check: settings.Check, default: str | None = None) -> str:
    """Asks until `check` accepts the answer, and returns it."""

    def read(answer: str) -> str:
        try:
            check(answer)
        except UserError as error:
            raise click.BadParameter(str(error)) from None
        return answer

    return str(click.prompt(question, default=default, show_default=False, value_proc=read))
