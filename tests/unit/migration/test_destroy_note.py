"""What a destroy of the old deployment destroys, by the whole name of each type."""

import re
from typing import Any

import pytest

from tools.migration import dependencies, destroy_note, mapper, relations, table
from tools.migration.legacy import Resource
from tools.migration.mapping import LegacyMapping, MappedResource
from tools.migration.resource_types import IMPORTABLE

# Every type that a table of tools/migration names, with one that none does.
KNOWN = sorted(
    {
        *IMPORTABLE,
        *relations._PARTS,
        *relations._NETWORK,
        *relations._OWNER_ATTRIBUTES,
        *relations._BY_NAME,
        *relations._LOGS,
        *relations._OF_AWS,
        *dependencies._INSIDE_REASONS,
        *dependencies._USED_REASONS,
        *mapper._STAYS,
        *mapper._SHAREABLE,
        *destroy_note._WITH,
        *table._WORDS,
        "aws_lambda_function",
    }
)


def notes(*resources: Resource) -> list[str]:
    return destroy_note.compose(LegacyMapping([MappedResource(one, "stays") for one in resources]))


def resource(type: str, name: str = "x", **attributes: Any) -> Resource:
    return Resource(f"{type}.{name}", type, attributes)


def named(note: str) -> dict[str, str]:
    """The words of a note before each type's addresses, by the address."""
    parts = note.partition(": ")[2].split("; ")
    return {part.rpartition(": ")[2]: part.rpartition(": ")[0] for part in parts}


@pytest.mark.parametrize("type", KNOWN)
def test_each_type_is_told_by_its_own_name_and_alone(type: str) -> None:
    (note,) = notes(resource(type))
    words = named(note)[f"{type}.x"]
    assert words.split()[0] == type
    # No other kind of thing is spoken of: a lifecycle configuration has no volume.
    assert re.findall(r"aws_\w+", words) == [type]
    volumes = {"aws_sagemaker_notebook_instance", "aws_ebs_volume"}
    assert ("volume" in words) == (type in volumes)


def test_all_at_once_are_told_once_each_with_what_holds_data_first() -> None:
    destroyed, forgotten = notes(*map(resource, KNOWN))
    told = {**named(destroyed), **named(forgotten)}
    assert {address: words.split()[0] for address, words in told.items()} == {
        f"{type}.x": type for type in KNOWN
    }
    first = [next(iter(words.split())) for words in named(destroyed).values()][:3]
    assert first == ["aws_sagemaker_notebook_instance", "aws_s3_bucket", "aws_kms_key"]


def test_what_aws_made_is_only_forgotten_unless_force_destroy() -> None:
    (note,) = notes(resource("aws_default_vpc"), resource("aws_default_subnet"))
    assert "only forgets, and AWS keeps: aws_default_subnet: aws_default_subnet.x" in note
    (note,) = notes(resource("aws_default_vpc", force_destroy=True))
    assert note.startswith("a destroy of the old deployment destroys 1 resource, ")
    (note,) = notes(resource("aws_cloudwatch_log_group", skip_destroy=True))
    assert "only forgets" in note


def test_a_bucket_goes_with_its_objects_only_where_it_says_so() -> None:
    full = resource("aws_s3_bucket", "full", force_destroy=True)
    (note,) = notes(resource("aws_s3_bucket", force_destroy=False), full)
    assert named(note) == {
        "aws_s3_bucket.x": "aws_s3_bucket which AWS deletes only if it is empty",
        "aws_s3_bucket.full": "aws_s3_bucket with all its objects (force_destroy)",
    }


def test_a_thousand_of_a_type_are_counted() -> None:
    (note,) = notes(*(resource("aws_s3_object", f"o{number}") for number in range(1000)))
    assert note.endswith(" and 980 more")


def test_what_is_let_go_is_not_in_it() -> None:
    rows = [MappedResource(resource("aws_kms_key"), "used")]
    assert destroy_note.compose(LegacyMapping(rows)) == []
