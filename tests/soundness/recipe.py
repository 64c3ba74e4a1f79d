"""A repository and its changes as data: made at random from a seed, kept as JSON."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.soundness.forms import FORMS
from tests.soundness.render import STYLES

# Where the text of a form is: in the root, or in a module that is reached in some way.
ROOT = "root"
SITES = (ROOT, "module", "inside", "nested", "linked", "json module", "absolute")
# How the files of a root are laid out.
LAYOUTS = ("main", "json", "files", "mixed", "override", "ignored")
# Layouts of a root that may be unknown, and why.
UNKNOWN_LAYOUTS = {"override": "this tool does not follow files that override others"}
STATES = ("beside", "inside", "outside")

_NAMES = (
    "shared-infra/{}",
    "notebooks/{}",
    "notebooks/{}.x",
    "shared-infra/{} ü",
)
# Root modules that the tool does not manage, and so lists with the reason.
_UNMANAGED = ("notebooks/team-{}/alice", "notebooks/.{}", "notebooks/{}-link")
_STACKS = (3, 4)
_FORMS_OF_A_STACK = (1, 3)
_CHANGES = 4
# The forms that are no variants of one another, and may not be unknown: each has its turn.
_DUE = [name for name, form in FORMS.items() if form.weight > 0.2 and not form.unknown]
_TURNS = 40  # seeds, one after another, in which each of them is changed
_APART = 7  # seeds between the turns of neighbours, which are alike; no divisor of _TURNS
_CHANGES_OF_OUTPUTS = ("deploy an edit", "deploy an edit", "deploy another map")
_WEIGHT_OF_UNKNOWN = 0.15  # so that nine of ten can be known


@dataclass(frozen=True)
class FormRecipe:
    """A form, and where its text is."""

    form: str
    site: str = ROOT


@dataclass(frozen=True)
class StackRecipe:
    """One stack: its name, how its files are laid out and spelt, where its state is."""

    name: str
    forms: tuple[FormRecipe, ...] = ()
    layout: str = "main"
    style: str = "fmt"
    state: str = "beside"

    @property
    def is_managed(self) -> bool:
        """Whether the tool takes it for a stack."""
        parts = self.name.split("/")
        return len(parts) == 2 and parts[1][0] != "." and not self.is_link

    @property
    def is_link(self) -> bool:
        """Whether its directory is elsewhere, and a symbolic link leads to it."""
        return self.name.endswith("-link")

    @property
    def is_certain(self) -> bool:
        """Whether other stacks may read it: it is one, and it cannot be unknown.

        Of two that may be unknown nobody could tell which has to be deployed first.
        """
        return self.is_managed and not self.may_be_unknown

    @property
    def may_be_unknown(self) -> bool:
        """Whether something of it is listed as what may be unknown."""
        forms = [FORMS[form.form] for form in self.forms]
        return (
            self.layout in UNKNOWN_LAYOUTS
            or any(form.unknown for form in forms)
            or (len(forms) > 1 and any(form.is_in_part for form in forms))
        )


@dataclass(frozen=True)
class ChangeRecipe:
    """A change of a stack's form, or of the stack itself if `form` is None.

    `pick` is the change's name, or a number of which it is chosen.
    """

    stack: str
    form: int | None
    pick: str | int


@dataclass(frozen=True)
class Recipe:
    """A repository and what is changed in it, one after another. Stacks read those before them."""

    stacks: tuple[StackRecipe, ...]
    changes: tuple[ChangeRecipe, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Recipe":
        fields: dict[str, Any] = json.loads(text)
        stacks = tuple(
            StackRecipe(**{**stack, "forms": tuple(FormRecipe(**f) for f in stack["forms"])})
            for stack in fields["stacks"]
        )
        return cls(stacks, tuple(ChangeRecipe(**change) for change in fields["changes"]))

    def may_be_unknown(self, name: str) -> bool:
        """Whether something of the stack `name` is listed as what may be unknown."""
        return next(stack for stack in self.stacks if stack.name == name).may_be_unknown

    def smaller(self) -> list["Recipe"]:
        """The recipes that leave something out of this one, the smallest first."""
        return [
            *(self._without_stack(stack) for stack in reversed(self.stacks)),
            *(
                replace(self, changes=_without(self.changes, number))
                for number in range(len(self.changes))
            ),
            *(smaller for stack in self.stacks for smaller in self._without_parts(stack)),
        ]

    def _without_stack(self, stack: StackRecipe) -> "Recipe":
        stacks = tuple(other for other in self.stacks if other is not stack)
        return Recipe(stacks, tuple(c for c in self.changes if c.stack != stack.name))

    def _without_parts(self, stack: StackRecipe) -> list["Recipe"]:
        plain = StackRecipe(stack.name)
        found = [
            self._with(stack, replace(stack, **{field: getattr(plain, field)}), self.changes)
            for field in ("layout", "style", "state")
            if getattr(stack, field) != getattr(plain, field)
        ]
        for number, form in enumerate(stack.forms):
            fewer = replace(stack, forms=_without(stack.forms, number))
            found.append(self._with(stack, fewer, _renumbered(self.changes, stack.name, number)))
            if form.site != ROOT:
                forms = list(stack.forms)
                forms[number] = replace(form, site=ROOT)
                found.append(self._with(stack, replace(stack, forms=tuple(forms)), self.changes))
        return found

    def _with(
        self, old: StackRecipe, new: StackRecipe, changes: tuple[ChangeRecipe, ...]
    ) -> "Recipe":
        return Recipe(tuple(new if s is old else s for s in self.stacks), changes)


def _without(items: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return items[:number] + items[number + 1 :]


def _renumbered(changes: Sequence[ChangeRecipe], stack: str, gone: int) -> tuple[ChangeRecipe, ...]:
    """The changes of a stack that has lost the form numbered `gone`."""
    kept = []
    for change in changes:
        if change.stack == stack and change.form is not None:
            if change.form == gone:
                continue
            change = replace(change, form=change.form - (change.form > gone))
        kept.append(change)
    return tuple(kept)


def generate(seed: int, reads_alone: bool = False) -> Recipe:
    """Makes the recipe of `seed`: another for each, and always the same for the same.

    With `reads_alone` the forms are of other stacks' states.
    """
    rng = random.Random(seed)
    stacks: list[StackRecipe] = []
    for number in range(rng.randint(*_STACKS)):
        names: Sequence[str] = _NAMES if number else _NAMES[:1]  # the first is read by the others
        if number > 1 and rng.random() < 0.2:
            names = _UNMANAGED
        name = rng.choice(names).format("abcdefgh"[number])
        known = sum(stack.is_certain for stack in stacks)
        stacks.append(_stack(rng, name, known, reads_alone))
    if reads_alone:
        return Recipe(tuple(stacks))
    changes = [
        _change_of_due(rng, stacks, number)
        for number in range(len(_DUE))
        if number * _APART % _TURNS == seed % _TURNS
    ]
    changes += [_change(rng, stacks) for _ in range(_CHANGES - len(changes))]
    return Recipe(tuple(stacks), tuple(changes))


def _stack(rng: random.Random, name: str, upstreams: int, reads_alone: bool) -> StackRecipe:
    weights = {name: 0.1 if name in UNKNOWN_LAYOUTS else 1 for name in LAYOUTS}
    layout = _weighted(rng, {**weights, "main": 5})
    style = rng.choice(list(STYLES))
    state = rng.choice(STATES) if rng.random() < 0.3 else "beside"
    count = rng.randint(*_FORMS_OF_A_STACK)
    forms = (_form(rng, layout, upstreams, reads_alone) for _ in range(count))
    return StackRecipe(name, tuple(filter(None, forms)), layout, style, state)


def _form(rng: random.Random, layout: str, upstreams: int, reads_alone: bool) -> FormRecipe | None:
    site = rng.choice(SITES) if rng.random() < 0.4 else ROOT
    possible = {
        name: form.weight * (_WEIGHT_OF_UNKNOWN if form.unknown else 1)
        for name, form in FORMS.items()
        if (form.upstreams or not reads_alone) and _is_possible(name, layout, site, upstreams)
    }
    return FormRecipe(_weighted(rng, possible), site) if possible else None


def _is_possible(name: str, layout: str, site: str, upstreams: int) -> bool:
    form = FORMS[name]
    is_json = layout == "json" if site == ROOT else site == "json module"
    return (
        form.upstreams <= upstreams
        and not (form.is_raw and is_json)
        and not (form.is_of_root and site != ROOT)
        # path.module is a link there, through which no state is found by a relative path.
        and not (site == "absolute" and form.upstreams)
    )


def _change_of_due(rng: random.Random, stacks: list[StackRecipe], number: int) -> ChangeRecipe:
    """Adds a form that has its turn to one of `stacks`, or to one more; how it is changed then."""
    name, known = _DUE[number], 0
    longer = {}  # the stacks that could have it and still be certain
    for n, stack in enumerate(stacks):
        for site in (SITES[number % len(SITES)], ROOT):
            added = replace(stack, forms=(*stack.forms, FormRecipe(name, site)))
            if added.is_certain and _is_possible(name, stack.layout, site, known):
                longer[n] = added
                break
        known += stack.is_certain
    if not longer and not _is_possible(name, "main", ROOT, known):
        return _change(rng, stacks)
    if not longer:
        more = StackRecipe(_NAMES[1].format("abcdefgh"[len(stacks)]), (FormRecipe(name),))
        longer = {len(stacks): more}
        stacks.append(more)
    n = min(longer, key=lambda n: (len(longer[n].forms), n))
    stacks[n] = longer[n]
    return _change_of(rng, stacks, stacks[n], len(stacks[n].forms) - 1)


def _change(rng: random.Random, stacks: Sequence[StackRecipe]) -> ChangeRecipe:
    stack = rng.choice(stacks)
    return _change_of(rng, stacks, stack, rng.choice([None, *3 * list(range(len(stack.forms)))]))


def _change_of(
    rng: random.Random, stacks: Sequence[StackRecipe], stack: StackRecipe, form: int | None
) -> ChangeRecipe:
    if form is not None and FORMS[stack.forms[form].form].upstreams and rng.random() < 0.8:
        above = rng.choice([s for s in stacks[: stacks.index(stack)] if s.is_certain])
        return ChangeRecipe(above.name, None, rng.choice(_CHANGES_OF_OUTPUTS))
    return ChangeRecipe(stack.name, form, rng.randrange(1000))


def _weighted(rng: random.Random, weights: Mapping[str, float]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
