"""The script that lets an old deployment go: what it says, and what may be overwritten."""

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.migration import state_rm_script
from tools.migration.legacy import LegacyDeployment, Resource
from tools.migration.mapping import Disposition, EarlierMigration, LegacyMapping, MappedResource

OLD = LegacyDeployment("/old folder/terraform.tfstate", Path("/old folder"), "abc-1", 7, [])
# A key in a for_each may be any text: none of it may reach the shell.
NASTY = 'aws_s3_object.o["$(touch pwned)\'`x`\n"]'


def row(
    address: str, disposition: Disposition, target: str = "", reason: str = ""
) -> MappedResource:
    resource = Resource(address, address.split(".")[0], {})
    return MappedResource(resource, disposition, target, reason=reason)


ROWS = [
    row("aws_s3_bucket.data", "imported", "shared-infra/s3"),
    row(NASTY, "inside", "aws_s3_bucket.data", "its object\nstays"),
    row("aws_kms_key.k", "used", reason="it encrypts"),
    row("aws_vpc.main", "network", reason="yours"),
    row("aws_lambda_function.f", "stays"),
]


def made(old: LegacyDeployment = OLD, rows: Sequence[MappedResource] = ROWS) -> str:
    return state_rm_script.compose(old, LegacyMapping(rows), "terraform", "tools plan")


def removed(text: str) -> list[list[str]]:
    """The addresses of each `state rm`, as a shell reads them; comments are none."""
    lines = text.replace("\\\n", "")
    commands = [shlex.split(line) for line in lines.splitlines() if line.startswith("let_go  ")]
    return [command[1:] for command in commands]


def test_what_is_in_use_goes_and_the_network_is_for_the_user_to_say() -> None:
    text = made(rows=[one for one in ROWS if one.address != NASTY])
    assert removed(text) == [["aws_kms_key.k"], ["aws_s3_bucket.data"]]
    assert "# let_go \\\n#   aws_vpc.main\n" in text
    commands = [line for line in text.splitlines() if not line.startswith("# dispositions: ")]
    assert "aws_lambda_function" not in "\n".join(commands)
    assert text.startswith(
        "#!/bin/sh\n# Made by `tools migrate` from /old folder/terraform.tfstate"
    )


def a_terraform(folder: Path, listed: Sequence[str], serial: int, lineage: str = "abc-1") -> Path:
    """A stand-in that answers for a state and notes what it is asked to remove.

    tests/migration runs the script with a real one, whose states hold no such addresses.
    """
    program = folder / "terraform"
    (folder / "state").write_text(f'{{\n  "serial": {serial},\n  "lineage": "{lineage}",\n}}\n')
    (folder / "list").write_text("".join(f"{address}\n" for address in listed))
    program.write_text(
        f"#!/bin/sh\ncase $3 in\npull) cat {folder}/state ;;\nlist) cat {folder}/list ;;\n"
        f'rm) shift 3; printf "%s\\0" "$@" >> {folder}/removed ;;\nesac\n'
    )
    program.chmod(0o755)
    return program


def run(folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    path = folder / "script.sh"
    state_rm_script.write(path, text)
    return subprocess.run(
        [path],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def asked_to_remove(folder: Path) -> list[str]:
    noted = folder / "removed"
    return noted.read_text().split("\0")[:-1] if noted.exists() else []


ALL = [one.address for one in ROWS if one.address != NASTY]


def test_no_address_reaches_the_shell_as_a_command(tmp_path: Path) -> None:
    a_terraform(tmp_path, ALL, 7)
    done = run(tmp_path, made())
    assert done.returncode == 0, done.stderr
    assert asked_to_remove(tmp_path) == ["aws_kms_key.k", "aws_s3_bucket.data", NASTY]
    assert not (tmp_path / "pwned").exists()
    assert "aws_vpc.main is in use here" in done.stderr


def test_it_ends_with_all_that_a_destroy_would_still_destroy(tmp_path: Path) -> None:
    """Also what the migration never saw, and no data source, however a key of a for_each reads."""
    left = [
        "aws_dynamodb_table.t",
        'module.m["a.data.b"].aws_s3_bucket.left["x"]',
        'module.m["a\\"].data.b"].module.n[0].aws_iam_role.r',
        'module.nb["bob"].aws_sagemaker_notebook_instance.this',
        "aws_kms_key.left",
    ]
    data = [
        "data.aws_caller_identity.me",
        'module.m["a.b"].data.aws_vpc.v',
        'module.m["a\\"]"].module.n[0].data.aws_vpc.v',
    ]
    a_terraform(tmp_path, [*ALL, *left, *data], 7)
    said = run(tmp_path, made()).stderr.splitlines()
    start = next(n for n, line in enumerate(said) if "destroys exactly what is left" in line)
    shown = [line.strip() for line in said[start + 1 : -2]]
    # The stand-in takes nothing off its list.
    assert set(shown[:5]) == {"aws_s3_bucket.data", "aws_kms_key.k", left[1], left[3], left[4]}
    assert set(shown) == {*ALL, *left}
    assert not {*data} & {*shown}
    assert "Notebooks go with their volumes" in said[-2]


def test_a_state_with_nothing_left_is_said_to_be_empty(tmp_path: Path) -> None:
    a_terraform(tmp_path, [], 7 + 2)
    done = run(tmp_path, made(rows=ROWS[:1] + ROWS[2:3]))
    assert done.returncode == 0, done.stderr
    assert "nothing is left in the state" in done.stderr


@pytest.mark.parametrize(("serial", "lineage"), [(8, "abc-1"), (6, "abc-1"), (7, "other")])
def test_a_state_that_has_moved_on_is_left_alone(serial: int, lineage: str, tmp_path: Path) -> None:
    a_terraform(tmp_path, ALL, serial, lineage)
    done = run(tmp_path, made())
    assert done.returncode == 1
    assert "is not the one that was migrated" in done.stderr
    assert asked_to_remove(tmp_path) == []


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    a_terraform(tmp_path, [one for one in ALL if one != "aws_s3_bucket.data"], 8)
    done = run(tmp_path, made())
    assert done.returncode == 0, done.stderr
    assert asked_to_remove(tmp_path) == ["aws_kms_key.k"]


def test_what_somebody_took_out_by_hand_does_not_stand_for_its_group(tmp_path: Path) -> None:
    rows = [row("aws_iam_policy.p", "used"), row("aws_kms_key.k", "used"), ROWS[0]]
    a_terraform(tmp_path, ["aws_kms_key.k", "aws_s3_bucket.data"], 8)
    done = run(tmp_path, made(rows=rows))
    assert done.returncode == 0, done.stderr
    assert asked_to_remove(tmp_path) == ["aws_kms_key.k", "aws_s3_bucket.data"]


def test_a_state_file_s_script_asks_for_the_folder(tmp_path: Path) -> None:
    a_terraform(tmp_path, ALL, 7)
    done = run(tmp_path, made(LegacyDeployment("/s.tfstate", None, "abc-1", 7, [])))
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_only_the_same_migration_s_script_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "s.sh"
    state_rm_script.check_path(path, OLD)
    state_rm_script.write(path, made())
    state_rm_script.check_path(path, OLD)
    with pytest.raises(UserError, match="is for another old deployment"):
        state_rm_script.check_path(path, LegacyDeployment("/x", None, "abc-2", 7, []))
    path.write_text("#!/bin/sh\nmine\n")
    with pytest.raises(UserError, match="tools migrate did not make it"):
        state_rm_script.check_path(path, OLD)


def test_a_later_migration_reads_what_this_one_found(tmp_path: Path) -> None:
    path, other = tmp_path / "s.sh", tmp_path / "other.sh"
    assert state_rm_script.read_earlier([path], OLD) == EarlierMigration()
    state_rm_script.write(path, made())
    state_rm_script.write(other, made(LegacyDeployment("/x", None, "abc-2", 7, [])))
    before = state_rm_script.read_earlier([other, path], OLD)
    assert before.script == str(path)
    assert before.dispositions == {one.address: one.disposition for one in ROWS}


def test_the_last_script_says_more_than_the_usual_one(tmp_path: Path) -> None:
    path, usual = tmp_path / "s.sh", tmp_path / "usual.sh"
    state_rm_script.write(usual, made())
    state_rm_script.write(path, made(rows=[row("aws_kms_key.k", "stays")]))
    dispositions = state_rm_script.read_earlier([path, usual], OLD).dispositions
    assert (dispositions["aws_kms_key.k"], dispositions["aws_s3_bucket.data"]) == (
        "stays",
        "imported",
    )


def test_a_spoilt_script_is_refused_since_it_alone_says_what_was_let_go(tmp_path: Path) -> None:
    path = tmp_path / "s.sh"
    state_rm_script.write(path, made().replace("# dispositions: {", "# dispositions: "))
    with pytest.raises(UserError, match="restore it"):
        state_rm_script.read_earlier([path], OLD)


def test_what_is_used_besides_goes_before_what_witnesses_it(tmp_path: Path) -> None:
    """A part that was taken first may be the only one to say that a policy is in use."""
    rows = [
        row("aws_iam_policy.p", "used"),
        row("aws_iam_role.r", "imported", "shared-infra/iam"),
        row("aws_iam_role_policy_attachment.a", "inside", "aws_iam_role.r"),
    ]
    assert removed(made(rows=rows))[0] == ["aws_iam_policy.p"]


def test_a_part_of_what_was_let_go_before_is_said_to_be_its_stack_s() -> None:
    owner = 'shared-infra/s3 aws_s3_bucket.further["data"]'
    text = made(rows=[row("aws_s3_object.o", "inside", owner)])
    assert "# Imported by shared-infra/s3, with" in text
    assert removed(text) == [["aws_s3_object.o"]]


@pytest.mark.parametrize(
    ("old", "source", "name"),
    [
        (OLD, Path("/old folder"), "state-rm-old-folder.sh"),
        (LegacyDeployment("x", None, "a", 1, []), Path("/x/legacy.tfstate"), "state-rm-legacy.sh"),
    ],
)
def test_the_script_is_called_for_what_it_is_of(
    old: LegacyDeployment, source: Path, name: str
) -> None:
    assert state_rm_script.default_name(old, source) == name


def test_what_a_destroy_only_forgets_is_not_said_to_be_destroyed(tmp_path: Path) -> None:
    forgotten = [row("aws_default_vpc.d", "network"), row("aws_default_subnet.d", "stays")]
    a_terraform(tmp_path, ["aws_default_vpc.d", "aws_default_subnet.d"], 7 + 1)
    said = run(tmp_path, made(rows=[ROWS[0], *forgotten])).stderr
    assert "nothing is left in the state" in said
    assert "is in use here, and" not in said
    for address in ("aws_default_vpc.d", "aws_default_subnet.d"):
        assert f"{address}: a destroy only forgets it" in said
