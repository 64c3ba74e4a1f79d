"""`tools ci`: the files of a pipeline, and the steps that its jobs call."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from tools.commands.options import FILE, PortionType
from tools.console.messages import say
from tools.context import Context
from tools.engine.run import Result
from tools.errors import UserError
from tools.layout.waves import Portion
from tools.pipelines import atlantis, files, hosting, markdown
from tools.pipelines.steps import Pipeline
from tools.runs.options import Options
from tools.runs.summary import summarize

_COMMENT = "<!-- tools ci: plan -->"
_ISSUE = "<!-- tools ci: drift -->"

_wave = click.option("--wave", type=PortionType(), required=True, help="Wave, such as 2/6.")
_shard = click.option("--shard", type=PortionType(), required=True, help="Shard, such as 3/8.")
_run = click.option("--run", required=True, help="Number of the pipeline's run.")
_shard_size = click.option(
    "--shard-size",
    type=click.IntRange(min=1),
    default=25,
    show_default=True,
    help="Stacks of a wave in one job, at most.",
)
_summary = click.option(
    "--summary",
    type=FILE,
    help="File to append the Markdown to.",
)
_child = click.option(
    "--child",
    type=FILE,
    help="File to write the jobs to, as a child pipeline of GitLab.",
)
_check = click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file differs.")
_force = click.option("--force", is_flag=True, help="Replace files that were edited by hand.")
_branch = click.option("--branch", help="Branch that is deployed.  [default: main]")
_terraform = click.option("--terraform", help="Version of Terraform.  [default: 1.11.4]")
_environment = click.option(
    "--environment", help="Environment whose approval an apply needs.  [default: notebooks]"
)


@click.group("ci", short_help="Write a pipeline's files, and run its steps.")
def command() -> None:
    """Write the pipeline of GitHub Actions, GitLab CI or Atlantis, and run its steps.

    The pipelines of GitHub and GitLab read the graph of the stacks as they run. A new notebook
    needs no new pipeline. docs/pipelines.md says how to set one up.

    \b
    Examples:
      tools ci github
      tools ci atlantis --check
    """


def _platform(name: str) -> Callable[[Callable[..., None]], click.Command]:
    def decorate(function: Callable[..., None]) -> click.Command:
        for option in (_check, _force, _environment, _terraform, _branch):
            function = option(function)
        return command.command(name)(click.pass_obj(function))

    return decorate


@_platform("github")
def github(context: Context, /, check: bool, force: bool, **given: str | None) -> None:
    """Write the workflows of GitHub Actions into .github/workflows.

    Options that are not given are those that the files were made with. A file that was edited by
    hand is not replaced, and its difference is shown.

    \b
    Examples:
      tools ci github
      tools ci github --check
      tools ci github --branch release --environment production
    """
    _write(context, "github", check, force, given)


@_platform("gitlab")
def gitlab(context: Context, /, check: bool, force: bool, **given: str | None) -> None:
    """Write the pipeline of GitLab CI into .gitlab, for .gitlab-ci.yml to include.

    Options that are not given are those that the files were made with. A file that was edited by
    hand is not replaced, and its difference is shown.

    \b
    Examples:
      tools ci gitlab
      tools ci gitlab --check
    """
    _write(context, "gitlab", check, force, given)


@command.command("atlantis")
@_check
@_force
@click.pass_obj
def atlantis_(context: Context, check: bool, force: bool) -> None:
    """Write atlantis.yaml: a project for each stack, in the order of the graph.

    Unlike the others it changes with the stacks: run it again after each, and --check in a test.

    \b
    Examples:
      tools ci atlantis
      tools ci atlantis --check
    """
    _show_written(atlantis.write(context, check, force))


def _write(
    context: Context, platform: str, check: bool, force: bool, given: dict[str, str | None]
) -> None:
    region = str(context.repository.common()["region"])
    _show_written(files.write(context.repository.root, platform, region, given, check, force))


def _show_written(done: files.Written) -> None:
    for line in done.lines:
        click.echo(line)
    if done.differs:
        raise click.exceptions.Exit(1)


@command.command("matrix")
@_shard_size
@_child
@click.pass_obj
def matrix_(context: Context, shard_size: int, child: Path | None) -> None:
    """Print the jobs that plan what a change reaches, as outputs of a job of GitHub.

    \b
    Examples:
      tools ci matrix --shard-size 10
    """
    jobs = Pipeline.open(context, Options()).start(shard_size)
    _write_child(context, child, "plan", jobs=jobs)
    click.echo(f"matrix={json.dumps({'include': jobs})}\ncount={len(jobs)}")


@command.command("plan")
@_wave
@_shard
@click.pass_obj
def plan(context: Context, wave: Portion, shard: Portion) -> None:
    """Plan what has changed of a shard, and keep the plans in the bucket of the states.

    States are not locked: the role of this job only reads them.

    \b
    Examples:
      tools ci plan --wave 1/6 --shard 1/3
    """
    Pipeline.open(context, Options(locks=False)).plan(wave, shard)


@command.command("comment")
@click.option("--request", required=True, help="Number of the pull or merge request.")
@click.option("--base", default="HEAD^1", show_default=True, help="Commit to compare costs with.")
@_summary
@click.pass_obj
def comment(context: Context, request: str, base: str, summary: Path | None) -> None:
    """Write what a pull or merge request would change into its one comment.

    The exit code is 1 if a plan failed.

    \b
    Examples:
      tools ci comment --request 12
    """
    results = Pipeline.open(context, Options()).planned()
    cost = markdown.describe_cost(context, base)
    text = markdown.describe_plan(results, context.repository.stacks(), cost)
    _append(summary, text)
    say(hosting.from_environment(context.env).write_comment(request, _COMMENT, text))
    _exit_if_bad(results)


@command.command("prepare")
@_wave
@_run
@_shard_size
@_child
@click.option(
    "--allow-destroy", is_flag=True, help="With --child: its jobs apply plans that lose data, too."
)
@_summary
@click.pass_obj
def prepare(
    context: Context,
    wave: Portion,
    run: str,
    shard_size: int,
    child: Path | None,
    allow_destroy: bool,
    summary: Path | None,
) -> None:
    """Get the plans of a wave ready for approval, and print their shards and digest.

    Takes the plans of the pull request if they are of the same files and nothing else has changed
    since. Plans again what has gone stale, or what reads something that an earlier wave changed.

    \b
    Examples:
      tools ci prepare --wave 2/6 --run 345
    """
    prepared = Pipeline.open(context, Options(locks=False)).prepare(wave, run, shard_size)
    _append(summary, markdown.describe_wave(wave.number, prepared.results, prepared.digest))
    jobs = [{"wave": str(wave), "shard": shard} for shard in prepared.shards]
    values = {"run": run, "digest": prepared.digest, "allow_destroy": allow_destroy}
    _write_child(context, child, "apply", jobs=jobs, **values)
    click.echo(f"shards={json.dumps(prepared.shards)}\ndigest={prepared.digest}")


@command.command("deploy")
@_wave
@_shard
@_run
@click.option("--digest", required=True, help="Digest of the plans that were approved.")
@click.option("--allow-destroy", is_flag=True, help="Apply plans that lose data, too.")
@click.pass_obj
def deploy(
    context: Context,
    wave: Portion,
    shard: Portion,
    run: str,
    digest: str,
    allow_destroy: bool,
) -> None:
    """Apply the approved plans of a shard, exactly as they were shown.

    \b
    Examples:
      tools ci deploy --wave 2/6 --shard 1/3 --run 345 --digest 0f3c
    """
    Pipeline.open(context, Options(allow_destroy=allow_destroy)).deploy(wave, shard, run, digest)


@command.command("result")
@_run
@_summary
@click.pass_obj
def result(context: Context, run: str, summary: Path | None) -> None:
    """Say what has become of a deployment; the exit code is 1 if something is not applied.

    \b
    Examples:
      tools ci result --run 345
    """
    results = Pipeline.open(context, Options()).results(run)
    _append(summary, markdown.describe_deployment(results))
    summarize(results)
    _exit_if_bad(results)


@command.command("drift-issue")
@click.argument("drift", type=FILE)
@_summary
@click.pass_obj
def drift_issue(context: Context, drift: Path, summary: Path | None) -> None:
    """Open the issue on drift, or update it, from the JSON of `tools drift --json`.

    Closes the issue if there is no drift any more.

    \b
    Examples:
      tools ci drift-issue drift.json
    """
    try:
        text = markdown.describe_drift(json.loads(drift.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{drift} is not what tools drift --json prints: {error}") from None
    _append(summary, text or "No drift.\n")
    address = hosting.from_environment(context.env).write_issue(
        _ISSUE, "Notebooks: changed outside of Terraform", text
    )
    say(address or "no drift, and no issue")


def _append(summary: Path | None, text: str) -> None:
    if summary:
        with summary.open("a", errors="backslashreplace") as file:
            file.write(text)


def _write_child(context: Context, child: Path | None, kind: str, **values: Any) -> None:
    if child:
        root, region = context.repository.root, str(context.repository.common()["region"])
        template = f"gitlab-child-{kind}.yml.j2"
        child.write_text(files.render_child(root, template, region, **values))


def _exit_if_bad(results: Sequence[Result]) -> None:
    if any(result.is_unfinished for result in results):
        raise click.exceptions.Exit(1)
