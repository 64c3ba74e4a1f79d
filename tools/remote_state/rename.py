"""Renames a notebook's directory, and moves its state and record; the instance keeps its name."""

from dataclasses import dataclass

from tools.aws import s3
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console.messages import exit_interrupted, say
from tools.context import Target
from tools.engine.preparation import finish_earlier_run
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError, nearest
from tools.hcl import reading, writing
from tools.hcl.reading import VALUES
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.localcloud.workspace import is_from_repository
from tools.remote_state import transfer
from tools.runs.session import Session
from tools.scaffold import notebook
from tools.state import backend
from tools.state.backend import Backend
from tools.state.file import State, with_stack
from tools.state.place import (
    CUT_SHORT,
    ERRORED,
    STATE,
    BucketPlace,
    LocalPlace,
    Place,
    locate,
    no_objects,
    read_state,
)
from tools.system import files


@dataclass(frozen=True)
class _Renaming:
    """The `old` and the `new` stack, and the `places` of their states if those are in a bucket.

    `is_moved` says that the directory has its new name already: it was renamed by hand, or by a
    run that was interrupted.
    """

    old: Stack
    new: Stack
    settings: Backend | None
    places: tuple[BucketPlace, BucketPlace] | None
    is_moved: bool

    @property
    def current(self) -> Stack:
        """The stack by the name that its directory has."""
        return self.new if self.is_moved else self.old


def rename(session: Session, old_name: str, new_name: str, rename_instance: bool) -> None:
    """Renames a notebook's directory, after one question; a second run continues.

    Raises UserError, before anything is changed, if

    - the new name is taken or invalid, or its key in the bucket holds something,
    - another stack reads the notebook's state, or
    - the state is not where `tools state enable` puts it.

    Exits with 130 if it was interrupted.
    """
    target, records = session.target, session.records
    check_names(target.repository, old_name, new_name)
    renaming = _find(target, old_name, new_name)
    _refuse_other_place(renaming, records)
    instance = _find_instance(records, renaming)
    _refuse(renaming, records, target, new_name if rename_instance else None)
    _announce(session, renaming, instance, rename_instance)
    session.confirm("Rename it?")
    with session.runner().work(1) as run:
        if not renaming.is_moved:
            finish_earlier_run(run, renaming.old)
        if run.interruption.count:
            exit_interrupted()
        if instance:
            _set_name(renaming.current, new_name if rename_instance else instance)
        if not renaming.is_moved:
            renaming.old.path.rename(renaming.new.path)
        try:
            _move_state(run, renaming)
        except UserError:
            if run.interruption.count:
                exit_interrupted()
            raise
        run.interruption.forget()
    commit = "" if target.endpoint else ", then commit the renaming"
    say(f"next: tools plan{target.option} {new_name}{commit}")


def check_names(repository: Repository, old_name: str, new_name: str) -> None:
    """Raises UserError if the files alone say that there is nothing to rename so."""
    notebook.check_name(new_name)
    if "/" in old_name:
        raise UserError(
            f"{old_name} is not a notebook's name: give its directory without notebooks/"
        )
    if not any((repository.root / "notebooks" / name).is_dir() for name in (old_name, new_name)):
        hint = nearest(old_name, repository.notebook_names())
        raise UserError(f"there is no notebooks/{old_name}; {hint}")


def was_never_applied(session: Session, name: str) -> bool:
    """Returns whether the files here say that nothing in AWS is the notebook's.

    So it is if its state would be in its directory, and neither a state is there nor what an apply
    leaves beside one.
    """
    repository, records = session.target.repository, session.records
    stack = Stack(repository.root, f"notebooks/{name}")
    if not stack.path.is_dir() or backend.configured_backend(repository):
        return False
    place = records.place_by_files(stack)
    leftover_names = (ERRORED, f"{ERRORED}{CUT_SHORT}", f"{STATE}{CUT_SHORT}", f"{STATE}.backup")
    return (
        isinstance(place, LocalPlace)
        and place.path == stack.path / STATE
        and place.read() is None
        and place.lock() is None
        and records.record(stack) is None
        and records.unfinished(stack) is None
        and not any((stack.path / name).exists() for name in leftover_names)
    )


def _find(target: Target, old_name: str, new_name: str) -> _Renaming:
    repository = target.repository
    old, new = (Stack(repository.root, f"notebooks/{name}") for name in (old_name, new_name))
    is_moved = not old.path.is_dir()
    if not is_moved and target.endpoint and is_from_repository(old.path):
        raise UserError(f"{old.name} is the repository's: rename it there, without --local")
    names = {name.lower(): name for name in repository.notebook_names()}
    if not is_moved and (taken := names.get(new_name.lower())):
        raise UserError(f"notebooks/{taken} exists already; choose another name")
    settings = backend.configured_backend(repository)
    objects = s3.in_regions_of(target.endpoint)
    places = None
    if settings:
        places = (settings.place(old.name, objects), settings.place(new.name, objects))
    if is_moved and not _was_renamed(old, new, places):
        transfer.require_place(new, locate(new, objects))
        raise UserError(f"there is no {old.name}, and the state of {new.name} is not of it")
    return _Renaming(old, new, settings, places, is_moved)


def _was_renamed(old: Stack, new: Stack, places: tuple[BucketPlace, BucketPlace] | None) -> bool:
    """Returns whether the directory `new` was `old`, as its state or its backend block says."""
    if places and places[0].read():
        return True
    file = transfer.backend_file(new)
    if file.is_file() and f"/{old.name}/" in file.read_text(errors="replace"):
        return True
    place = locate(new, no_objects)
    return not places and isinstance(place, LocalPlace) and _is_of(place, old)


def _is_of(local_place: LocalPlace, stack: Stack) -> bool:
    """Returns whether a state is of `stack`, by its tags, as the guard of modules/common knows it.

    By its instance's name too, of a state whose provider sets no tags.
    """
    state = read_state(local_place)
    resources = state.resources if state else ()
    tags = (resource.attributes.get("tags_all") or {} for resource in resources)
    return stack.name in (tag.get("Stack") for tag in tags) or (
        _read_instance(local_place) == stack.path.name
    )


def _refuse_other_place(renaming: _Renaming, records: Records) -> None:
    """Raises UserError if the state is not where `tools state enable` puts it."""
    stack = renaming.current
    place = transfer.require_place(stack, records.place_by_files(stack))
    if isinstance(place, LocalPlace):
        if renaming.places:
            raise UserError(
                f"{stack.name} has no {backend.FILE} yet: tools state "
                f"enable{records.repository.option}"
            )
    elif str(place) not in map(str, renaming.places or ()):
        raise UserError(
            f"{stack.name} keeps its state in {place}, which is a key of its own; rename it by "
            f"hand: set its instance's name in {VALUES} (name) and the new key in its backend "
            "block, then run init -migrate-state in its directory"
        )


def _find_instance(records: Records, renaming: _Renaming) -> str | None:
    """Returns the name of the instance in the notebook's state, if any."""
    for place in (records.place_by_files(renaming.current), *(renaming.places or ())[:1]):
        if place and (instance := _read_instance(place)):
            return instance
    return None


def _read_instance(place: Place) -> str | None:
    state = read_state(place)
    instances = state.of_type(NOTEBOOK_TYPE) if state else []
    return str(instances[0].attributes["name"]) if instances else None


def _refuse(
    renaming: _Renaming, records: Records, target: Target, new_instance: str | None
) -> None:
    old, current = renaming.old, renaming.current
    for stack in records.stacks:
        if old.name in stack.named_upstream:
            raise UserError(f"{stack.name} reads the state of {old.name}: change its name there")
    for directory, instance in target.repository.instance_names().items():
        is_other = directory not in (old.path.name, new_instance)
        if new_instance and is_other and instance == new_instance:
            raise UserError(f"notebooks/{directory} has an instance called {instance} already")
    if renaming.places:
        old_place, new_place = renaming.places
        transfer.refuse_lock(old_place, current, target.option)
        content = old_place.read()
        if content or not renaming.is_moved:  # otherwise it has been moved already
            transfer.refuse_conflict(content, new_place.read(), new_place)
    if place := records.place_by_files(current):
        transfer.refuse_lock(place, current, target.option)


def _announce(
    session: Session, renaming: _Renaming, instance: str | None, rename_instance: bool
) -> None:
    where = session.known_account or "never applied"
    say(f"Rename {renaming.old.name} to {renaming.new.name} ({where})")
    if instance and rename_instance:
        say(
            f"AWS cannot rename an instance: the next apply replaces {instance} by "
            f"{renaming.new.path.name}, and its volume is lost"
        )
    elif instance:
        say(
            f"AWS cannot rename an instance: it is still called {instance} (name in {VALUES}). "
            "Another name would replace it, and its volume would be lost."
        )


def _set_name(stack: Stack, name: str) -> None:
    path = stack.path / VALUES
    if not path.is_file() or reading.read_tfvars(path).get("name") != name:
        text = path.read_text() if path.is_file() else ""
        files.write(path, writing.assign(text, {"name": name}))


def _sign_state(local_place: LocalPlace, renaming: _Renaming) -> None:
    """Has the state say that it is the new stack's, as modules/common wants it."""
    content = local_place.read()
    if content and renaming.old.name.encode() in content:
        State.parse(content, str(local_place), local_place.mend)
        local_place.write(content, ".backup")
        local_place.write(with_stack(content, renaming.old.name, renaming.new.name), "")


def _move_state(run: Run, renaming: _Renaming) -> None:
    if renaming.places is None or renaming.settings is None:
        if isinstance(place := run.records.place_by_files(renaming.new), LocalPlace):
            _sign_state(place, renaming)
        run.records.forget_files(renaming.new)
        return
    old_place, new_place = renaming.places
    backend_tf = transfer.backend_text(renaming.settings, renaming.new, renaming.old.name)
    if content := old_place.read():
        moved = transfer.move(run, renaming.new, old_place, new_place, backend_tf)
        run.progress.say(renaming.new.name, moved)
        if old_place.read() != content:
            raise UserError(
                f"{old_place} was written while it was moved to {new_place}; run the command again"
            )
    else:
        transfer.switch(run, renaming.new, backend_tf)
    transfer.remove(old_place)  # it would count as an orphan, to be destroyed
