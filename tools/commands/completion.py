"""`tools completion`."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_TOOLS_COMPLETE"  # click's own name for a program called tools


@click.command("completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, stacks and notebooks.

    bash (4.4 or later) and zsh read it in ~/.bashrc and ~/.zshrc, fish in a file of its own. The
    names are those of the repository in which you are, or of --root or TOOLS_ROOT.

    \b
    Examples:
      eval "$(tools completion bash)"
      eval "$(tools completion zsh)"
      tools completion fish > ~/.config/fish/completions/tools.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell  # click has these three
    root = context.find_root()
    # Not kind.source(), which starts a bash to see its version: what it says is not of this shell.
    script = kind.source_template % kind(root.command, {}, "tools", VARIABLE).source_vars()
    click.echo(script)
