"""The plan at the end of an import: it must destroy and replace nothing."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import click

from tools.console.messages import say
from tools.context import Target
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.layout import graph
from tools.layout.stack import Stack
from tools.runs import summary

_HARMFUL = ("replace", "destroy")


def mark_waiting(
    records: Records,
    plans: Sequence[Plan],
    plan_more: Callable[[Collection[str]], list[Plan]],
    option: str,
) -> list[Plan]:
    """Returns the plans; a failed one that needs a deployment upstream is waiting instead.

    That is the plan of a stack that reads an output which a stack upstream has no value for yet,
    while that one's own plan gives it one. `plan_more` plans upstream stacks, by name, for this;
    the plans of those to deploy first are returned too.
    """
    by_stack = {plan.stack: plan for plan in plans}
    stacks = {stack.name: stack for stack in records.stacks}  # upstream first
    reads = graph.reads_among(records.stacks)
    upstream = graph.reachable([plan.stack for plan in plans if plan.status == "failed"], reads)
    if missing := upstream - by_stack.keys():
        by_stack |= {plan.stack: plan for plan in plan_more(missing)}
    waiting: dict[str, list[str]] = {}  # stack to those to deploy before it can be planned
    for name in stacks:
        plan = by_stack.get(name)
        if not plan or plan.status != "failed":
            continue
        above = graph.reachable([name], reads)
        first = [
            other
            for other in stacks
            if other in above
            and (other in waiting or _sets_output(records, stacks[other], by_stack[other]))
        ]
        if first:
            waiting[name] = first
            command = f"tools deploy{option} {' '.join(first)}"
            detail = f"its plan can be made only after: {command}"
            by_stack[name] = replace(plan, status="waiting", detail=detail, errors=())
    shown = {plan.stack for plan in plans}.union(*waiting.values())
    return [by_stack[name] for name in stacks if name in shown]


def _sets_output(records: Records, stack: Stack, plan: Plan) -> bool:
    """Whether a deployment gives a value to an output that has none."""
    state = records.state(stack)
    outputs = state.outputs if state else {}
    return any(outputs.get(output) is None for output in plan.outputs)


def report(plans: Sequence[Plan], target: Target, err: bool = False) -> None:
    """Prints the plans and what comes next; exits with 1 if one of them must not be applied.

    With `err` all goes to stderr, since stdout has other data.
    """
    for plan in plans:
        for line in plan.errors:
            say(f"[{plan.stack}] {line}")
    summary.show_plans(plans, err=err)
    for plan in plans:
        for change in plan.changes:
            if change.action in _HARMFUL:
                click.secho(
                    f"{plan.stack}: a deployment would {change}; correct "
                    f"its values first: tools plan{target.option} --details {plan.stack}",
                    fg="red",
                    err=True,
                )
    if not all(map(is_safe, plans)):
        raise click.exceptions.Exit(1)
    if changed := [plan.stack for plan in plans if plan.status != "unchanged"]:
        say(f"next: tools deploy{target.option} {' '.join(changed)}")


def is_safe(plan: Plan) -> bool:
    """Whether the plan succeeded, and a deployment would destroy and replace nothing."""
    return plan.status != "failed" and not any(change.action in _HARMFUL for change in plan.changes)
