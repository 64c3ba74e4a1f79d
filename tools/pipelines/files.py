"""The files of a pipeline: rendered, compared, and written unless somebody has edited them."""

import difflib
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import jinja2

from tools.errors import UserError
from tools.pipelines.steps import MOST_WAVES
from tools.system import files

# Of each platform: the path in the repository, and the template beside this module.
FILES: Mapping[str, Mapping[str, str]] = {
    "github": {
        f".github/workflows/notebooks-{name}.yml": f"github-{name}.yml.j2"
        for name in ("plan", "deploy", "wave", "drift")
    },
    "gitlab": {
        ".gitlab/notebooks.yml": "gitlab.yml.j2",
        ".gitlab/notebooks-deploy.yml": "gitlab-deploy.yml.j2",
    },
}
_DEFAULTS = {"branch": "main", "terraform": "1.11.4", "environment": "notebooks"}
_VALUES = {
    "branch": re.compile(r"[\w][\w./-]*"),
    "terraform": re.compile(r"\d+\.\d+\.\d+"),
    "environment": re.compile(r"[\w][\w-]*"),
}
_MADE_BY = "# Made by: tools ci"
_HEAD = re.compile(
    rf"{_MADE_BY} (?P<platform>\w+) ?(?P<options>.*)\n# .*\n# sha256: (?P<digest>[0-9a-f]{{64}})\n"
)
_NEXT = {
    "github": "next: the roles that it needs: bootstrap/ci (docs/pipelines.md)",
    "gitlab": "next: in .gitlab-ci.yml: include: [{local: .gitlab/notebooks.yml}], and the roles "
    "that it needs: bootstrap/ci (docs/pipelines.md)",
}


@dataclass(frozen=True)
class Written:
    """What was done, or what differs, in lines for a person."""

    lines: Sequence[str]
    differs: bool = False


def write(
    root: Path,
    platform: str,
    region: str,
    given: Mapping[str, str | None],
    check: bool = False,
    force: bool = False,
) -> Written:
    """Writes the files of `platform`; with `check` only compares them.

    What is not `given` is as the files that are there were made with. Raises UserError for a value
    that a pipeline cannot have, and, before anything is written, for a file that was edited by
    hand, unless `force` is set.
    """
    texts = {root / path: read(root / path) for path in FILES[platform]}
    options = _options(texts, given)
    made = {
        root / path: render(template, platform, region, options)
        for path, template in FILES[platform].items()
    }
    return compare(root, texts, made, check, force, f"tools ci {platform}", _NEXT[platform])


def compare(
    root: Path,
    texts: Mapping[Path, str],
    made: Mapping[Path, str],
    check: bool,
    force: bool,
    command: str,
    following: str,
) -> Written:
    """Writes those of the files `made` that differ from `texts`; with `check` says which do.

    Raises UserError for a file that was edited by hand, unless `check` or `force` is set.
    """
    changed = [path for path in made if texts[path] != made[path]]
    edited = [path for path in changed if texts[path] and not _is_as_made(texts[path])]
    if check:
        lines = [line for path in changed for line in _difference(root, path, texts, made)]
        end = f"run {command}{' --force' if edited else ''}" if changed else "up to date"
        return Written([*lines, end], bool(changed))
    if edited and not force:
        for path in edited:
            for line in _difference(root, path, texts, made):
                click.echo(line)
        raise UserError(
            f"{edited[0].relative_to(root)} was edited by hand, and nothing was written. To "
            f"replace it: {command} --force"
        )
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, made[path])
    lines = [f"written: {path.relative_to(root)}" for path in changed]
    return Written([*lines, following] if lines else ["up to date"])


def render(template: str, platform: str, region: str, options: Mapping[str, str]) -> str:
    """Returns the text of one file."""
    body = (
        _environment()
        .get_template(template)
        .render(**options, region=region, waves=range(1, MOST_WAVES + 1), most_waves=MOST_WAVES)
    )
    arguments = " ".join(f"--{name} {shlex.quote(value)}" for name, value in options.items())
    return with_head(f"{platform} {arguments}", body)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        # GitHub's expressions have the usual delimiters.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,
    )


def render_child(root: Path, template: str, region: str, **values: object) -> str:
    """Returns a child pipeline of GitLab, with the options of the pipeline in `root`."""
    options = _options({root / path: read(root / path) for path in FILES["gitlab"]}, {})
    return _environment().get_template(template).render(**options, region=region, **values)


def with_head(command: str, body: str) -> str:
    """Returns `body` below the lines that say which command made it, and what it was."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    return (
        f"{_MADE_BY} {command}\n"
        "# Made again by the same command, and not if it was edited: docs/pipelines.md says more.\n"
        f"# sha256: {digest}\n{body}"
    )


def read(path: Path) -> str:
    """Returns the text of a file, empty if there is none. Raises UserError if it is unreadable."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _options(texts: Mapping[Path, str], given: Mapping[str, str | None]) -> dict[str, str]:
    options = dict(_DEFAULTS)
    for path, text in texts.items():
        if head := _HEAD.match(text):
            try:
                words = shlex.split(head["options"])
            except ValueError as error:
                raise UserError(
                    f"{path}, line 1: {error}; correct it, or delete the file and run this again "
                    "with its options"
                ) from None
            noted = dict(zip(words[::2], words[1::2], strict=False))
            options |= {name: noted[f"--{name}"] for name in options if f"--{name}" in noted}
    options |= {name: value for name, value in given.items() if value is not None}
    for name, value in options.items():
        if not _VALUES[name].fullmatch(value):
            example = _DEFAULTS[name]
            raise UserError(f"--{name} {value!r} is not a {name} such as {example}")
    return options


def _is_as_made(text: str) -> bool:
    head = _HEAD.match(text)
    if head is None:
        return False
    return head["digest"] == hashlib.sha256(text[head.end() :].encode()).hexdigest()


def _difference(
    root: Path, path: Path, texts: Mapping[Path, str], made: Mapping[Path, str]
) -> list[str]:
    name = str(path.relative_to(root))
    return list(
        difflib.unified_diff(
            texts[path].splitlines(), made[path].splitlines(), name, f"{name} (new)", lineterm=""
        )
    )
