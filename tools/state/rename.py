"""A notebook's directory renamed: its state's key and its record go with it, its instance stays."""

import json
from dataclasses import dataclass
from functools import partial

import click

from tools import aws, deploy, files, hcl, notebook, runs
from tools.context import Context, Target
from tools.deploy import Run
from tools.errors import UserError
from tools.mirror import is_from_repository
from tools.records import Records
from tools.stack import Stack
from tools.state import backend, moving
from tools.state.backend import Backend
from tools.states import BucketPlace, LocalPlace, State, place
from tools.values import VALUES


@dataclass(frozen=True)
class _Renaming:
    """`there` is where states are kept in a bucket; None where each lies in its folder."""

    old: Stack
    new: Stack
    there: Backend | None


def rename(
    context: Context,
    target: Target,
    old: str,
    new: str,
    rename_instance: bool,
    yes: bool,
) -> None:
    """Renames notebooks/`old` to notebooks/`new`, after one question; cut short, it goes on.

    Raises UserError, before anything is changed, where the new name is taken or none, where
    another stack reads its state, and where the new key holds something.
    """
    notebook.check_name(old)
    notebook.check_name(new)
    root = target.repository.root
    names = _Renaming(
        Stack(root, f"notebooks/{old}"),
        Stack(root, f"notebooks/{new}"),
        backend.of(target.repository),
    )
    is_moved = _is_moved(names, target)
    where = runs.where(target, checked=False)
    known = runs.records(target, where)
    here = names.new if is_moved else names.old
    instance = _instance(known, here, names, target)
    _refuse(names, known, target, new if rename_instance else None)
    _announce(names, instance, rename_instance, where)
    runs.agree_to("Rename it?", target, yes)
    with runs.Runner(context, target, known, runs.Options()).how(1) as run:
        if not is_moved:
            deploy.await_leftover(run, names.old)
            deploy.recover(run, names.old)
        if instance:
            _set_name(here, new if rename_instance else instance)
        if not is_moved:
            names.old.path.rename(names.new.path)
        _move_key(run, names, target)
    click.echo(f"next: tools plan{target.option} {new}, then commit the renaming", err=True)


def _is_moved(names: _Renaming, target: Target) -> bool:
    """Whether the directory has its new name already: by hand, or by a run that was cut short."""
    old, new = names.old.path, names.new.path
    if not old.is_dir() and not new.is_dir():
        raise UserError(f"there is no {names.old.name}")
    if old.is_dir() and target.endpoint and is_from_repository(old):
        raise UserError(f"{names.old.name} is the repository's: rename it there, without --local")
    taken = {name.lower(): name for name in target.repository.notebook_names()}
    if old.is_dir() and (other := taken.get(new.name.lower())):
        raise UserError(f"notebooks/{other} exists already; choose another name")
    return not old.is_dir()


def _places(names: _Renaming, target: Target) -> tuple[BucketPlace, BucketPlace] | None:
    """The keys of the old name and of the new one, where the state is in a bucket."""
    objects = partial(aws.Objects, endpoint=target.endpoint)
    here = names.old if names.old.path.is_dir() else names.new
    if names.there is None or not isinstance(place(here, objects), BucketPlace):
        return None
    return tuple(names.there.place(s.name, objects) for s in (names.old, names.new))  # type: ignore[return-value]


def _instance(known: Records, here: Stack, names: _Renaming, target: Target) -> str | None:
    """The name of the instance that the state holds, None where it holds none."""
    found = known.place(here)
    text = found.read() if found else None
    if not text and (places := _places(names, target)):
        text = places[0].read()
    if not text:
        return None
    State.parse(text, str(found), found.mend if found else "")
    return next(
        (
            str(instance["attributes"]["name"])
            for resource in json.loads(text)["resources"]
            if resource["type"] == "aws_sagemaker_notebook_instance"
            for instance in resource["instances"]
        ),
        None,
    )


def _refuse(names: _Renaming, known: Records, target: Target, instance: str | None) -> None:
    for stack in known.stacks:
        if names.old.name in stack.upstream:
            raise UserError(
                f"{stack.name} reads the state of {names.old.name}: name the new one there first"
            )
    others = target.repository.instance_names()
    for directory, name in others.items():
        if instance and directory not in (names.old.path.name, instance) and name == instance:
            raise UserError(f"notebooks/{directory} has an instance called {instance} already")
    if places := _places(names, target):
        state = places[0].read()
        if state or names.old.path.is_dir():  # else it has been moved already
            moving.refuse_conflict(state, places[1].read(), places[1])
    elif names.there and isinstance(known.place(names.old), LocalPlace):
        raise UserError(f"{names.old.name} has no {backend.FILE} yet: tools state enable")
    if names.old.path.is_dir() and (found := known.place(names.old)):
        moving.refuse_lock(found, names.old)


def _announce(
    names: _Renaming, instance: str | None, rename_instance: bool, where: runs.Where
) -> None:
    click.echo(f"Rename {names.old.name} to {names.new.name} ({where})", err=True)
    if instance and rename_instance:
        click.echo(
            f"AWS cannot rename an instance: the next apply replaces {instance} by "
            f"{names.new.path.name}, and its volume is lost",
            err=True,
        )
    elif instance:
        click.echo(
            f"AWS cannot rename an instance: it is called {instance} as before (name in {VALUES}). "
            "Another name would replace it, and its volume would be lost.",
            err=True,
        )


def _set_name(here: Stack, name: str) -> None:
    path = here.path / VALUES
    text = path.read_text() if path.is_file() else ""
    if hcl.read_tfvars(path).get("name") != name if path.is_file() else True:
        files.write(path, hcl.assign(text, {"name": name}))


def _move_key(run: Run, names: _Renaming, target: Target) -> None:
    places = _places(names, target)
    if places is None or names.there is None:
        run.records.reread(names.new)
        return
    old, new = places
    text = names.there.text(names.new.name)
    if state := old.read():
        run.progress.say(names.new.name, moving.move(run, names.new, old, new, text))
        if moving.difference(state, new.read()) is not None:
            raise UserError(f"{old} has changed while it was moved to {new}")
    else:
        moving.switch(run, names.new, text)
    moving.remove(old)  # it would count as an orphan, to be destroyed
