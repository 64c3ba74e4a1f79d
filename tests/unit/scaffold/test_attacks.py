"""Names and values meant to escape: nothing outside the new directory, and one clear error."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.trees import LAYOUT, copy_repository
from tools import SCRATCH
from tools.errors import UserError, in_one_line
from tools.hcl import reading
from tools.layout.repository import Repository
from tools.scaffold import render
from tools.scaffold.rows import build, build_file

BIG = "a" * 10_000_000
# Nine levels of nine: a YAML of a few hundred bytes with 9**9 words in it, if anybody counts.
LAUGHS = "l0: &l0 lol\n" + "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_repository(tmp_path_factory.mktemp("attacked") / "repository", *LAYOUT)


@pytest.fixture
def repository(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository whose neighbours would be seen to change; the working directory is beside it."""
    monkeypatch.chdir(tmp_path)
    return Repository(tree)


def make(repository: Repository, *rows: dict[str, Any]) -> list[Path]:
    """What `tools new-notebook` does with rows."""
    templates = repository.root / "templates" / "notebook"
    types = render.variables(templates)
    notebooks = [build(row, {}, repository, types) for row in rows]
    return render.write(notebooks, repository, templates)


def everything(repository: Repository) -> dict[str, tuple[int, int]]:
    """Every path in the repository and beside it; of files the size and the time of change.

    But for .tools, which the command has for itself and git ignores.
    """
    found = {}
    for path in repository.root.parent.rglob("*"):
        if not path.is_relative_to(repository.root / SCRATCH):
            stat = path.lstat()
            is_folder = path.is_dir() and not path.is_symlink()
            found[str(path)] = (0, 0) if is_folder else (stat.st_size, stat.st_mtime_ns)
    return found


def refused(repository: Repository, *rows: dict[str, Any]) -> str:
    """The one clear error, with nothing written anywhere."""
    before = everything(repository)
    with pytest.raises(UserError) as caught:
        make(repository, *rows)
    assert everything(repository) == before
    message = in_one_line(str(caught.value))
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 1600
    return message


NAMES = [
    "../escaped",
    "../../escaped",
    "..",
    ".",
    "/tmp/escaped",
    "a/../../escaped",
    "a/b",
    "a\\b",
    "notebooks/a",
    "~root",
    "$HOME",
    "a\x00b",
    "a\nb",
    "a\x1b[2J",
    "a\u202eb",
    "\uff0e\uff0e\uff0fescaped",  # dots and a slash, once normalized
    "a\u0301",
    "${file(1)}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "con:",
    "-rf",
    " a",
    "a ",
    "",
    BIG,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_name_does_not_escape(repository: Repository, name: str) -> None:
    assert "is not a name for a notebook" in refused(repository, {"name": name})


VALUES: list[tuple[str, Any]] = [
    ("owner", BIG),
    ("owner", "a\nb"),
    ("owner", "a\x1b]0;title\x07"),
    ("owner", "${file(1)}"),
    ("owner", "\ud800"),
    ("purpose", BIG),
    ("purpose", "a\x00b"),
    ("purpose", "\x1b[2J"),
    ("environment", BIG),
    ("instance_type", BIG),
    ("instance_type", "ml.t3.medium\n}"),
    ("volume_size", "9" * 10_000),
    ("volume_size", "5\n}"),
    ("volume_size", "1e309"),
    ("idle_stop_minutes", 10**40),
    ("idle_stop_minutes", "9" * 4300),
    ("security_group_ids", BIG),
    ("security_group_ids", "[" * 100_000),
    ("security_group_ids", [[["sg-1"]] * 5] * 5),
    ("subnet_id", 'subnet-1"\nx = "'),
    ("kms_key_id", "alias/${path.root}"),
    ("kms_key_id", BIG),
    ("role_arn", BIG),
    ("platform_identifier", "{{ 7 * 7 }}"),
    ("default_code_repository", BIG),
    ("default_code_repository", "https://me:token@example.com/r.git"),
    ("additional_code_repositories", ["https://token@example.com/r.git"]),
    ("tags", {BIG: "x"}),
    ("tags", {"k": BIG}),
    ("tags", "{" * 100_000),
    ("tags", '{"k": "a", "k": "b"}'),
    ("tags", "k=a,k=b"),
    ("tags", {"\u00e9": "a", "e\u0301": "b"}),  # one key, once normalized
    ("on_start_file", "/dev/zero"),
    ("on_start_file", "/dev/stdin\x00"),
    ("on_start_file", "."),
    ("on_start_file", BIG),
    ("on_start_file", "missing\x1b[2J.sh"),
    ("on_start_file", "pipe"),
    ("on_start_file", "MAIN.TF"),
    ("on_start_file", "a.auto.tfvars"),
    ("on_start_file", ".terraformrc"),
    ("on_start_file", "line\nbreak.sh"),
    ("on_start_file", "\udcff.sh"),
    ("on_start_file", "-rf"),
    ("profile", BIG),
    ("from", "../../etc"),
    ("from", "/etc"),
    ("from", ".."),
    ("from", "notebook-dev/../../shared-infra/s3"),
    ("from", "a\x00b"),
    ("from", BIG),
    (BIG, "x"),
    ("a\x1b[2J", "x"),
    ("project", "other"),
    ("source", "../../modules/evil"),
]


@pytest.fixture
def scripts(tmp_path: Path) -> None:
    for name in ("MAIN.TF", "a.auto.tfvars", ".terraformrc", "line\nbreak.sh", "-rf"):
        (tmp_path / name).write_text("echo\n")
    (tmp_path / os.fsdecode(b"\xff.sh")).write_text("echo\n")
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: to read it would never end


@pytest.mark.usefixtures("scripts")
@pytest.mark.parametrize(
    ("key", "value"), VALUES, ids=lambda part: part[:20] if isinstance(part, str) else "value"
)
def test_a_value_does_not_escape(repository: Repository, key: str, value: Any) -> None:
    message = refused(repository, {"name": "attacked", key: value})
    assert message.startswith(("attacked: ", "there is no notebooks/"))
    assert "token" not in message


def test_a_batch_is_refused_for_its_last_row(repository: Repository) -> None:
    rows = [{"name": f"fine-{number}"} for number in range(20)]
    refused(repository, *rows, {"name": "../escaped"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "one"}, {"name": "one"}),
        ({"name": "one"}, {"name": "ONE"}),
        ({"name": "one"}, {"name": "two", "instance": "One"}),
        ({"name": "one", "instance": "x"}, {"name": "two", "instance": "X"}),
        ({"name": "NOTEBOOK-dev"}, {"name": "two"}),
    ],
)
def test_two_that_are_one_are_refused(
    repository: Repository, first: dict[str, Any], second: dict[str, Any]
) -> None:
    refused(repository, first, second)


@pytest.mark.parametrize(
    "target", ["outside", "nowhere", "../shared-infra", "notebook-dev", "self"]
)
def test_a_link_in_notebooks_is_not_followed(
    repository: Repository, tmp_path: Path, target: str
) -> None:
    (tmp_path / "outside").mkdir()
    link = repository.root / "notebooks" / "self"
    link.symlink_to(tmp_path / target if target in ("outside", "nowhere") else target)
    try:
        assert "exists already" in refused(repository, {"name": "self"})
        assert "only by case" in refused(repository, {"name": "SELF"})
        assert list((tmp_path / "outside").iterdir()) == []
    finally:
        link.unlink()


@pytest.mark.parametrize(
    "purpose",
    [
        '"\n}\nresource "null_resource" "x" {}\n',
        '${file("/etc/passwd")}',
        "%{ for x in [1] }y%{ endfor }",
        "{{ ''.__class__.__mro__ }}{% include '/etc/passwd' %}{# #}",
        "<<EOT\nx\nEOT\n",
        '\\"; # // /* */',
        "\u202e\u2066 bidirectional",
    ],
)
def test_a_purpose_in_another_language_stays_a_purpose(
    repository: Repository, purpose: str, request: pytest.FixtureRequest
) -> None:
    before = everything(repository)
    [directory] = make(repository, {"name": "attacked", "purpose": purpose})
    try:
        assert reading.read_tfvars(directory / "terraform.tfvars")["purpose"] == purpose
        outside = {
            path: found
            for path, found in everything(repository).items()
            if not path.startswith(str(directory))
        }
        assert outside == before
        plain = render.render(
            build(
                {"name": "attacked", "purpose": "p"},
                {},
                repository,
                render.variables(repository.root / "templates" / "notebook"),
            ),
            repository.root / "templates" / "notebook",
        )
        for file, text in plain.items():  # the value is in the file of values and nowhere else
            if file != "terraform.tfvars":
                assert (directory / file).read_text() == text
    finally:
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


FILES = {
    "a device.csv": None,
    "laughs.yaml": f"{LAUGHS}a: {{owner: *l9}}\n",
    "laughs in a list.yaml": f"- {{name: a, owner: &a [{'[' * 30}x{']' * 30}]}}\n",
    "itself.yaml": "- &a {name: a, tags: {k: [*a]}}\n",
    "python.yaml": "- !!python/object/apply:os.system ['touch escaped']\n",
    "a date.yaml": "- {name: a, owner: 2026-13-45}\n",
    "a number.yaml": f"- {{name: a, volume_size: {'9' * 5000}}}\n",
    "a key.yaml": "? [a, b]\n: {owner: x}\n",
    "ten megabytes.yaml": f"a: {{owner: '{BIG}'}}\n",
    "ten megabytes.csv": f"name,owner\na,{BIG}\n",
    "a long field.csv": f"name,owner\na,{'x' * 200_000}\n",
    "nothing.csv": "name,owner\na,\x00\n",
    "quotes.csv": 'name,owner\n"a,b\n',
    "path.csv": "name\n../escaped\n",
    "deep.yaml": "- " * 3000 + "a\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_rows_does_not_escape(repository: Repository, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = FILES[name]
    if content is None:
        path.symlink_to("/dev/zero")
    else:
        path.write_text(content)
    before = everything(repository)
    types = render.variables(repository.root / "templates" / "notebook")
    with pytest.raises(UserError) as caught:
        build_file(path, {}, repository, types)
    assert everything(repository).keys() == before.keys()
    assert not (tmp_path / "escaped").exists()
    assert len(in_one_line(str(caught.value))) < 1600


@pytest.mark.parametrize("content", ["a = " + "[" * 3000 + "]" * 3000, "a = {", json.dumps({})])
def test_a_notebook_to_copy_from_that_is_hostile_is_refused(
    repository: Repository, content: str
) -> None:
    hostile = repository.root / "notebooks" / "hostile"
    hostile.mkdir()
    try:
        (hostile / "terraform.tfvars").write_text(content)
        before = everything(repository).keys()
        with pytest.raises(UserError, match=r"terraform\.tfvars"):
            make(repository, {"name": "attacked", "from": "hostile"})
        assert everything(repository).keys() == before
    finally:
        (hostile / "terraform.tfvars").unlink()
        hostile.rmdir()


def test_an_error_is_one_short_line_that_steers_no_terminal() -> None:
    hostile = f"there is no \x1b[2J\r\n{'x' * 10_000_000}\u202e; mend it so"
    line = in_one_line(hostile)
    assert line.startswith("there is no \\x1b[2J\\r\\nxxx")
    assert line.endswith("xxx\\u202e; mend it so")
    assert len(line) < 1600
    assert in_one_line("grün, 日本") == "grün, 日本"
