"""Deploys, destroys and orphans in any order, held against what the documents promise."""

import json
import random
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import click

from tests.soundness.build import build
from tests.soundness.judge import Workshop
from tests.soundness.recipe import UNKNOWN_LAYOUTS, Recipe, generate
from tools.context import Context, Target
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.runs import deployment, orphans
from tools.runs.options import Options
from tools.runs.session import Account, Session
from tools.terraform.binary import Terraform

_STEPS = 6


class Sequence:
    """A repository, what is done to it, and what has to be true after each step.

    The oracles are the states as Terraform wrote them, what the generator knows of who reads whom,
    and at the end plain `terraform plan`, which fails where something was taken away in use.
    """

    def __init__(self, seed: int, folder: Path, terraform: Terraform) -> None:
        self._rng = random.Random(seed)
        self._recipe = generate(seed, reads_alone=True)
        self._workshop = Workshop(build(self._recipe, folder), terraform)
        self._built = self._workshop.built
        self._unmanaged = [s.name for s in self._recipe.stacks if not s.is_managed]
        self._aside = folder / "aside"
        self._taken: set[str] = set()  # stacks whose files were taken away
        self._count = 0
        self.steps: list[str] = [self._recipe.to_json()]

    @property
    def recipe(self) -> Recipe:
        return self._recipe

    def run(self) -> None:
        """Takes all steps. Raises AssertionError if a promise is not kept."""
        steps: list[Callable[[], None]] = [
            self._deploy,
            self._deploy,
            self._destroy,
            self._destroy,
            self._take_away,
            self._destroy_orphans,
        ]
        self._deploy(everything=True)
        for step in self._rng.choices(steps, k=_STEPS):
            step()
        for name in self._deployed():
            if name not in self._taken:
                assert self._workshop.plan(name) != 1, self._text(f"{name} cannot be planned")
        for name in self._unmanaged:
            self._workshop.plain(name, "destroy", "-auto-approve", "-input=false")
        self._destroy(everything=True)
        self._destroy_orphans()
        left = self._deployed()
        assert not left or (self._has_unplaced() and left <= self._taken), self._text("left")

    def _deploy(self, everything: bool = False) -> None:
        chosen = self._choose(everything)
        before = self._states()
        self._do("deploy", chosen, lambda session: self._deploy_stacks(session, chosen))
        self._deploy_unmanaged()
        deployed = self._deployed()
        for name in self._names_in_order():
            upstreams = self._built.reads[name]
            if name in chosen and upstreams <= deployed:
                assert name in deployed, self._text(f"{name} is not deployed")
            elif name not in chosen and name not in self._unmanaged:
                assert self._states().get(name) == before.get(name), self._text(f"{name} changed")

    def _deploy_unmanaged(self) -> None:
        """By plain Terraform; so that the tool may not take away what they read."""
        for name in self._unmanaged:
            if self._built.reads[name] <= self._deployed():
                self._workshop.plain(name, "init", "-input=false")
                done = self._workshop.plain(name, "apply", "-auto-approve", "-input=false")
                assert not done.returncode, done.stderr

    def _destroy(self, everything: bool = False) -> None:
        chosen = self._choose(everything)
        self._judge_destruction("destroy", chosen, self._destroy_stacks)

    def _take_away(self) -> None:
        """Takes the files of a stack away: what it had deployed is an orphan then."""
        names = [s.name for s in self._recipe.stacks if s.state == "beside" and s.is_managed]
        name = self._rng.choice(names) if names else ""
        if not name or name in self._taken:
            return
        self.steps.append(f"take away {name}")
        directory = self._built.tree.root / name
        kept = {"terraform.tfstate", "terraform.tfstate.record.json", "terraform.tfstate.backup"}
        self._taken.add(name)
        for path in sorted(directory.iterdir()):
            if path.name not in kept:
                target = self._aside / name / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)

    def _destroy_orphans(self) -> None:
        chosen = {name for name in self._taken if name in self._deployed()}
        if chosen:
            verb, work = "destroy --orphan", self._destroy_orphan_stacks
            self._judge_destruction(verb, chosen, work, may_be_refused=self._has_unplaced())

    def _has_unplaced(self) -> bool:
        """Whether the files of a stack do not say where its state is: an orphan may be that."""
        return any(
            stack.layout in UNKNOWN_LAYOUTS and stack.name not in self._taken
            for stack in self._recipe.stacks
        )

    def _judge_destruction(
        self,
        verb: str,
        chosen: Collection[str],
        work: Callable[[Session, Collection[str]], None],
        may_be_refused: bool = False,
    ) -> None:
        before, deployed = self._states(), self._deployed()
        others = deployed - set(chosen) - set(self._taken)
        reads = {name: self._built.reads[name] for name in others}
        in_use = any(above & set(chosen) & deployed for above in reads.values())
        # What reads the state of an orphan reads one of no stack.
        may_be_refused |= in_use or any(
            self._recipe.may_be_unknown(name) or above & set(self._taken)
            for name, above in reads.items()
        )
        refused = self._do(verb, chosen, lambda session: work(session, chosen))
        if refused and may_be_refused:
            assert self._states() == before, self._text(f"refused, and changed: {refused}")
            return
        assert not in_use, self._text("what is in use was not refused")
        assert not refused, self._text(f"refused: {refused}")
        left = self._deployed()
        assert left == deployed - set(chosen), self._text(f"deployed are {sorted(left)}")

    def _do(self, verb: str, chosen: Collection[str], work: Callable[[Session], None]) -> str:
        """Does one step; returns why it was refused, or an empty text."""
        self.steps.append(f"{verb} {' '.join(sorted(chosen))}")
        try:
            with self._workshop.as_user():
                work(self._session())
        except UserError as error:
            self.steps.append(f"  refused: {error}")
            return str(error)
        except click.exceptions.Exit:
            self.steps.append("  with failures")
        return ""

    def _deploy_stacks(self, session: Session, chosen: Collection[str]) -> None:
        stacks = [stack for stack in session.records.stacks if stack.name in chosen]
        deployment.deploy_stacks(session, stacks)

    def _destroy_stacks(self, session: Session, chosen: Collection[str]) -> None:
        stacks = [stack for stack in session.records.stacks if stack.name in chosen]
        deployment.destroy_stacks(session, stacks)

    def _destroy_orphan_stacks(self, session: Session, chosen: Collection[str]) -> None:
        orphans.destroy_orphans(session, sorted(chosen))

    def _session(self) -> Session:
        root, terraform = self._built.tree.root, self._workshop.terraform()
        self._count += 1
        target = Target(
            Repository(root), terraform, "us-east-1", root.parent / "logs" / str(self._count)
        )
        context = Context(root, self._workshop.env)
        records = Records(target.repository, terraform)
        return Session(context, target, records, Options(yes=True), Account("1", "a test"))

    def _choose(self, everything: bool) -> set[str]:
        left_out = {*self._taken, *self._unmanaged}
        names = [name for name in self._names_in_order() if name not in left_out]
        if everything or self._rng.random() < 0.3:
            return set(names)
        return set(self._rng.sample(names, self._rng.randint(min(1, len(names)), len(names))))

    def _names_in_order(self) -> list[str]:
        """The stacks, each after those that it reads."""
        return self._built.names

    def _states(self) -> dict[str, bytes]:
        files = {upstream.name: upstream.state for upstream in self._built.places}
        return {name: file.read_bytes() for name, file in files.items() if file.is_file()}

    def _deployed(self) -> set[str]:
        """The stacks whose state holds something."""
        states = self._states()
        return {name for name, text in states.items() if json.loads(text)["resources"]}

    def _text(self, what: str) -> str:
        return "\n".join([what, *self.steps])
