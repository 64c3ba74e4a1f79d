"""What a deployment changes of a month's cost: the states beside the values.

What is paid by use (data, logs, storage) is not in it: no deployment tells how much that is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tools.console.figures import signed_money
from tools.cost import applied_resources, model, prices, quantities
from tools.cost.comparison import FIXED
from tools.cost.model import (
    UNDECLARED_SIZE,
    UNDECLARED_TYPE,
    Amount,
    Assumptions,
    Line,
    Quantities,
    SharedSpec,
    total,
)
from tools.engine.plans import Plan
from tools.errors import UserError, first_of
from tools.fleet.fleet import DeclaredNotebook
from tools.layout import variables
from tools.layout.stack import Stack
from tools.state.file import State

_NO_USE = Assumptions(*[Decimal(0)] * 4)

ReadState = Callable[[Stack], State | None]


@dataclass(frozen=True)
class MonthlyChange:
    """A month of `stack_count` stacks as they are, and as they are to be.

    `unknown` are the figures without a price, each with its region; `left_out` names the stacks
    whose cost nobody knows here.
    """

    stack_count: int
    now: Amount
    then: Amount
    unknown: Sequence[tuple[str, str]]
    left_out: Sequence[str]

    def __str__(self) -> str:
        """The change in a sentence, and in another what is not known of it."""
        if self.now == self.then and self.now.complete:
            text = f"Cost: no change, {self.now} a month"
        else:
            known = self.now.complete and self.then.complete
            difference = f"{signed_money(self.then.usd - self.now.usd)} a month"
            change = difference if known else "the change is not known"
            text = f"Cost: {change} ({_say(self.now)} now, then {_say(self.then)})"
        which = "this stack" if self.stack_count == 1 else f"these {self.stack_count} stacks"
        text += f" for {which}, without data, logs and storage."
        if self.left_out:
            text += f" Not counted: {first_of(self.left_out, 5)}."
        if self.unknown:
            names = first_of(prices.describe_each(self.unknown), 5)
            text += f" No price is known for {names}; run: {prices.RENEW}"
        return text


def _say(amount: Amount) -> str:
    return "$0.00" if amount.complete and not amount.usd else str(amount)


def monthly_change(
    region: str,
    stacks: Sequence[Stack],
    plans: Sequence[Plan],
    read_state: ReadState,
    env: Mapping[str, str],
) -> MonthlyChange:
    """What applying `plans`, of some of `stacks`, changes of what a month of `stacks` costs.

    A stack without a plan is as its values say; no state of it is read. Raises UserError if the
    values cannot be read, if a variable of the environment replaces one, and for a corrupt price
    table.
    """
    _refuse_replaced(env)
    table = prices.load()
    by_stack = {plan.stack: plan for plan in plans}
    lines_now: list[Line] = []
    lines_then: list[Line] = []
    left_out: list[str] = []
    for stack in stacks:
        plan = by_stack.get(stack.name)
        is_counted = stack.kind == "notebook" or stack.name in quantities.COUNTED
        if not is_counted or (plan and plan.status == "failed"):
            left_out += [stack.name] if plan and plan.status != "unchanged" else []
            continue
        state = read_state(stack) if plan else None
        declared = _declared(stack, region, table, state)
        if any(line.figure in (UNDECLARED_SIZE, UNDECLARED_TYPE) for line in declared):
            left_out.append(stack.name)
            continue
        before = after = declared
        if plan:
            before = applied_resources.lines_of(state, table) if state else []
            after = before if _keeps_cost(plan, stack, state) else declared
        lines_now += before
        lines_then += after
    unknown = {
        (line.figure, line.region) for line in [*lines_now, *lines_then] if not line.amount.complete
    }
    return MonthlyChange(
        len(stacks), _amount(lines_now), _amount(lines_then), sorted(unknown), left_out
    )


def _keeps_cost(plan: Plan, stack: Stack, state: State | None) -> bool:
    """Whether the plan is known to change nothing that is priced."""
    if plan.status == "waiting":
        return stack.kind == "shared" and bool(state and state.resources)
    return not any(change.type in applied_resources.PRICED for change in plan.changes)


def _amount(lines: Sequence[Line]) -> Amount:
    return total(line.amount for line in lines)


def _declared(stack: Stack, region: str, table: prices.Table, state: State | None) -> list[Line]:
    """What the values of a stack say that it is to cost."""
    values = variables.read_values(stack)
    if stack.kind == "notebook":
        own_region = str(values.get("region") or region)
        spec = quantities.notebook_spec(DeclaredNotebook(stack, values, own_region), {}, region)
        counted = Quantities(region, [spec], SharedSpec())
    else:
        outputs = state.outputs if state else {}
        shared, _ = quantities.count_shared(
            {stack.name: values}, {stack.name: stack}, lambda _: outputs
        )
        counted = Quantities(region, [], shared)
    estimate = model.estimate_month(counted, table, _NO_USE)
    fixed = [line for line in estimate.shared if line.figure in FIXED and line.quantity]
    return [*(line for cost in estimate.notebooks for line in (cost.compute, cost.volume)), *fixed]


def _refuse_replaced(env: Mapping[str, str]) -> None:
    """Raises UserError if the environment has a value on which a cost depends."""
    for key in (*quantities.OF_NOTEBOOKS, *quantities.OF_SHARED):
        if f"TF_VAR_{key}" in env:
            raise UserError(f"TF_VAR_{key} is set, which may replace what the files say")
    for name, value in env.items():
        if name.startswith("TF_CLI_ARGS") and "-var" in value:
            raise UserError(f"{name} sets variables, which may replace what the files say")
