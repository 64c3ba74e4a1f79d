"""The elements of a file: all its text is in one, and each has the name that Terraform gives it."""

import re

from tests.trees import REPOSITORY, tracked
from tools.hcl.elements import references, split


def test_every_line_of_the_repository_is_in_one_part() -> None:
    files = [name for name in tracked() if name.endswith(".tf") and "/cases/" not in name]
    assert len(files) > 40
    for name in files:
        text = (REPOSITORY / name).read_text()
        at, between = 0, ""
        for part in split(text):
            assert part.start >= at, (name, part.key)
            assert part.text == text[part.start : part.end]
            between += text[at : part.start]
            at = part.end
        assert set((between + text[at:]).split()) <= {"locals", "{", "}"}, name
        keys = [part.key for part in split(text)]
        assert len(set(keys)) == len(keys), name


def test_parts_have_the_names_of_their_blocks() -> None:
    text = (REPOSITORY / "shared-infra/s3/buckets.tf").read_text()
    resources = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)
    keys = [part.key for part in split(text)]
    assert [key for key in keys if key.startswith("resource.")] == [
        f"resource.{type}.{name}" for type, name in resources
    ]
    assert {"local.bucket_names", "local.further_names", "local.bucket_ids"} < set(keys)


def test_a_comment_above_belongs_to_its_part_and_one_apart_does_not() -> None:
    apart, above = split("# apart\n\n# above\na = 1 # beside\n")
    assert (apart.key, above.text) == ("comment # apart", "# above\na = 1 # beside\n")
    assert (above.line, above.lines) == (3, "lines 3 to 4")


def test_what_a_text_refers_to() -> None:
    text = """
a = "${var.x} ${local.y["k"].z}"
b {
  c = [for v in data.aws_vpc.main.ids : module.m.out[v].deep if aws_s3_bucket.b.arn != v]
}
"""
    assert references(text) == {
        "var.x",
        "local.y",
        "data.aws_vpc.main",
        "module.m",
        "aws_s3_bucket.b",
    }
