"""Brings the directories of notebooks to today's templates, and keeps what their owners changed."""

import difflib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.errors import UserError
from tools.hcl.reading import VALUES
from tools.layout.files import tf_files
from tools.scaffold import merge, render
from tools.scaffold.merge import MergeConflict, Merged
from tools.scaffold.notebook import Notebook
from tools.state.place import STATE, LocalPlace
from tools.system import files, git, processes

EARLIER = "earlier"  # beside the templates: those of earlier layouts, a folder for each
UP_TO_DATE = "up to date"
_STAGING = ".upgrade-"
_OWNER = "run.pid"  # in a staging folder: the process whose it is
_INITIALIZED = ".terraform"
_ALIKE = 0.4  # a directory with less of every layout than this was not made from a template


@dataclass(frozen=True)
class Upgrade:
    """What becomes of a directory: its files by name, before and after; None is no file.

    `kept` are the changes of its owner that stay, in words.
    """

    directory: Path
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    kept: Sequence[str] = ()

    def diff(self) -> str:
        """The difference, as `diff -u` shows it."""
        lines: list[str] = []
        for name in sorted(self.after):
            before_and_after = [text or "" for text in (self.before[name], self.after[name])]
            old, new = (text.splitlines(keepends=True) for text in before_and_after)
            label = f"{self.directory.parent.name}/{self.directory.name}/{name}"
            lines += difflib.unified_diff(
                old,
                new,
                label if self.before[name] is not None else os.devnull,
                label if self.after[name] is not None else os.devnull,
            )
        return "".join(lines)


@dataclass(frozen=True)
class LeftAlone:
    """A directory that is not upgraded, and why, in words."""

    directory: Path
    why: str


def plan_upgrade(directory: Path, templates: Path) -> Upgrade | LeftAlone | list[MergeConflict]:
    """What has to be done in a notebook's directory; conflicts if it cannot be merged.

    Raises UserError if the directory must not be written as it is, or cannot be read.
    """
    if directory.is_symlink():
        return LeftAlone(directory, "a symbolic link: upgrade the directory that it leads to")
    layouts = read_layouts(templates)
    todays_layout = layouts[-1]
    known = {name for layout in layouts for name in layout}
    texts = {path.name: _read(path) for path in tf_files(directory)}
    own_files = {name: text for name, text in texts.items() if name in known}
    if own_files == _terraform(todays_layout) and not _example(directory, layouts).after:
        return LeftAlone(directory, UP_TO_DATE)
    other_files = {name: text for name, text in texts.items() if name not in known}
    try:
        likeness = {merge.likeness(own_files, _terraform(layout)): layout for layout in layouts}
        if max(likeness) < _ALIKE:
            return LeftAlone(directory, "not made by `tools new-notebook`")
        base_files = _terraform(likeness[max(likeness)])
        merged = merge.merge(base_files, own_files, _terraform(todays_layout), other_files)
    except UserError as error:
        return LeftAlone(directory, str(error))
    if merged.conflicts:
        return [
            MergeConflict(f"{_name(directory)}/{c.file}", c.lines, c.why) for c in merged.conflicts
        ]
    upgrade = _changes(directory, own_files, merged)
    example = _example(directory, layouts)
    upgrade = Upgrade(
        directory,
        {**upgrade.before, **example.before},
        {**upgrade.after, **example.after},
        (*merged.kept, *example.kept),
    )
    if not upgrade.after:
        return LeftAlone(directory, UP_TO_DATE)
    _refuse_unwritable(upgrade)
    return upgrade


@cache
def read_layouts(templates: Path) -> Sequence[Mapping[str, str]]:
    """The layouts from the oldest to today's, each as a directory's files by name.

    A folder of an earlier layout holds only the files that the next one changed; an empty file
    stands for none (templates/earlier/README.md).
    """
    todays_layout = render.render(Notebook("any", {}), templates)
    todays_layout.pop(VALUES)  # the owner's alone
    folders = [path for path in (templates.parent / EARLIER).glob("*") if path.name.isdigit()]
    layouts: list[Mapping[str, str]] = [todays_layout]
    for folder in sorted(folders, key=lambda path: int(path.name), reverse=True):
        later = render.render(Notebook("any", {}), folder)
        layouts.append({**layouts[-1], **later})
    return [{name: t for name, t in layout.items() if t} for layout in reversed(layouts)]


def _terraform(layout: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in layout.items() if name.endswith(".tf")}


def _changes(directory: Path, own_files: Mapping[str, str], merged: Merged) -> Upgrade:
    names = {*own_files, *merged.files}
    after = {name: merged.files.get(name) for name in names}
    changed = sorted(name for name in names if own_files.get(name) != after[name])
    return Upgrade(
        directory,
        {name: own_files.get(name) for name in changed},
        {name: after[name] for name in changed},
        merged.kept,
    )


def _example(directory: Path, layouts: Sequence[Mapping[str, str]]) -> Upgrade:
    """The change of terraform.tfvars.example, which is replaced unless the owner changed it."""
    name = f"{VALUES}.example"
    path, todays_text = directory / name, layouts[-1][name]
    text = _read(path) if path.is_file() else None
    if text is None or text == todays_text:
        return Upgrade(directory, {}, {})
    if text in [layout[name] for layout in layouts]:
        return Upgrade(directory, {name: text}, {name: todays_text})
    return Upgrade(directory, {}, {}, [f"{name}, as you changed it"])


def _read(path: Path) -> str:
    with files.explain_unreadable(path):
        try:
            text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8 ({error.reason})") from None
    return text if text.endswith("\n") or not text else f"{text}\n"


def _name(directory: Path) -> str:
    return f"{directory.parent.name}/{directory.name}"


def _refuse_unwritable(upgrade: Upgrade) -> None:
    directory = upgrade.directory
    for name in upgrade.after:
        path = directory / name
        if path.is_symlink():
            raise UserError(
                f"{_name(directory)}/{name} is a symbolic link; put a file in its place"
            )
        if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
            raise UserError(f"{_name(directory)}/{name} is read-only; if it may change: chmod u+w")
    if changed := git.changed_files(directory, sorted(upgrade.after)):
        raise UserError(
            f"{_name(directory)} has changes that are not in git ({', '.join(changed)}); commit "
            "them first, so that git shows what the upgrade changes"
        )


def write(upgrade: Upgrade) -> None:
    """Puts an upgrade into its directory at once: a kill leaves it as it was, or upgraded.

    Everything else in the directory stays as it is. Raises UserError if a file has changed since
    it was planned, if Terraform is at work there, or if the disk refuses.
    """
    directory = upgrade.directory
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=directory.parent))
    try:
        processes.write_note(os.getpid(), staging / _OWNER)
        lock = LocalPlace(directory / STATE).lock()
        if lock and lock.is_held:
            raise UserError(f"{_name(directory)}: Terraform works there ({lock.who}); wait for it")
        _refuse_changed(upgrade)
        copy = staging / directory.name
        shutil.copytree(directory, copy, symlinks=True, copy_function=_link, ignore=_ignore)
        for name, text in upgrade.after.items():
            (copy / name).unlink(missing_ok=True)  # and not written: it is one with the original
            if text is not None:
                files.write(copy / name, text)
        files.exchange(copy, directory)
        # Which nothing misses meanwhile: without it Terraform asks for an init.
        if (copy / _INITIALIZED).is_dir():
            (copy / _INITIALIZED).rename(directory / _INITIALIZED)
    except shutil.Error as error:  # of each file that was not copied: both names, and why
        source, _, why = error.args[0][0]
        raise UserError(f"cannot copy {source}: {why}") from None
    except OSError as error:
        raise UserError(f"cannot write {error.filename}: {files.explain(error)}") from None
    finally:
        shutil.rmtree(staging)


def clear_interrupted(notebooks: Path) -> None:
    """Removes what an upgrade left that was killed, after its directories have their names."""
    for staging in notebooks.glob(f"{_STAGING}*"):
        if processes.noted_pid(staging / _OWNER):
            continue
        for aside in staging.glob(f"*{files.ASIDE}"):
            original = notebooks / aside.name.removesuffix(files.ASIDE)
            if not original.exists():
                aside.rename(original)
        shutil.rmtree(staging)


def _ignore(directory: str, names: list[str]) -> list[str]:
    return [_INITIALIZED] if _INITIALIZED in names else []


def _link(source: str, target: str) -> None:
    # One file with two names: a state stays the one that it is.
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # some file systems have no such links
        shutil.copy2(source, target)


def _refuse_changed(upgrade: Upgrade) -> None:
    for name, text_before in upgrade.before.items():
        path = upgrade.directory / name
        if (_read(path) if path.is_file() else None) != text_before:
            raise UserError(
                f"{_name(upgrade.directory)}/{name} has changed meanwhile; run it again"
            )
