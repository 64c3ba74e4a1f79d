"""`tools init`."""

import click

from tools.aws import model
from tools.aws.client import Cloud
from tools.aws.network import DEFAULT_VPC
from tools.commands import init_questions
from tools.commands.init_questions import Questions
from tools.console import table
from tools.console.messages import say
from tools.console.prompt import ask, is_interactive
from tools.console.table import Column
from tools.context import Context
from tools.cost.model import SharedSpec
from tools.errors import UserError
from tools.fleet import occupants
from tools.scaffold import settings
from tools.scaffold.settings import ENDPOINT_SETS, Settings


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

    Prompts for missing values on a terminal, with the account's VPCs and subnets to choose from.
    The region is by default AWS_REGION's, AWS_DEFAULT_REGION's or the profile's. Writes project and
    region to common.auto.tfvars, the VPC to shared-infra/security-groups/terraform.tfvars, and
    subnets, route tables and endpoints to shared-infra/vpc-endpoints/terraform.tfvars. Overwrites
    nothing. Says what else is in the VPC, as far as AWS tells, and what the choice costs a month. A
    NAT gateway opens the notebooks' egress to the internet.

    \b
    Examples:
      tools init                         # asks for each value
      tools init --project acme --region eu-central-1 --default-vpc
    """
    settings.refuse_set_up(context.repository)
    if default_vpc and vpc_id:
        raise click.UsageError("--vpc-id and --default-vpc exclude each other")
    vpc_id = DEFAULT_VPC if default_vpc else vpc_id
    if region:
        model.check_region(region)
    if is_interactive():
        project = project or ask("Project (prefix of every name)", settings.check_project)
        region = region or init_questions.ask_region()
        questions = Questions(region)
        vpc_id = vpc_id or questions.ask_vpc()
        if vpc_id != DEFAULT_VPC and not subnet_ids:
            subnet_ids = questions.ask_subnets(vpc_id)
        endpoints = endpoints or questions.ask_endpoints(len(subnet_ids) or 1)
        # A default VPC's subnets are public: a NAT gateway would be refused there.
        # https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
        if nat_subnet is None and vpc_id != DEFAULT_VPC:
            nat_subnet = questions.ask_nat(subnet_ids)
    if not project:
        raise UserError("stdin is not a terminal; pass --project")
    region = region or _region_of_settings()
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
    settings.refuse_set_up(context.repository, list(answers.files()))
    _say_cost(answers)
    for path in settings.write(answers, context.repository):
        click.echo(path.relative_to(context.repository.root))
    for sentence in occupants.describe_declared(Cloud(region), context.repository):
        say(sentence)
    say("next: tools doctor, then tools deploy --shared, then tools new-notebook NAME")


def _region_of_settings() -> str:
    """The region of AWS's settings, which it names. Raises UserError without one."""
    region_and_setting = init_questions.default_region()
    if not region_and_setting:
        raise UserError("stdin is not a terminal; pass --region, or set AWS_REGION")
    region, setting = region_and_setting
    say(f"region {region}, from {setting}")
    return region


def _say_cost(answers: Settings) -> None:
    """Says what the endpoints and the NAT gateway cost; notebooks and data come on top."""
    services, zones = ENDPOINT_SETS[answers.endpoints], len(answers.subnet_ids) or 1
    spec = SharedSpec(len(services), zones, nat_gateway=bool(answers.nat_subnet))
    month = init_questions.estimate(answers.region, spec)
    say(f"A month in {answers.region}, notebooks and traffic apart: {month.amount}")
    rows = [(line.what, str(line.amount)) for line in month.lines]
    table.show(rows, ("What", Column("A month", to_right=True)), indent="  ", err=True)
    if month.unknown:
        say("To look up what is unknown: tools cost --refresh")
