"""From notebooks to directories: rendered in memory, checked, then written all or none."""

import functools
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import UserError
from tools.hcl import cache, reading
from tools.hcl.writing import format_assignments
from tools.layout.repository import COMMON, TYPED_ONCE, Repository
from tools.scaffold.notebook import Notebook
from tools.state import backend
from tools.system.signals import count_signals

if TYPE_CHECKING:
    from jinja2 import Template

# Of templates/notebook/terraform.tfvars.j2: it says to edit the file.
_TEMPLATES_HEAD = re.compile(r"\A# Made by `tools new-notebook`;.*\n")


def render(notebook: Notebook, templates: Path) -> dict[str, str]:
    """Renders every template of `templates` for a notebook: name of the file to text."""
    same, varying = _templates(templates)
    values = {"values": format_assignments(notebook.values)}
    rendered = {name: template.render(values) for name, template in varying.items()}
    return dict(sorted({**same, **rendered}.items()))


@functools.cache
def _templates(directory: Path) -> "tuple[Mapping[str, str], Mapping[str, Template]]":
    """The files that are the same for every notebook, and the templates of the others.

    Raises UserError if there are none.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta

    environment = Environment(
        loader=(loader := FileSystemLoader(directory)),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # HCL, not HTML: hcl/writing.py escapes every value
    )
    names = environment.list_templates(extensions=["j2"])
    if not names:
        raise UserError(f"there are no templates in {directory}; git checkout brings them back")
    same: dict[str, str] = {}
    varying: dict[str, Template] = {}
    for name in names:
        file = name.removesuffix(".j2")
        tree = environment.parse(loader.get_source(environment, name)[0])
        if meta.find_undeclared_variables(tree) or any(meta.find_referenced_templates(tree)):
            varying[file] = environment.get_template(name)
        else:
            same[file] = environment.get_template(name).render()
    return same, varying


def variables(templates: Path) -> dict[str, str]:
    """The variables that a notebook's own .tfvars may set: name to Terraform type."""
    with cache.persisted(templates.parents[1]):
        declared = reading.read_variables(templates / "variables.tf.j2")
    return {name: kind for name, kind in declared.items() if name not in TYPED_ONCE}


def check_new(notebooks: Sequence[Notebook], repository: Repository) -> None:
    """Raises UserError for a name that is taken, also if only the case differs."""
    for name, times in Counter(notebook.name for notebook in notebooks).items():
        if times > 1:
            raise UserError(f"{name} is named {times} times; name each notebook once")
    for _, complaint in find_taken(notebooks, repository):
        raise UserError(complaint)


def find_taken(
    notebooks: Sequence[Notebook], repository: Repository
) -> Iterator[tuple[Notebook, str]]:
    """Yields those of `notebooks` whose name is taken, and by what, in words."""
    taken = {name.lower(): name for name in repository.notebook_names()}
    directories = {instance.lower(): name for name, instance in repository.instance_names().items()}
    for notebook in notebooks:
        other = taken.get(notebook.name.lower())
        owner = directories.get(notebook.instance_name.lower())
        if other == notebook.name:
            yield notebook, f"notebooks/{other} exists already; choose another name"
        elif other:
            complaint = (
                f"{notebook.name} differs from notebooks/{other} only by case, which some file "
                "systems and people do not see; choose another name"
            )
            yield notebook, complaint
        elif owner:
            complaint = (
                f"{notebook.name}: notebooks/{owner} has an instance called "
                f"{notebook.instance_name} already; choose another name"
            )
            yield notebook, complaint
        taken[notebook.name.lower()] = notebook.name
        directories[notebook.instance_name.lower()] = notebook.name


def write(notebooks: Sequence[Notebook], repository: Repository, templates: Path) -> list[Path]:
    """Writes a directory for each notebook, or none if anything fails, and returns them.

    Raises UserError if a name is taken or the disk refuses.
    """
    check_new(notebooks, repository)
    bucket = backend.configured_backend(repository)
    files_by_name = {notebook.name: files(notebook, templates, bucket) for notebook in notebooks}
    parent = repository.root / "notebooks"
    try:
        # A signal between a folder's making and its noting would leave the folder behind.
        with count_signals() as interruption, _staging(parent) as staging:
            for name, contents in files_by_name.items():
                interruption.check()
                _fill(staging / name, contents)
            interruption.check()
            return _publish(staging, parent, list(files_by_name))
    except FileExistsError as error:
        raise UserError(f"{error.filename} exists already; nothing was written") from None
    except OSError as error:
        raise UserError(f"cannot write {error.filename}: {error.strerror}") from None


def files(
    notebook: Notebook, templates: Path, bucket: backend.Backend | None = None
) -> dict[str, bytes]:
    """Every file of the notebook's directory, name to content; `bucket` holds its state, if any."""
    rendered = render(notebook, templates)
    if notebook.head:
        rendered[reading.VALUES] = set_head(rendered[reading.VALUES], notebook.head)
    if bucket:
        rendered[backend.FILE] = bucket.text(f"notebooks/{notebook.name}")
    return {name: text.encode() for name, text in rendered.items()} | dict(notebook.scripts)


def set_head(text: str, head: str) -> str:
    """Returns the text of a terraform.tfvars with `head` instead of the template's."""
    body = _TEMPLATES_HEAD.sub("", text.lstrip("\n")).lstrip("\n")
    return f"{head}\n\n{body}"


@contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """A hidden folder beside the notebooks, so that a rename publishes them; gone afterwards."""
    staging = Path(tempfile.mkdtemp(prefix=".new-notebook-", dir=parent))
    try:
        yield staging
    finally:
        shutil.rmtree(staging)


def _fill(directory: Path, contents: Mapping[str, bytes]) -> None:
    directory.mkdir()
    for name, content in contents.items():
        # Thousands of files: a Path for each would take as long as writing it.
        with open(f"{directory}/{name}", "xb") as stream:  # noqa: PTH123
            stream.write(content)
    (directory / COMMON).symlink_to(Path("..") / ".." / COMMON)


def _publish(staging: Path, parent: Path, names: Sequence[str]) -> list[Path]:
    published: list[Path] = []
    try:
        for name in names:
            target = parent / name
            # mkdir claims the name against anyone else; the rename then replaces the empty folder.
            target.mkdir()
            published.append(target)
            (staging / name).rename(target)
    except BaseException:
        for target in published:
            shutil.rmtree(target)
        raise
    return published
