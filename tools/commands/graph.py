"""`tools graph`."""

import json

import click

from tools.commands import completions
from tools.context import Context
from tools.layout import contents
from tools.layout.graph import Graph

FORMATS = ("tree", "dot", "mermaid", "json", "svg", "matrix")


@click.command("graph", short_help="Show which stack reads which.")
@click.argument("stacks", nargs=-1, shell_complete=completions.stacks)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="tree",
    show_default=True,
    help="tree to read, dot (Graphviz) or mermaid for a document, json for a script, svg to view, "
    "matrix for the jobs of a pipeline.",
)
@click.option(
    "--shard-size",
    type=click.IntRange(min=1),
    default=25,
    show_default=True,
    help="With --format matrix: stacks of a wave in one job, at most.",
)
@click.pass_obj
@contents.keep_contents()
def command(context: Context, stacks: tuple[str, ...], form: str, shard_size: int) -> None:
    """Print which stack reads which, from their terraform_remote_state.

    With STACKS, named as for `tools deploy`: these stacks and all that are upstream or downstream.
    In the tree a stack is below the last stack that it reads. Arrows lead from a stack to the
    stacks that read it. If more than a dozen notebooks read the same stacks, they share one box.
    JSON has each of them: {"stacks": [{"name", "kind", "reads"}]}, upstream first, with "unknown"
    if a stack reads what is of no stack here for certain: the reasons. A matrix has the waves, in
    each of which no stack reads another: {"include": [{"wave": "1/3", "shard": "1/1", "stacks":
    ["shared-infra/s3"]}]}, as `tools plan --wave 1/3 --shard 1/1` chooses them.

    \b
    Examples:
      tools graph nlp
      tools graph --format svg > graph.svg
      tools graph --format matrix --shard-size 50
    """
    from tools.layout import graph_formats, matrix

    draw = {
        "tree": graph_formats.tree,
        "dot": graph_formats.dot,
        "mermaid": graph_formats.mermaid,
        "json": graph_formats.as_json,
        "svg": graph_formats.svg,
    }
    if form == "matrix":
        chosen = context.stacks(stacks) if stacks else None
        entries = matrix.entries(context.repository.stacks(), shard_size, chosen)
        click.echo(json.dumps({"include": entries}))
        return
    graph = Graph.from_stacks(context.repository.stacks())
    if stacks:
        graph = graph.around(stack.name for stack in context.stacks(stacks))
    click.echo(draw[form](graph))
