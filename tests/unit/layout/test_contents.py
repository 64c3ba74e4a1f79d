"""What Terraform reads in a directory by the names of its files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.layout.contents import (
    UNOPENED,
    expect_changes,
    keep_contents,
    read_contents,
    selected_workspace,
)


def test_each_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("locals {}")
    (tmp_path / "empty.tf").touch()
    (tmp_path / "lost.tf").symlink_to("nowhere.tf")
    (tmp_path / "b.auto.tfvars").write_text("b = 1")
    (tmp_path / "lost.auto.tfvars").symlink_to("nowhere.tfvars")
    (tmp_path / "terraform.tfvars").write_text("a = 1")
    (tmp_path / "README.md").write_text("no file of Terraform's")

    contents = read_contents(tmp_path, tofu=False)

    # A link that leads nowhere is an error of Terraform's, which is not to pass for an empty file.
    assert contents.configuration == (
        ("empty.tf", b""),
        ("lost.tf", UNOPENED),
        ("main.tf", b"locals {}"),
    )
    # The strongest last: terraform.tfvars is the weakest.
    assert contents.values == (("terraform.tfvars", b"a = 1"), ("b.auto.tfvars", b"b = 1"))


def test_a_change_is_seen_unless_the_contents_are_kept(tmp_path: Path) -> None:
    file, environment = tmp_path / "main.tf", tmp_path / ".terraform/environment"
    environment.parent.mkdir()

    def read(text: str) -> tuple[bytes, str]:
        file.write_text(text)
        environment.write_text(text)
        ((_, content),) = read_contents(tmp_path, tofu=False).configuration
        return content, selected_workspace(str(tmp_path))

    assert [read("one"), read("two")] == [(b"one", "one"), (b"two", "two")]
    with keep_contents(), ThreadPoolExecutor(1) as another:
        assert read("three") == (b"three", "three")
        with keep_contents():  # as one function calls another
            assert read("four") == (b"three", "three")
        assert read("five") == (b"three", "three")
        # A thread that works on a stack may change it.
        assert another.submit(read, "six").result() == (b"six", "six")
    assert read("seven") == (b"seven", "seven")


def test_what_is_kept_is_read_again_after_a_change(tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text("before")
    with keep_contents():
        read_contents(tmp_path, tofu=False)
        with expect_changes():
            file.write_text("between")
            assert read_contents(tmp_path, tofu=False).configuration == (("main.tf", b"between"),)
            file.write_text("after")
        assert read_contents(tmp_path, tofu=False).configuration == (("main.tf", b"after"),)


def test_equal_texts_that_are_kept_are_one(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text("locals {}")
    with keep_contents():
        a, b = (read_contents(tmp_path / name, tofu=False).configuration for name in "ab")
    assert a[0][1] is b[0][1]
