"""`tools start`."""

from typing import Any

import click

from tools.aws import model
from tools.commands import options, start_stop
from tools.context import Context


def _check_type(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    wrong = value and model.complaint(value, model.member("InstanceType"))
    if wrong:
        raise click.BadParameter(str(wrong))
    return value


@click.command("start", short_help="Start notebooks and wait until they run.")
@options.for_start_and_stop
@click.option("--idle", is_flag=True, help="Notebooks stopped by auto-stop in the last 14 days.")
@click.option(
    "--instance-type",
    metavar="TYPE",
    callback=_check_type,
    help="First give them another type, such as one that AWS has capacity for.",
)
@click.pass_obj
def command(context: Context, /, idle: bool, instance_type: str | None, **given: Any) -> None:
    """Start NOTEBOOKS in parallel, and wait until each is InService.

    A notebook is named by its directory, its name in AWS, or a glob ('nlp-*', '*'). A notebook
    that runs already is left alone. A notebook that cannot be started is reported and skipped, and
    the exit code is 1. One that has Failed keeps its volume and is started like a stopped one, with
    --instance-type as another machine; set instance_type in its terraform.tfvars then, and run
    `tools deploy --refresh`. A running notebook costs money by the hour. Ctrl-C ends only the wait.

    \b
    Examples:
      tools start nlp
      tools start '*' --where environment=dev
      tools start nlp --instance-type ml.m5.xlarge
    """
    start_stop.run(context, "start", idle, instance_type=instance_type, **given)
