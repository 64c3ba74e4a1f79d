"""`tools sync`: directories as a file says, by the command itself."""

import random
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.trees import REPOSITORY
from tests.unit.commands.conftest import Checkout, attached, checkout, deployable
from tools.commands import retire
from tools.fleet.fleet import DeclaredNotebook
from tools.fleet.start_stop import NotebookResult, StartStop
from tools.hcl import reading
from tools.roster.retire import Retiring, Step, Verb
from tools.runs import deployment
from tools.scaffold import render, rows
from tools.scaffold.row_files import read_rows

__all__ = ["attached", "checkout", "deployable"]  # fixtures
EXAMPLES = REPOSITORY / "examples/rosters"
ROWS = """name,profile,owner,purpose,volume_size,tags
nlp,dev,alice,Language,,Team=a
vision,prod,bob,Images,50,
"""
FIRST_ROW = ROWS[: ROWS.index("vision")]


def write(checkout: Checkout, text: str = ROWS, name: str = "notebooks.csv") -> Path:
    path = checkout.root / name
    path.write_text(text)
    return path


def values_file(checkout: Checkout, name: str) -> Path:
    return checkout.root / "notebooks" / name / "terraform.tfvars"


def values(checkout: Checkout, name: str) -> dict[str, object]:
    return dict(reading.read_tfvars(values_file(checkout, name)))


def tree(checkout: Checkout) -> dict[str, bytes]:
    """Every file of the repository but what the tool keeps for itself."""
    return {
        str(path.relative_to(checkout.root)): path.read_bytes()
        for path in checkout.root.rglob("*")
        if path.is_file() and ".tools" not in path.parts
    }


def sync(checkout: Checkout, *options: str) -> str:
    done = checkout.tools("sync", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_what_is_missing_is_made_and_a_second_run_does_nothing(checkout: Checkout) -> None:
    write(checkout)
    before = tree(checkout)
    assert re.search(r"nlp +new +ml.t3.medium", sync(checkout, "--dry-run"))
    assert tree(checkout) == before
    sync(checkout, "--yes")
    # As the other command, which is tested by itself, makes it.
    made = values(checkout, "vision")
    assert (
        checkout.tools(
            "new-notebook", "other", "--profile=prod", "--owner=bob", "--volume-size=50"
        ).returncode
        == 0
    )
    assert made == {**values(checkout, "other"), "purpose": "Images"}
    after = tree(checkout)
    assert "2 of 2 rows unchanged" in sync(checkout)  # without a question
    assert tree(checkout) == after


@pytest.mark.parametrize(
    ("rows", "question"),
    [(ROWS, "Write 2 directories? [y/N]"), (FIRST_ROW, "Write 1 directory? [y/N]")],
    ids=["two", "one"],
)
def test_at_a_terminal_it_is_asked_once_before_anything_is_written(
    checkout: Checkout, rows: str, question: str
) -> None:
    write(checkout, rows)
    before = tree(checkout)
    refused = checkout.tools("sync", answers="n\n")
    assert refused.returncode == 1
    assert question in refused.stderr
    assert tree(checkout) == before
    agreed = checkout.tools("sync", answers="y\n")
    assert agreed.returncode == 0, agreed.stderr
    assert agreed.stderr.count("[y/N]") == 1
    assert values(checkout, "nlp")["owner"] == "alice"


def test_a_change_touches_the_values_of_the_row_alone(checkout: Checkout) -> None:
    write(checkout)
    sync(checkout, "--yes")
    path = values_file(checkout, "nlp")
    text = path.read_text().replace('"alice"', '"alice" # asks for it')
    path.write_text(f"{text}\n# mine\nidle_stop_minutes = 30\n")
    before = tree(checkout)
    write(checkout, ROWS.replace("alice", "carol").replace("Language", 'Say ""hi""'.join('""')))
    output = sync(checkout, "--yes")
    assert "owner: 'alice' -> 'carol'" in output
    changed = {name for name, content in tree(checkout).items() if before.get(name) != content}
    assert changed == {"notebooks.csv", "notebooks/nlp/terraform.tfvars"}
    lines = [
        (old, new)
        for old, new in zip(
            before["notebooks/nlp/terraform.tfvars"].decode().splitlines(),
            path.read_text().splitlines(),
            strict=True,
        )
        if old != new
    ]
    owner, purpose = lines
    assert owner[1] == owner[0].replace("alice", "carol").replace(" # asks", "  # asks")
    assert purpose[1].endswith('= "Say \\"hi\\""')


def test_what_a_row_does_not_name_stays(checkout: Checkout) -> None:
    write(checkout)
    sync(checkout, "--yes")
    path = values_file(checkout, "nlp")
    path.write_text(re.sub(r"volume_size +=.*", "volume_size = 99", path.read_text()))
    assert "2 of 2 rows unchanged" in sync(checkout)
    path.write_text(path.read_text().replace("ml.t3.medium", "ml.t3.large"))
    assert "'ml.t3.large' -> 'ml.t3.medium'" in sync(checkout, "--yes")  # the profile names it
    assert values(checkout, "nlp")["volume_size"] == 99


def test_a_value_that_the_directory_lacks_is_added(checkout: Checkout) -> None:
    write(checkout)
    sync(checkout, "--yes")
    write(
        checkout, ROWS.replace("tags\n", "tags,idle_stop_minutes\n").replace("Team=a", "Team=a,20")
    )
    done = checkout.tools("sync", "--yes")
    assert done.returncode == 1  # the other row lacks a cell
    text = "- name: nlp\n  idle_stop_minutes: 20\n  tags: {Team: b, Cost: '1'}\n"
    (checkout.root / "notebooks.csv").unlink()
    write(checkout, text, "notebooks.yaml")
    sync(checkout, "--yes")
    found = values(checkout, "nlp")
    assert (found["idle_stop_minutes"], found["tags"]) == (20, {"Team": "b", "Cost": "1"})


def test_the_others_are_left_alone_and_the_gone_are_listed(checkout: Checkout) -> None:
    write(checkout)
    sync(checkout, "--yes")
    copied = checkout.root / "notebooks" / "copied"
    copied.mkdir()
    (copied / "terraform.tfvars").write_text(values_file(checkout, "vision").read_text())
    write(checkout, "\n".join(ROWS.splitlines()[:2]))
    before = tree(checkout)
    output = sync(checkout, "--yes")
    assert re.search(r"^vision +no longer named$", output, re.MULTILINE)
    assert "left alone: copied, notebook-dev, notebook-prod" in output
    assert tree(checkout) == before


@pytest.mark.parametrize("seed", range(2))
def test_what_a_roster_owns_is_what_its_rows_have_named(checkout: Checkout, seed: int) -> None:
    """Against a ledger that this test keeps of two rosters' rows: no mark is read."""
    chance = random.Random(seed)
    owners: dict[str, str | None] = {"notebook-dev": None, "notebook-prod": None}
    rows: dict[str, set[str]] = {"one.csv": set(), "two.csv": set()}
    for number in range(6):
        roster, other = chance.sample(sorted(rows), 2)
        free = [name for name, owner in owners.items() if owner in (None, roster)]
        named = {f"new-{number}", *chance.sample(free, chance.randrange(len(free) + 1))}
        rows[roster] = named - rows[other]
        write(
            checkout, "name,owner\n" + "".join(f"{n},alice\n" for n in sorted(rows[roster])), roster
        )
        said = sync(checkout, roster, "--yes")
        owners |= dict.fromkeys(rows[roster], roster)
        gone = {name for name, owner in owners.items() if owner == roster} - rows[roster]
        assert set(re.findall(r"^(\S+) +no longer named$", said, re.MULTILINE)) == gone
        source = chance.choice(sorted(owners))
        copy = f"copy-{number}"
        shutil.copytree(
            checkout.root / "notebooks" / source, checkout.root / "notebooks" / copy, symlinks=True
        )
        owners[copy] = None  # whatever it was copied from
        text = values_file(checkout, copy).read_text()
        values_file(checkout, copy).write_text(text + "\n# edited by hand\n")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ((), ["nlp", "vision"]),
        (("vision",), ["vision"]),
        (("notebooks/vision/",), ["vision"]),
        (("notebooks.csv", "vision", "nlp"), ["nlp", "vision"]),
    ],
)
def test_retire_takes_those_that_are_named(
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    given: tuple[str, ...],
    asked: list[str],
) -> None:
    """What is done with them is in tests/cli/test_retire.py."""
    write(checkout)
    sync(checkout, "--yes")
    write(checkout, "name,owner\nnotebook-dev,alice\n")
    retired: list[str] = []
    monkeypatch.setattr(retire, "run", lambda _, names, *args, **kwargs: retired.extend(names))
    assert re.search(r"nlp +no longer named\nvision +no longer", sync(checkout, "--yes"))
    assert retired == []
    sync(checkout, "--retire", *given)
    assert retired == asked


def retire_at(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, *verbs: Verb
) -> "CompletedProcess[str]":
    """`tools sync --retire` of vision, each look at which finds the next of `verbs`.

    A stand-in for what happens between two looks; tests/cli/test_retire.py has the whole way.
    """
    write(checkout)
    sync(checkout, "--yes")
    write(checkout, FIRST_ROW)
    looks = iter(verbs)

    def look(retiring: Retiring, names: Sequence[str]) -> list[Step]:
        (notebook,) = retiring.fleet.notebooks([f"notebooks/{name}" for name in names])
        return [Step("vision", next(looks), "", notebook)]

    monkeypatch.setattr(Retiring, "steps", look)
    return checkout.tools("sync", "--retire", "--local", "--allow-destroy")


def test_a_notebook_that_cannot_be_stopped_is_not_noted_as_stopped(
    attached: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has deleted it meanwhile: the cloud has no such instance."""
    done = retire_at(attached, monkeypatch, "stop")
    assert done.returncode == 1, done
    assert "vision: not stopped: there is no instance vision in the local cloud" in done.stderr
    assert "kept until" not in done.stderr
    assert not list(attached.root.rglob("*.retirement.json"))


def test_nothing_is_destroyed_after_an_interrupted_stop(
    attached: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "kept,dev,carol,Music,,\n"
    write(attached, ROWS + kept)
    sync(attached, "--yes")
    write(attached, ROWS[: ROWS.index("nlp")] + kept)

    def look(retiring: Retiring, names: Sequence[str]) -> list[Step]:
        nlp, vision = retiring.fleet.notebooks(["nlp", "vision"])
        return [Step("nlp", "stop", "", nlp), Step("vision", "destroy", "", vision)]

    def change(change: StartStop, notebooks: Sequence[DeclaredNotebook], *_: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return [NotebookResult(n, "failed", "interrupted while it is Stopping") for n in notebooks]

    monkeypatch.setattr(Retiring, "steps", look)
    monkeypatch.setattr(StartStop, "change", change)
    monkeypatch.setattr(deployment, "destroy_stacks", lambda *_: pytest.fail("destroyed"))
    done = attached.tools("sync", "--retire", "--local", "--allow-destroy")
    assert done.returncode == 128 + signal.SIGINT, done
    assert "nlp: not stopped: interrupted while it is Stopping; repeat it" in done.stderr


def test_nothing_is_destroyed_that_was_started_while_it_was_asked(
    attached: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = retire_at(attached, monkeypatch, "destroy", "refused")
    assert done.returncode == 1, done
    assert done.stderr.endswith(
        "error: vision has changed meanwhile, and nothing was destroyed; repeat it\n"
    )
    assert values_file(attached, "vision").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--retire", "vision"), "notebooks.csv, line 3 still names vision; remove the row"),
        (
            ("--retire", "nlp", "notebook-dev"),
            "notebooks/notebook-dev is not kept by notebooks.csv",
        ),
        (("--retire", "np"), "there is no notebook 'np' to retire; did you mean nlp?"),
        (("notebooks.csv", "nlp"), "NAME belong to --retire"),
    ],
)
def test_what_is_named_and_not_gone_is_refused_before_anything_is_written(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], said: str
) -> None:
    write(checkout)
    sync(checkout, "--yes")
    write(checkout, "name,profile,owner\nnew,dev,alice\nvision,prod,carol\n")
    monkeypatch.setattr(retire, "run", lambda *_, **__: pytest.fail("it was retired"))
    before = tree(checkout)
    done = checkout.tools("sync", *given, "--yes")
    assert done.returncode != 0
    assert said in done.stderr
    assert tree(checkout) == before


def test_a_row_takes_over_a_directory_that_it_names(checkout: Checkout) -> None:
    owner = values(checkout, "notebook-dev")["owner"]
    write(checkout, "name,volume_size\nnotebook-dev,77\n")
    assert "kept by the roster from now on; volume_size" in sync(checkout, "--yes")
    assert values(checkout, "notebook-dev")["volume_size"] == 77
    assert values(checkout, "notebook-dev")["owner"] == owner
    assert "1 of 1 rows unchanged" in sync(checkout)
    write(checkout, "name\nnotebook-dev\n", "second.csv")
    refused = checkout.tools("sync", "second.csv", "--yes")
    assert "second.csv, line 2: notebooks/notebook-dev is kept by notebooks.csv" in refused.stderr


def test_a_change_that_loses_the_volume_says_so(checkout: Checkout) -> None:
    write(checkout)
    sync(checkout, "--yes")
    write(checkout, ROWS.replace(",50,", ",40,"))
    assert "its volume is lost" in sync(checkout, "--dry-run")
    write(checkout, ROWS.replace(",50,", ",60,"))
    assert "its volume is lost" not in sync(checkout, "--dry-run")
    write(checkout, ROWS.replace("tags\n", "instance\n").replace("Team=a", "renamed"))
    assert "its volume is lost" in sync(checkout, "--dry-run")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("notebooks.csv", ROWS + "x,dev,,,4,\n", "notebooks.csv, line 4: x: volume_size"),
        ("notebooks.csv", ROWS + "nlp,dev,,,,\n", "line 4: nlp is on line 2 too"),
        ("notebooks.csv", ROWS + "NLP,dev,,,,\n", "line 4: NLP differs from notebooks/nlp only"),
        ("notebooks.csv", 'name,purpose\na,"two\nlines"\n-b,\n', "line 4: '-b' is not a name"),
        ("notebooks.yaml", "- name: a\n  size: 4\n", "line 1: a: a notebook has no value called"),
        ("notebooks.csv", "name,profile\na,big\n", "line 2: a: there is no profile 'big'"),
        ("notebooks.yaml", "- name: a\n- name: b\n  volume_size: x\n", "line 2: b: volume_size"),
        ("notebooks.yaml", "a:\nb:\n  owner: [1]\n", "notebooks.yaml, line 2: b: owner"),
        ("notebooks.csv", "name,instance\na,same\nb,same\n", "line 3: b: notebooks/a has an inst"),
        (
            "notebooks.csv",
            "name,instance\nnotebook-dev,same\nnotebook-prod,same\n",
            "would have one instance, same",
        ),
    ],
)
def test_a_wrong_row_is_named_by_its_line_and_nothing_is_written(
    checkout: Checkout, name: str, text: str, said: str
) -> None:
    write(checkout, text, name)
    before = tree(checkout)
    done = checkout.tools("sync", "--yes")
    assert done.returncode == 1
    assert said in done.stderr
    assert "nothing was written" in done.stderr
    assert tree(checkout) == before


def test_a_column_that_no_notebook_has_is_named_once(checkout: Checkout) -> None:
    write(checkout, "name,size\na,4\nb,5\n")
    done = checkout.tools("sync", "--yes")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "notebooks.csv, line 1: a notebook has no value called 'size'" in done.stderr


def test_all_wrong_rows_are_named(checkout: Checkout) -> None:
    write(checkout, "name,volume_size\na,1\nb,20\nc,2\n")
    done = checkout.tools("sync", "--yes")
    assert re.findall(r"line (\d+): (\w):", done.stderr) == [("2", "a"), ("4", "c")]
    assert "2 rows are wrong; nothing was written" in done.stderr


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("z.auto.tfvars", 'owner = "x"\n', "z.auto.tfvars sets owner and overrides"),
        ("terraform.tfvars", 'owner = /* who */ "x"\n', "the comments on the lines of owner"),
        ("terraform.tfvars", "owner = var.x\n", "terraform.tfvars"),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused(
    checkout: Checkout, file: str, text: str, said: str
) -> None:
    (checkout.root / "notebooks/notebook-dev" / file).write_text(text)
    write(checkout, "name,owner\nnew,alice\nnotebook-dev,alice\n")
    before = tree(checkout)
    done = checkout.tools("sync", "--yes")
    assert done.returncode == 1
    assert "notebooks.csv, line 3: " in done.stderr
    assert said in done.stderr
    assert tree(checkout) == before


def test_scripts_are_found_beside_the_roster_and_follow_it(checkout: Checkout) -> None:
    folder = checkout.root / "teams"
    folder.mkdir()
    (folder / "start.sh").write_text("one\n")
    write(checkout, "name,on_start_file\na,start.sh\n", "teams/a.csv")
    sync(checkout, "teams/a.csv", "--yes")
    (folder / "start.sh").write_text("two\n")
    assert "start.sh: new content" in sync(checkout, "teams/a.csv", "--yes")
    assert (checkout.root / "notebooks/a/start.sh").read_text() == "two\n"
    assert "1 of 1 rows unchanged" in sync(checkout, "teams/a.csv")


def test_nothing_is_half_written(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.scaffold import render

    write(checkout, "name,owner\nnotebook-dev,alice\nnew,bob\n")
    before = tree(checkout)

    def fail(*_: object) -> None:  # a stand-in for a disk that fills up after the first file
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(render, "_fill", fail)
    done = checkout.tools("sync", "--yes")
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    assert tree(checkout) == before


def test_which_roster_is_meant_must_be_clear(checkout: Checkout, tmp_path: Path) -> None:
    assert "there is no notebooks.csv or notebooks.yaml" in checkout.tools("sync").stderr
    write(checkout)
    write(checkout, "a:\n", "notebooks.yaml")
    assert "has notebooks.csv and notebooks.yaml; keep one" in checkout.tools("sync").stderr
    (tmp_path / "outside.csv").write_text(ROWS)
    refused = checkout.tools("sync", str(tmp_path / "outside.csv"))
    assert "is outside of the repository" in refused.stderr


def test_nobody_there_to_agree_writes_nothing(checkout: Checkout) -> None:
    write(checkout)
    before = tree(checkout)
    done = checkout.tools("sync")
    assert done.returncode == 1
    assert "stdin is not a terminal; pass --yes" in done.stderr
    assert tree(checkout) == before


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.*") if p.suffix != ".md"))
def test_an_example_is_followed(checkout: Checkout, name: str) -> None:
    text = (EXAMPLES / name).read_text()
    types = render.variables(checkout.root / "templates/notebook")
    named = [row.checked() for row in read_rows(EXAMPLES / name, rows.keys(types))]
    write(checkout, text, f"notebooks{Path(name).suffix}")
    sync(checkout, "--yes")
    assert {str(row["name"]) for row in named} <= set(checkout.notebooks())
    for row in named:
        assert values(checkout, str(row["name"]))["owner"] == row["owner"]
    assert "3 of 3 rows unchanged" in sync(checkout)
