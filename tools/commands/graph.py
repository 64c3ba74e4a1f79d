"""`tools graph`."""

import click

from tools.context import Context
from tools.layout.graph import Graph

FORMATS = ("tree", "dot", "mermaid", "json", "svg")


@click.command("graph", short_help="Show which stack reads which.")
@click.argument("stacks", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="tree",
    show_default=True,
    help="A tree to read, Graphviz or Mermaid for a document, JSON for a script, a picture.",
)
@click.pass_obj
def command(context: Context, stacks: tuple[str, ...], form: str) -> None:
    """Show on standard output which stack reads which, as their terraform_remote_state says.

    With STACKS, named as for `tools deploy`: these, all that they need, and all that needs them.
    In the tree a stack stands below the last of those that it reads; arrows lead from a stack to
    those that read it. Where more than a dozen notebooks read the same, they are one box; JSON
    has each: {"stacks": [{"name", "kind", "reads"}]}, upstream first.
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
