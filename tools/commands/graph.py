"""`tools graph`."""

import click

from tools.commands import completions
from tools.context import Context
from tools.layout.graph import Graph

FORMATS = ("tree", "dot", "mermaid", "json", "svg")


@click.command("graph", short_help="Show which stack reads which.")
@click.argument("stacks", nargs=-1, shell_complete=completions.stacks)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="tree",
    show_default=True,
    help="tree to read, dot (Graphviz) or mermaid for a document, json for a script, svg to view.",
)
@click.pass_obj
def command(context: Context, stacks: tuple[str, ...], form: str) -> None:
    """Print which stack reads which, from their terraform_remote_state.

    With STACKS, named as for `tools deploy`: these stacks and all that are upstream or downstream.
    In the tree a stack is below the last stack that it reads. Arrows lead from a stack to the
    stacks that read it. If more than a dozen notebooks read the same stacks, they share one box.
    JSON has each of them: {"stacks": [{"name", "kind", "reads"}]}, upstream first. "unknown" gives
    the reasons if it is not certain what a stack reads.

    \b
    Examples:
      tools graph
      tools graph nlp --format mermaid
      tools graph --format svg > stacks.svg
    """
    from tools.layout import graph_formats

    draw = {
        "tree": graph_formats.tree,
        "dot": graph_formats.dot,
        "mermaid": graph_formats.mermaid,
        "json": graph_formats.as_json,
        "svg": graph_formats.svg,
    }
    graph = Graph.from_stacks(context.repository.stacks())
    if stacks:
        graph = graph.around(stack.name for stack in context.stacks(stacks))
    click.echo(draw[form](graph))
