import re

import pytest

from tests.unit.commands.conftest import Checkout
from tools.hcl import reading


def values(checkout: Checkout, name: str) -> dict[str, object]:
    return dict(reading.read_tfvars(checkout.root / "notebooks" / name / "terraform.tfvars"))


def test_a_name_is_enough(checkout: Checkout) -> None:
    done = checkout.tools("new-notebook", "nlp-project")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "notebooks/nlp-project\n"
    assert values(checkout, "nlp-project")["instance_type"] == "ml.t3.medium"


def test_every_option_reaches_the_values(checkout: Checkout) -> None:
    options = (
        "--profile staging --volume-size 50 --owner alice --environment test "
        "--subnet subnet-01234567 --idle-minutes 0 --tag Team=nlp --tag Cost=42 "
        "--isolated --set root_access=true --set security_group_ids=sg-01234567"
    )
    done = checkout.tools("new-notebook", "a", *options.split(), "--purpose", 'say "hi" ${x}')
    assert done.returncode == 0, done.stderr
    assert values(checkout, "a") == {
        "instance_type": "ml.m5.xlarge",
        "volume_size": 50,
        "owner": "alice",
        "purpose": 'say "hi" ${x}',
        "environment": "test",
        "subnet_id": "subnet-01234567",
        "idle_stop_minutes": 0,
        "isolated": True,
        "root_access": True,
        "security_group_ids": ["sg-01234567"],
        "tags": {"Team": "nlp", "Cost": "42"},
    }


def test_an_isolated_one_says_that_others_are_not_kept_out(checkout: Checkout) -> None:
    note = "owns until you set reserve_users = true in shared-infra/iam"
    assert note in checkout.tools("new-notebook", "a", "--isolated").stderr
    assert note not in checkout.tools("new-notebook", "b").stderr
    chosen = checkout.root / "shared-infra/iam/terraform.tfvars"
    chosen.write_text("reserve_users = true\n")
    done = checkout.tools("new-notebook", "c", "--isolated")
    assert done.returncode == 0, done.stderr
    assert note not in done.stderr


@pytest.mark.parametrize(
    ("profile", "instance_type"),
    [("dev", "ml.t3.medium"), ("staging", "ml.m5.xlarge"), ("prod", "ml.m5.2xlarge")],
)
def test_profiles(checkout: Checkout, profile: str, instance_type: str) -> None:
    assert checkout.tools("new-notebook", "a", "--profile", profile).returncode == 0
    made = values(checkout, "a")
    assert (made["instance_type"], made["environment"]) == (instance_type, profile)


def test_copies_another_s_values_and_script(checkout: Checkout) -> None:
    script = checkout.root / "setup.sh"
    script.write_text("#!/bin/sh\necho hi\n")
    options = ("--profile", "prod", "--volume-size", "99", "--set", "on_start_file=setup.sh")
    assert checkout.tools("new-notebook", "a", *options).returncode == 0
    done = checkout.tools("new-notebook", "b", "--from", "a", "--owner", "bob")
    assert done.returncode == 0, done.stderr
    assert values(checkout, "b") == {**values(checkout, "a"), "owner": "bob"}
    assert (checkout.root / "notebooks/b/setup.sh").read_text() == script.read_text()


def test_the_instance_may_have_another_name(checkout: Checkout) -> None:
    assert checkout.tools("new-notebook", "a", "--set", "name=custom").returncode == 0
    assert values(checkout, "a")["name"] == "custom"
    taken = checkout.tools("new-notebook", "b", "--set", "name=Custom")
    assert "notebooks/a has an instance called Custom already" in taken.stderr


def test_two_scripts_of_one_name_are_refused(checkout: Checkout) -> None:
    sets = []
    for key in ("on_create_file", "on_start_file"):
        (checkout.root / key).mkdir()
        (checkout.root / key / "setup.sh").write_text(key)
        sets += ["--set", f"{key}={key}/setup.sh"]
    done = checkout.tools("new-notebook", "a", *sets)
    assert done.returncode == 1
    assert "two scripts are called setup.sh" in done.stderr


@pytest.mark.parametrize("content", [b"x" * 12_289, b"\xff\xfe"])
def test_a_script_that_aws_or_terraform_would_refuse_is_refused(
    checkout: Checkout, content: bytes
) -> None:
    (checkout.root / "setup.sh").write_bytes(content)
    done = checkout.tools("new-notebook", "a", "--set", "on_start_file=setup.sh")
    assert done.returncode == 1
    assert "must be UTF-8 text of at most 12288 bytes" in done.stderr


CSV = 'name,profile,purpose,tags\nalice-notebook,dev,"a, b",Team=x;K=v\nbob-notebook,prod,,\n'
YAML = """
- {name: alice-notebook, purpose: "a, b", tags: {Team: x, K: v}}
- {name: bob-notebook, profile: prod}
"""


@pytest.mark.parametrize(("name", "text"), [("team.csv", CSV), ("team.yaml", YAML)])
def test_many_from_a_file(checkout: Checkout, name: str, text: str) -> None:
    (checkout.root / name).write_text(text)
    done = checkout.tools("new-notebook", "--from-file", name, "--owner", "team")
    assert done.returncode == 0, done.stderr
    alice, bob = values(checkout, "alice-notebook"), values(checkout, "bob-notebook")
    assert (alice["purpose"], alice["tags"]) == ("a, b", {"Team": "x", "K": "v"})
    assert (bob["instance_type"], bob["owner"]) == ("ml.m5.2xlarge", "team")


SEMICOLONS = '"owner";"name";"purpose"\r\n"Jörg";"a";"texts, tables; more"\r\n"";"b";""\r\n'


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param(SEMICOLONS, "utf-8", id="semicolons"),
        pytest.param(SEMICOLONS, "utf-8-sig", id="with a mark"),
        pytest.param(SEMICOLONS.replace('";"', '"\t"'), "utf-16", id="Unicode text of Excel"),
        pytest.param(SEMICOLONS.replace('";"', '","'), "utf-16", id="commas in UTF-16"),
    ],
)
def test_a_file_that_a_spreadsheet_wrote(checkout: Checkout, text: str, encoding: str) -> None:
    (checkout.root / "t.csv").write_bytes(text.encode(encoding))
    done = checkout.tools("new-notebook", "--from-file", "t.csv", "--owner", "team")
    assert done.returncode == 0, done.stderr
    assert values(checkout, "a")["owner"] == "Jörg"
    assert values(checkout, "a")["purpose"] == "texts, tables; more"
    assert values(checkout, "b")["owner"] == "team"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name,owner\na,Jörg\n".encode("cp1252"), "t.csv is not UTF-8 (byte 14); save it as UTF-8"),
        ("name,owner\na,alice\n".encode("utf-16-le"), "NUL characters, which no text does"),
        (b"PK\x03\x04\x14\x00\x06\x00", "NUL characters, which no text does"),  # a workbook
        (b"\xff\xfen\x00a", "t.csv is not UTF-16"),
    ],
)
def test_a_file_in_another_encoding_is_refused(
    checkout: Checkout, content: bytes, complaint: str
) -> None:
    before = checkout.notebooks()
    (checkout.root / "t.csv").write_bytes(content)
    done = checkout.tools("new-notebook", "--from-file", "t.csv")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert complaint in done.stderr
    assert checkout.notebooks() == before


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "t.csv",
            "name,volume_size\na,5\nb,4\n",
            "t.csv, line 3: b: volume_size: it must be 5 to 16384",
        ),
        ("t.csv", "name,volume_size\na,5,6\n", "t.csv, line 2: it does not have as many cells"),
        (
            "t.csv",
            "name,profil\na,dev\nb,dev\n",
            "t.csv, line 1: a notebook has no value called 'profil'; did you mean profile",
        ),
        ("t.csv", "name\na\na\n", "t.csv, line 3: a is on line 2 too; name each notebook once"),
        ("t.csv", "name\nnotebook-dev\n", "line 2: notebooks/notebook-dev exists already"),
        ("t.csv", "name,owner,owner\na,b,c\n", "line 1: a column stands there twice"),
        ("t.yaml", "a: {}\na: {}\n", "t.yaml, line 2: not valid YAML: a stands there twice"),
        (
            "t.yaml",
            "- &a {name: a}\n- *a\n",
            "t.yaml, line 1: a is on line 1 too; name each notebook once",
        ),
        (
            "t.yaml",
            "a: &a {owner: x}\n<<: {b: *a, c: *a}\n",
            "t.yaml, line 2: << takes values over into a notebook; write each notebook's name out",
        ),
        ("t.yaml", f"a: {{volume_size: 1{'0' * 400}}}\n", "is not a number"),
        ("t.yaml", "[" * 5000, "nested too deeply"),
        ("t.yaml", "a: {owner: null}\n", "owner is empty"),
        ("t.yaml", "a: {instance_type: ''}\n", "instance_type is empty"),
        ("t.csv", "name\n", "names no notebook"),
        ("t.csv", "owner\nx\n", "t.csv, line 1: no column is called name in 'owner'"),
        ("t.csv", "owner;Name\nx;a\n", "line 1: no column is called name in 'owner;Name'"),
        (
            "t.csv",
            "name;owner\na;b;c\n",
            "line 2: it does not have as many cells as the first line; "
            "quote a cell that holds a semicolon",
        ),
        ("t.csv", "", "names no notebook"),
        ("t.csv", f"name,{'a' * 131_073}\n", "t.csv, line 1: field larger than field limit"),
        ("t.yaml", "", "names no notebook"),
        ("t.yaml", "# alice: none yet\n", "names no notebook"),
        ("t.yaml", "- name: a\n  tags: [\n", "t.yaml, line 3: not valid YAML"),
        ("t.yaml", "hello", "not a list of notebooks"),
        ("t.yaml", "- name: 5\n", "t.yaml, line 1: the notebook has no name"),
        ("t.yaml", "- {name: a, profile: big}\n", "no profile 'big'; there are dev, staging, prod"),
        ("t.yaml", "- {name: a, from: nobody}\n", "nobody/terraform.tfvars to copy from"),
        ("t.yaml", "- name: a\n- b\n", "t.yaml, line 2: 'b' is no notebook"),
        ("t.yaml", "a: dev\n", "a has no values but 'dev'"),
        ("t.yaml", "a: {5: x}\n", "no value called '5'"),
        ("t.txt", "a", "name it .csv, .yaml or .yml"),
    ],
)
def test_a_wrong_row_writes_none(checkout: Checkout, name: str, text: str, complaint: str) -> None:
    before = checkout.notebooks()
    (checkout.root / name).write_text(text)
    done = checkout.tools("new-notebook", "--from-file", name)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert checkout.notebooks() == before


ALL_WRONG = {
    "t.csv": "name,profile,volume_size\na,dev,4\nb,dev,20\n,dev,20\nb,dev,30\nc,big,20\nd,dev\n",
    "t.yaml": "- {name: a, volume_size: 4}\n- name: b\n- owner: x\n- name: b\n- name: c\n"
    "  profile: big\n- 5\n",
}


@pytest.mark.parametrize("name", ALL_WRONG)
def test_every_wrong_row_is_named_at_once(checkout: Checkout, name: str) -> None:
    before = checkout.notebooks()
    (checkout.root / name).write_text(ALL_WRONG[name])
    done = checkout.tools("new-notebook", "--from-file", name, "-q")
    assert done.returncode == 1
    *lines, last = done.stderr.splitlines()
    first = 2 if name == "t.csv" else 1
    numbers = [first, first + 2, first + 3, first + 4, first + (5 if name == "t.csv" else 6)]
    assert [line.partition(": ")[0] for line in lines] == [f"{name}, line {n}" for n in numbers]
    for line, part in zip(lines, ("volume_size", "no name", "b is on line", "'big'"), strict=False):
        assert part in line
    assert last == "error: 5 rows are wrong; nothing was written"
    assert checkout.notebooks() == before


def test_an_option_that_is_wrong_is_not_the_fault_of_every_row(checkout: Checkout) -> None:
    (checkout.root / "t.csv").write_text("name\na\nb\n")
    done = checkout.tools("new-notebook", "--from-file", "t.csv", "--set", "colour=red")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "error: a notebook has no value called 'colour'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["a", "--instance-type", "ml.m5.larg"], 1, "did you mean"),
        (["a b"], 1, "letters, digits and single or repeated hyphens"),
        (["../a"], 1, "not a name for a notebook"),
        (["/tmp/a"], 1, "not a name for a notebook"),
        (["notebook-dev"], 1, "notebooks/notebook-dev exists already"),
        (["NOTEBOOK-dev"], 1, "only by case"),
        (["a", "--volume-size", "4"], 1, "5 to 16384, not 4"),
        (["a", "--volume-size", "x"], 2, "not a valid integer"),
        (["a", "--set", "on_start_file=none.sh"], 1, "cannot read none.sh"),
        (["a", "--set", "colour"], 2, "is not KEY=VALUE"),
        (["a", "--set", "project=x"], 1, "no value called 'project'"),
        (["a", "--from", "nobody"], 1, "to copy from; did you mean notebook-dev or"),
        ([], 2, "give either NAME or --from-file"),
        (["a", "--from-file", "x.csv"], 2, "give either NAME or --from-file"),
        (["--from-file", "missing.csv"], 1, "cannot read missing.csv"),
    ],
)
def test_bad_input_is_one_clear_error_and_writes_nothing(
    checkout: Checkout, arguments: list[str], code: int, complaint: str
) -> None:
    before = checkout.notebooks()
    done = checkout.tools("new-notebook", *arguments)
    assert done.returncode == code, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.notebooks() == before


def test_a_dry_run_prints_and_writes_nothing(checkout: Checkout) -> None:
    before = checkout.notebooks()
    done = checkout.tools("new-notebook", "a", "--owner", "alice", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "# --- notebooks/a/terraform.tfvars" in done.stdout
    assert 'owner         = "alice"' in done.stdout
    whole = checkout.tools("new-notebook", "a", "--owner", "alice", "--dry-run", "-v").stdout
    assert checkout.notebooks() == before
    assert checkout.tools("new-notebook", "a", "--owner", "alice").returncode == 0
    for file in (checkout.root / "notebooks/a").iterdir():  # the oracle: what it does write
        assert file.name in done.stdout
        if not file.is_symlink():
            assert f"# --- notebooks/a/{file.name}\n{file.read_text()}" in whole
    assert 'module "' not in done.stdout
    assert 'module "' in whole


def test_with_apply_it_is_asked_before_a_directory_is_made(identified: Checkout) -> None:
    before = identified.notebooks()
    done = identified.tools("new-notebook", "nlp", "--apply", answers="n\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(
        "Deploy in AWS account 123456789012, region us-east-1, as arn:aws:.*:\n  notebooks/nlp\n"
        "Deploy this stack in AWS account 123456789012.*\\? \\[y/N\\]",
        done.stderr,
    )
    assert identified.notebooks() == before


def test_with_apply_nobody_who_cannot_be_asked_gets_a_directory(identified: Checkout) -> None:
    before = identified.notebooks()
    done = identified.tools("new-notebook", "nlp", "--apply")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: stdin is not a terminal; pass --yes to confirm\n" in done.stderr
    assert identified.notebooks() == before
