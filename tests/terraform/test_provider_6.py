"""Nothing that version 6 of the AWS provider has removed.

That version cannot be run here beside the one that is. Its bindings for another tool carry every
argument of every resource as parameters of constructors, and every attribute as a property: they
are read, not run, from an environment of their own (`make setup-dev`).
The bindings are the Python package cdktf-cdktf-provider-aws.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY

from .readme_tables import parsed

ENVIRONMENT = REPOSITORY / ".venv-provider-6"
FOLDERS = ("shared-infra", "modules", "notebooks")
# Terraform's own, in every resource.
META_ARGUMENTS = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"}
# `data.aws_x.name.attribute` or `aws_x.name[key].attribute`, with or without `[*]`.
READ = re.compile(r"(?<![\w.\"])(data\.)?(aws_\w+)\.\w+(?:\[[^\]]*\])*\.([a-z]\w*)")


@dataclass(frozen=True)
class Struct:
    """A resource, a data source or a block: argument to the class of its block, if it is one.

    `attributes` are what can be read of it; `is_main` is no block's.
    """

    arguments: dict[str, str | None]
    attributes: set[str]
    is_main: bool


@pytest.fixture(scope="module")
def bindings() -> Path:
    found = sorted(ENVIRONMENT.glob("lib/python*/site-packages/cdktf_cdktf_provider_aws"))
    assert found, f"{ENVIRONMENT} is missing; make it: make setup-dev"
    return found[0]


@cache
def structs(module: Path) -> dict[str, Struct]:
    """Every class of a module of the bindings, by name; none where there is no such module."""
    source = module / "__init__.py"
    tree = ast.parse(source.read_text()) if source.is_file() else ast.Module([], [])
    return {node.name: _struct(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _struct(node: ast.ClassDef) -> Struct:
    functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    init = next((function for function in functions if function.name == "__init__"), None)
    arguments = {}
    for argument in init.args.kwonlyargs if init else []:
        # Named in a string, as it is defined further down: Union["Block", Dict[...]].
        kinds = re.findall(r"'(\w+)'", ast.unparse(argument.annotation or argument))
        arguments[argument.arg.rstrip("_")] = kinds[0] if kinds else None
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return Struct(
        arguments,
        {function.name.rstrip("_") for function in functions},
        bool(bases & {"TerraformDataSource", "TerraformProvider", "TerraformResource"}),
    )


def gone(text: str, bindings: Path) -> list[str]:
    """What the .tf file `text` uses that the bindings do not have."""
    content = parsed(text)
    found = []
    for prefix, kind in (("", "resource"), ("data_", "data")):
        for block in content.get(kind, []):
            for name, bodies in block.items():
                if name.startswith("aws_"):
                    for body in bodies.values():
                        found += _gone_of(prefix + name, body, bindings)
    for provider in content.get("provider", []):
        if "aws" in provider:
            found += _gone_of("provider", provider["aws"], bindings)
    return found + [
        f"{data}{name}.{attribute}"
        for data, name, attribute in READ.findall(text)
        if not _is_readable(("data_" if data else "") + name, attribute, bindings)
    ]


def _gone_of(name: str, body: dict[str, Any], bindings: Path) -> list[str]:
    known = structs(bindings / name.removeprefix("aws_"))
    return _walk(body, _main(known), known, name) if known else [name]


def _main(known: dict[str, Struct]) -> str:
    """The class of the resource itself, whose name is not always what its type's would make."""
    [main] = (name for name, struct in known.items() if struct.is_main)
    return main


def _walk(body: dict[str, Any], struct: str, known: dict[str, Struct], path: str) -> list[str]:
    found = []
    for argument, value in _given(body):
        at = f"{path}.{argument}"
        if argument not in known[struct].arguments:
            found.append(at)
            continue
        block = known[struct].arguments[argument]
        for inner in value if isinstance(value, list) else []:
            if block in known and isinstance(inner, dict):
                found += _walk(inner, block, known, at)
    return found


def _given(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments and blocks of a body; a dynamic block as what it makes."""
    for argument, value in body.items():
        if argument == "dynamic":
            for made in value:
                for name, how in made.items():
                    yield name, how["content"]
        elif argument not in META_ARGUMENTS:
            yield argument, value


def _is_readable(name: str, attribute: str, bindings: Path) -> bool:
    known = structs(bindings / name.removeprefix("aws_"))
    return bool(known) and attribute in known[_main(known)].attributes


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).glob("*/*.tf"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_everything_it_uses_is_in_version_6(path: Path, bindings: Path) -> None:
    assert gone(path.read_text(), bindings) == []


def test_the_bindings_are_of_version_6(bindings: Path) -> None:
    [metadata] = bindings.parent.glob("cdktf_cdktf_provider_aws-*.dist-info/METADATA")
    assert re.search(r"hashicorp/aws provider version 6\.", metadata.read_text())


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        # Both removed in 6: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
        (
            'resource "aws_sagemaker_notebook_instance" "a" {\n  accelerator_types = []\n}',
            ["aws_sagemaker_notebook_instance.accelerator_types"],
        ),
        ('resource "aws_opsworks_stack" "a" {\n  name = "a"\n}', ["aws_opsworks_stack"]),
        (
            'data "aws_vpc" "a" {\n  filter {\n    names = "a"\n  }\n}',
            ["data_aws_vpc.filter.names"],
        ),
        (
            'resource "aws_s3_bucket_lifecycle_configuration" "a" {\n  dynamic "rule" {\n'
            "    for_each = []\n    content {\n      filter {\n        suffix = 1\n      }\n    }\n"
            "  }\n}",
            ["aws_s3_bucket_lifecycle_configuration.rule.filter.suffix"],
        ),
        ('provider "aws" {\n  s3_force_path_style = true\n}', ["provider.s3_force_path_style"]),
        (
            'locals {\n  a = [aws_s3_bucket.b["x"].acceleration, data.aws_vpc.this.nothing]\n'
            "  b = aws_s3_bucket.b[*].arn\n}",
            ["aws_s3_bucket.acceleration", "data.aws_vpc.nothing"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_not_there_is_found(text: str, missing: list[str], bindings: Path) -> None:
    assert gone(text + "\n", bindings) == missing


def test_every_resource_and_data_source_is_read() -> None:
    """As many as a plain search finds, so that none is passed over in silence."""
    for path in sources():
        content = parsed(path.read_text())
        blocks = [*content.get("resource", []), *content.get("data", [])]
        names = sum(len(bodies) for block in blocks for bodies in block.values())
        assert names == len(re.findall(r'^(?:resource|data) "', path.read_text(), re.M)), path
