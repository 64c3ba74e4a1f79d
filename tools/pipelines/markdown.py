"""What a pipeline says to the people who review, in Markdown."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.context import Context
from tools.cost import estimates, prices
from tools.cost.estimates import CostQuestion
from tools.engine.run import Result
from tools.errors import UserError, first_of
from tools.layout import graph
from tools.layout.stack import Stack
from tools.runs import report_file
from tools.system import git

# Characters. GitHub takes 65,536 in a comment ("Body is too long (maximum is 65536 characters)"):
# https://github.com/orgs/community/discussions/27190
# GitLab takes 1,000,000: https://docs.gitlab.com/administration/instance_limits
_LONGEST = 60_000
_MOST_ROWS = 150
_MOST_NAMES = 10  # of stacks in a command; without any it is about all


def describe_plan(results: Sequence[Result], stacks: Sequence[Stack], cost: str) -> str:
    """Returns what a pull request would change: losses first, then each stack, then the cost."""
    names = {result.stack for result in results}
    reads = graph.reads_among(stacks)
    followers = graph.reachable(names & reads.keys(), graph.readers(reads)) - names
    lines = ["## What this would change", ""]
    lines += _losses(results)
    lines += [_table(results, "plan") if results else "Nothing.\n"]
    if followers:
        lines += [
            f"{len(followers)} more stacks read these. They are planned once these are applied, "
            "and shown for approval if they change.\n"
        ]
    return _bounded("\n".join([*lines, cost]))


def describe_wave(number: int, results: Sequence[Result], digest: str) -> str:
    """Returns what is to be approved in one wave of a deployment."""
    lines = [f"## Wave {number}", "", *_losses(results)]
    lines += [_table(results, "plan") if results else "Nothing to do.\n", f"Plans: `{digest}`\n"]
    return _bounded("\n".join(lines))


def describe_deployment(results: Sequence[Result]) -> str:
    """Returns what has become of a deployment."""
    return _bounded(_table(results, "deploy") if results else "Nothing was to be deployed.\n")


def describe_drift(entries: Sequence[dict[str, Any]]) -> str:
    """Returns what was changed outside of Terraform, from `tools drift --json`; empty if nothing.

    A stack that could not be compared counts as changed.
    """
    lines = []
    changed = [entry["stack"] for entry in entries if entry["outside"]]
    for entry in entries:
        if entry["status"] == "failed":
            lines.append(f"- `{entry['stack']}`: could not be compared: {entry['detail']}")
        for change in entry["outside"]:
            attributes = ", ".join(change["attributes"])
            what = "is gone" if change["action"] == "destroy" else f"was changed: {attributes}"
            lines.append(f"- `{entry['stack']}`: `{change['address']}` {what}")
    if not lines:
        return ""
    head = "What is in AWS is not what was deployed."
    if changed:
        # Without --refresh a stack whose files have not changed is not planned.
        names = "" if len(changed) > _MOST_NAMES else f" {' '.join(changed)}"
        head += f" This makes it so again: `tools deploy --refresh{names}`"
    return _bounded("\n".join([head, "", *lines, ""]))


def describe_cost(context: Context, base: str) -> str:
    """Returns what a month costs now and at the commit `base`; says so if that is not known."""
    root = context.repository.root
    after, is_known = _estimate(context)
    with tempfile.TemporaryDirectory(prefix="base-") as folder:
        copy = Path(folder) / "repository"
        if why := git.complaint(root, "worktree", "add", "--detach", str(copy), base):
            if git.ask(root, "rev-parse") is not None and not _has_commit(root, base):
                why = f"git has no commit {base} here"
            before = f"unknown: {why}"
        else:
            before, _ = _estimate(Context(copy, context.env))
            git.ask(root, "worktree", "remove", "--force", str(copy))
    if before == after and is_known:
        return f"A month costs {after}, as before.\n"
    return f"A month costs {after}. Before: {before}.\n"


def _has_commit(root: Path, name: str) -> bool:
    return git.ask(root, "cat-file", "-e", f"{name}^{{commit}}") is not None


def _estimate(context: Context) -> tuple[str, bool]:
    """A month's amount, with what has no price, and whether it is the whole amount."""
    try:
        estimate = estimates.estimate(context, CostQuestion())
    except UserError as error:
        return f"unknown: {error}", False
    if not estimate.unknown:
        return str(estimate.amount), estimate.amount.complete
    unknown = first_of(prices.describe_each(estimate.unknown), 5)
    return f"{estimate.amount} (no price is known for {unknown})", False


def _losses(results: Sequence[Result]) -> list[str]:
    losing = [result for result in results if result.losses]
    if not losing:
        return []
    lines = ["> [!CAUTION]", "> 🔴 **Data is lost:**"]
    lines += [f"> - **{result.stack}: {', '.join(result.losses)}**" for result in losing]
    return [*lines, ""]


def _table(results: Sequence[Result], command: str) -> str:
    shown = [result for result in results if result.outcome != "unchanged"][:_MOST_ROWS]
    hidden = len(results) - len(shown)
    rest = f"\n{hidden} more are unchanged, or left out for their number.\n" if hidden else ""
    return report_file.markdown(shown, command) + rest


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rpartition("\n")[0] + "\n\nThe rest is in the jobs' logs.\n"
