"""Names and values through scaffold, Terraform and back: what goes in comes out."""

import json
import os
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.trees import REPOSITORY
from tools.hcl import reading, writing
from tools.scaffold import notebook, render
from tools.terraform.binary import Terraform

TEMPLATES = REPOSITORY / "templates" / "notebook"
TYPES = render.variables(TEMPLATES)

tag_text = st.text(
    st.characters(categories=["L", "N", "Zs"], include_characters="_.:/=+-@"), max_size=60
)
filled_tag = tag_text.filter(bool)
# Everything that HCL gives a meaning to, drawn often, besides all that Unicode has.
purposes = st.lists(
    st.sampled_from(["${", "%{", "$", "%", "{", "}", '"', "\\", "\n", "\t", "<<EOT", "#", "~}"])
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5),
    min_size=1,
    max_size=40,
).map(lambda parts: unicodedata.normalize("NFC", "".join(parts))[:256])
names = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True).filter(
    lambda name: len(name) <= 63
)
values = st.fixed_dictionaries(
    {
        "instance_type": st.sampled_from(["ml.t3.medium", "ml.m5.2xlarge", "ml.g5.48xlarge"]),
        "volume_size": st.integers(5, 16384),
        "owner": filled_tag,
        "purpose": purposes,
        "environment": filled_tag,
        "idle_stop_minutes": st.integers(0, 10_000),
        "tags": st.dictionaries(
            filled_tag.filter(lambda key: not key.lower().startswith("aws:")), tag_text, max_size=5
        ),
        "root_access": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A root with the notebook's own variables that gives each back as an output."""
    root = tmp_path_factory.mktemp("echo")
    terraform = Terraform.find(os.environ, tmp_path_factory.mktemp("settings"))
    (root / "variables.tf").write_text((TEMPLATES / "variables.tf.j2").read_text())
    outputs = {name: {"value": f"${{var.{name}}}"} for name in TYPES}
    (root / "outputs.tf.json").write_text(json.dumps({"output": outputs}))
    (root / "common.auto.tfvars").write_text('project = "p"\nregion = "r"\n')

    def run(tfvars: str) -> dict[str, Any]:
        (root / "terraform.tfvars").write_text(tfvars, encoding="utf-8")
        for arguments in (["fmt", "-check", "terraform.tfvars"], ["apply", "-auto-approve"]):
            done = subprocess.run(
                [terraform.binary, *arguments],
                cwd=root,
                env=terraform.env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr + tfvars
        return terraform.outputs(root)

    return run


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=names, given_values=values)
@example(
    name="a",
    given_values={
        "instance_type": "ml.t3.medium",
        "volume_size": 5,
        "owner": "o",
        "environment": "e",
        "purpose": 'say "hi"\n${x} $${x} %{ if } %%{ \\n \\${y} \u2028 \U0001f600 <<EOT',
        "tags": {"a b": "", "k": "v=@"},
    },
)
def test_values_come_back_from_terraform_and_from_the_file(
    echo: Any, tmp_path_factory: pytest.TempPathFactory, name: str, given_values: dict[str, Any]
) -> None:
    made = notebook.make(name, given_values, TYPES)
    tfvars = render.render(made, TEMPLATES)["terraform.tfvars"]
    normalized = json.loads(
        unicodedata.normalize("NFC", json.dumps(given_values, ensure_ascii=False))
    )
    out = echo(tfvars)
    assert {key: out.get(key) for key in normalized} == normalized
    path = tmp_path_factory.mktemp("back") / "terraform.tfvars"
    path.write_text(tfvars, encoding="utf-8")
    assert reading.read_tfvars(path) == normalized


def _with_texts(texts: list[Any]) -> str:
    required: dict[str, Any] = dict.fromkeys(("instance_type", "owner", "purpose"), "x")
    values = {**required, "environment": "x", "security_group_ids": texts}
    return writing.format_assignments(values) + "\n"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=300))
def test_any_text_at_all_comes_back(echo: Any, texts: list[str]) -> None:
    out = echo(_with_texts(list(texts)))["security_group_ids"]
    assert out == [unicodedata.normalize("NFC", text) for text in texts]


def test_every_hcl_marker_comes_back(echo: Any, tmp_path: Path) -> None:
    markers = ["${", "$${", "$$${", "%{", "%%{", "%%%{", "$%{", "%${", "\\${", "${a}", "%{ if a }"]
    tfvars = _with_texts(list(markers))
    assert echo(tfvars)["security_group_ids"] == markers
    path = tmp_path / "terraform.tfvars"
    path.write_text(tfvars)
    assert reading.read_tfvars(path)["security_group_ids"] == markers
