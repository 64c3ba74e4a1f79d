"""Which files are configuration: by Terraform's rules, and by OpenTofu's."""

from pathlib import Path

import pytest

from tools.layout import files

NAMES = ["a.tf", "a.tofu", "b.tf", "b.tf.json", "c.tofu.json", "c.tf.json", "d.tofu"]


def test_terraform_reads_its_own_and_opentofu_takes_x_tofu_for_x_tf() -> None:
    """https://opentofu.org/docs/language/files/"""
    assert files.config_names(NAMES) == ["a.tf", "b.tf", "b.tf.json", "c.tf.json"]
    assert files.config_names(NAMES, tofu=True) == [
        "a.tofu",
        "b.tf",
        "b.tf.json",
        "c.tofu.json",
        "d.tofu",
    ]


@pytest.mark.parametrize("name", [".a.tf", ".a.tf.json", "a.tf~", "#a.tf#", "a.tf.bak", "tf"])
def test_what_terraform_ignores_is_no_configuration(tmp_path: Path, name: str) -> None:
    """As Terraform 1.11.4 was seen to do (tests/cli/test_roots.py asks it)."""
    (tmp_path / name).touch()
    (tmp_path / "folder.tf").mkdir()
    assert files.tf_files(tmp_path) == []
    assert not files.holds_root(tmp_path)


@pytest.mark.parametrize("name", ["a.tf", "a.tf.json", "a.tofu", "a.tofu.json", "#a.tf"])
def test_any_spelling_makes_a_root(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert files.holds_root(tmp_path)
    assert not files.holds_root(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("override.tf", True),
        ("override.tf.json", True),
        ("a_override.tofu", True),
        ("a.b_override.tf.json", True),
        ("override_a.tf", False),
        ("overrides.tf", False),
    ],
)
def test_files_that_override_others(name: str, expected: bool) -> None:
    """https://developer.hashicorp.com/terraform/language/files/override"""
    assert files.is_override(name) == expected


@pytest.mark.parametrize(("program", "expected"), [("tofu", True), ("terraform", False)])
def test_the_program_decides(tmp_path: Path, program: str, expected: bool) -> None:
    (tmp_path / program).write_text("")
    (tmp_path / program).chmod(0o755)
    assert files.runs_opentofu({"PATH": str(tmp_path)}) == expected
    named = {"PATH": str(tmp_path), "TOOLS_TERRAFORM": str(tmp_path / program)}
    assert files.runs_opentofu(named) == expected
    assert not files.runs_opentofu({"PATH": ""})


def test_a_link_in_a_circle_is_no_directory_and_stops_nothing(tmp_path: Path) -> None:
    """Terraform plans such a directory."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "main.tf").touch()
    assert files.file_names(tmp_path) == ["loop", "main.tf"]
    assert files.holds_root(tmp_path)
