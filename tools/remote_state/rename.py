"""A notebook's directory renamed: its state's key and its record go with it, its instance stays."""

from dataclasses import dataclass
from functools import partial

import click

from tools.aws import s3
from tools.context import Target
from tools.engine.preparation import finish_earlier_run
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.layout.stack import Stack
from tools.layout.variables import VALUES
from tools.localcloud.workspace import is_from_repository
from tools.remote_state import transfer
from tools.runs.session import Account, Session
from tools.scaffold import notebook
from tools.state import backend
from tools.state.backend import Backend
from tools.state.file import State
from tools.state.place import STATE, BucketPlace, LocalPlace, Place
from tools.system import files


@dataclass(frozen=True)
class _Renaming:
    """`keys` are the places of the old and the new name, where states are kept in a bucket.

    `is_moved` says that the directory has its new name already: by hand, or by a run that was cut
    short.
    """

    old: Stack
    new: Stack
    there: Backend | None
    keys: tuple[BucketPlace, BucketPlace] | None
    is_moved: bool

    @property
    def here(self) -> Stack:
        """The directory, by the name that it has."""
        return self.new if self.is_moved else self.old


def rename(session: Session, old: str, new: str, rename_instance: bool) -> None:
    """Renames notebooks/`old` to notebooks/`new`, after one question; cut short, it goes on.

    Raises UserError, before anything is changed, where the new name is taken or none, where
    another stack reads its state, where the state lies in a place of its own, and where the new
    key holds something. Exits with 130 where it was interrupted.
    """
    notebook.check_name(new)
    if "/" in old:
        raise UserError(f"{old} is no name of a notebook: name its directory, without notebooks/")
    target, known = session.target, session.records
    names = _renaming(target, old, new)
    _refuse_place(names, known)
    instance = _instance(known, names)
    _refuse(names, known, target, new if rename_instance else None)
    _announce(names, instance, rename_instance, session.account)
    session.confirm("Rename it?")
    with session.runner().begin(1) as run:
        if not names.is_moved:
            finish_earlier_run(run, names.old)
        if run.interruption.count:
            raise click.exceptions.Exit(130)
        if instance:
            _set_name(names.here, new if rename_instance else instance)
        if not names.is_moved:
            names.old.path.rename(names.new.path)
        _move_key(run, names)
    commit = "" if target.endpoint else ", then commit the renaming"
    click.echo(f"next: tools plan{target.option} {new}{commit}", err=True)


def _renaming(target: Target, old: str, new: str) -> _Renaming:
    repository = target.repository
    stacks = [Stack(repository.root, f"notebooks/{name}") for name in (old, new)]
    is_there = [stack.path.is_dir() for stack in stacks]
    if is_there[0] and target.endpoint and is_from_repository(stacks[0].path):
        raise UserError(f"{stacks[0].name} is the repository's: rename it there, without --local")
    taken = {name.lower(): name for name in repository.notebook_names()}
    if is_there[0] and (other := taken.get(new.lower())):
        raise UserError(f"notebooks/{other} exists already; choose another name")
    there = backend.of(repository)
    objects = partial(s3.Objects, endpoint=target.endpoint)
    keys = None
    if there:
        keys = (there.place(stacks[0].name, objects), there.place(stacks[1].name, objects))
    was_moved = is_there[1] and (
        (keys and keys[0].read())
        or _names(stacks[1], stacks[0])
        or (not there and _instance_of(LocalPlace(stacks[1].path / STATE)) == old)
    )
    if not is_there[0] and not was_moved:
        raise UserError(f"there is no {stacks[0].name}")
    return _Renaming(stacks[0], stacks[1], there, keys, not is_there[0])


def _names(new: Stack, old: Stack) -> bool:
    """Whether the directory `new` was `old`, by its backend.tf."""
    file = new.path / backend.FILE
    return file.is_file() and f"/{old.name}/" in file.read_text(errors="replace")


def _refuse_place(names: _Renaming, known: Records) -> None:
    """Raises UserError where the state lies elsewhere than `tools state enable` puts it."""
    transfer.backend_file(names.here)
    place = known.place(names.here)
    if place is None:
        raise UserError(
            f"{names.here.name}: its files do not say where its state lies (a workspace, an "
            "override, another kind of backend); rename it by hand"
        )
    if isinstance(place, LocalPlace):
        if names.keys:
            raise UserError(
                f"{names.here.name} has no {backend.FILE} yet: tools state "
                f"enable{known.repository.option}"
            )
    elif str(place) not in map(str, names.keys or ()):
        raise UserError(
            f"{names.here.name} keeps its state in {place}, which is a key of its own; rename it "
            "by hand"
        )


def _instance(known: Records, names: _Renaming) -> str | None:
    """The name of the instance that the state holds, None where it holds none."""
    places = (known.place(names.here), *(names.keys or ())[:1])
    return next(filter(None, (_instance_of(place) for place in places if place)), None)


def _instance_of(place: Place) -> str | None:
    text = place.read()
    if not text:
        return None
    resources = State.parse(text, str(place), place.mend).resources
    notebooks = (r for r in resources if r.type == "aws_sagemaker_notebook_instance")
    return next((str(notebook.attributes["name"]) for notebook in notebooks), None)


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
    if names.keys:
        old, new = names.keys
        transfer.refuse_lock(old, names.here, target.option)
        state = old.read()
        if state or not names.is_moved:  # else it has been moved already
            transfer.refuse_conflict(state, new.read(), new)
    if place := known.place(names.here):
        transfer.refuse_lock(place, names.here, target.option)


def _announce(
    names: _Renaming, instance: str | None, rename_instance: bool, account: Account
) -> None:
    click.echo(f"Rename {names.old.name} to {names.new.name} ({account})", err=True)
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
    if reading.read_tfvars(path).get("name") != name if path.is_file() else True:
        files.write(path, writing.assign(text, {"name": name}))


def _text(names: _Renaming, there: Backend) -> str:
    """The backend.tf of the new name: one that says more than ours stays, but for its key."""
    file = names.new.path / backend.FILE
    found = reading.backend(file) if file.is_file() else None
    if found and there.leaves_out(found[1]):
        return file.read_text().replace(there.key(names.old.name), there.key(names.new.name))
    return there.text(names.new.name)


def _move_key(run: Run, names: _Renaming) -> None:
    if names.keys is None or names.there is None:
        run.records.forget_files(names.new)
        return
    old, new = names.keys
    text = _text(names, names.there)
    if state := old.read():
        run.progress.say(names.new.name, transfer.move(run, names.new, old, new, text))
        if old.read() != state:
            raise UserError(f"{old} was written while it was moved to {new}; run it again")
    else:
        transfer.switch(run, names.new, text)
    transfer.remove(old)  # it would count as an orphan, to be destroyed
