"""`tools init`."""

import click

from tools.aws import model
from tools.console.prompt import is_interactive
from tools.context import Context
from tools.errors import UserError
from tools.scaffold import settings


@click.command("init", short_help="Set the project, region and VPC.")
@click.option(
    "--project", help="Prefix of every name: 2 to 32 lower-case letters, digits and hyphens."
)
@click.option("--region", help="AWS region, such as eu-central-1.")
@click.option("--vpc-id", help="VPC of the notebooks.  [default: the region's default VPC]")
@click.option("--subnet-id", "subnet_ids", multiple=True, help="Private subnet. May be repeated.")
@click.option(
    "--route-table-id",
    "route_table_ids",
    multiple=True,
    help="Route table that gets the S3 endpoint. May be repeated.  [default: the subnets']",
)
@click.option("--bucket-suffix", help="Suffix of the bucket names, if the plain names are taken.")
@click.option("--state-bucket", help="S3 bucket for the states.  [default: local files]")
@click.pass_obj
def command(
    context: Context,
    project: str | None,
    region: str | None,
    vpc_id: str | None,
    subnet_ids: tuple[str, ...],
    route_table_ids: tuple[str, ...],
    bucket_suffix: str | None,
    state_bucket: str | None,
) -> None:
    """Set the project, region and VPC that every stack uses.

    Prompts for missing values on a terminal. Writes project and region to common.auto.tfvars, the
    VPC to shared-infra/security-groups/terraform.tfvars, and subnets and route tables to
    shared-infra/vpc-endpoints/terraform.tfvars. Overwrites nothing.
    """
    settings.refuse_configured(context.repository)
    if is_interactive():
        needs_vpc = vpc_id is None and not subnet_ids
        project = project or _ask("Project (prefix of every name)", settings.check_project)
        region = region or _ask("AWS region", model.check_region)
        if needs_vpc:
            vpc_id = _ask("VPC (empty: the default VPC)", settings.check_vpc, default="")
            if vpc_id:
                answer = _ask("Its private subnets, separated by spaces", settings.check_subnets)
                subnet_ids = tuple(answer.split())
    for option, value in (("--project", project), ("--region", region)):
        if not value:
            raise UserError(f"stdin is not a terminal; pass {option}")
    assert project
    assert region
    answers = settings.Settings(
        project, region, vpc_id, subnet_ids, route_table_ids, state_bucket, bucket_suffix
    )
    for path in settings.write(answers, context.repository):
        click.echo(path.relative_to(context.repository.root))
    click.echo("next: make deploy-shared, then tools new-notebook NAME", err=True)


def _ask(question: str, check: settings.Check, default: str | None = None) -> str:
    """Asks until `check` accepts the answer, and returns it."""

    def read(answer: str) -> str:
        try:
            check(answer)
        except UserError as error:
            raise click.BadParameter(str(error)) from None
        return answer

    return str(click.prompt(question, default=default, show_default=False, value_proc=read))
