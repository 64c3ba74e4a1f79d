"""Nothing newer than Terraform 1.0, which a newer binary takes without a word.

https://github.com/hashicorp/terraform/blob/main/CHANGELOG.md and its predecessors, from v1.1 on.
"""

import re
from pathlib import Path

import pytest

from tests.trees import REPOSITORY, tracked

# What is newer, with the version that brought it, and an example that the pattern has to find.
NEWER = {
    "moved block, 1.1": (r"^moved\s*{", "moved {"),
    "cloud block, 1.1": (r"^\s*cloud\s*{", "  cloud {"),
    "nullable, 1.1": (r"^\s*nullable\s*=", "  nullable = false"),
    "condition of a resource, 1.2": (r"^\s*(pre|post)condition\s*{", "    precondition {"),
    "replace_triggered_by, 1.2": (r"\breplace_triggered_by\b", "replace_triggered_by = []"),
    "computed error message, 1.2": (
        r'^\s*error_message\s*=(?!\s*"(\\.|[^"\\$]|\$(?!{))*"$)',
        '  error_message = "not ${var.name}."',
    ),
    # Before 1.2 it had to be a sentence, from its capital letter to its full stop.
    "unfinished error message, 1.2": (
        r'^\s*error_message\s*=(?!\s*"[A-Z].*[.?]"$)',
        '  error_message = "not a name"',
    ),
    "optional attribute, 1.3": (r"\boptional\(", "object({ a = optional(string) })"),
    "function, 1.3": (r"\b(startswith|endswith|timecmp)\(", 'startswith("a", "b")'),
    "terraform_data, 1.4": (r'"terraform_data"', 'resource "terraform_data" "a" {'),
    "S3 setting, 1.6": (
        r"^\s*(skip_s3_checksum|skip_requesting_account_id|use_path_style|endpoints)\s*=",
        "    use_path_style = true",
    ),
    "import block, 1.5": (r"^import\s*{", "import {"),
    "check block, 1.5": (r'^check\s*"', 'check "health" {'),
    "function, 1.5": (r"\b(strcontains|plantimestamp)\(", 'strcontains("a", "b")'),
    "removed block, 1.7": (r"^removed\s*{", "removed {"),
    "function, 1.8": (r"\bissensitive\(", "issensitive(1)"),
    "provider function, 1.8": (r"\bprovider::", "provider::aws::arn_parse(1)"),
    "function by its namespace, 1.8": (r"\bcore::", 'core::upper("a")'),
    "function, 1.9": (r"\btemplatestring\(", "templatestring(a, {})"),
    "terraform.applying, 1.10": (r"\bterraform\.applying\b", "a = terraform.applying"),
    "ephemeral value, 1.10": (r"\bephemeral(asnull\(|\s*[=\"])", "  ephemeral = true"),
    "lock file in S3, 1.10": (r"\buse_lockfile\b", "    use_lockfile = true"),
    "write-only argument, 1.11": (r"^\s*\w+_wo\s*=", "  password_wo = 1"),
    "action, 1.14": (r'^\s*(action\s*"|action_trigger\s*{)', 'action "aws_lambda_invoke" "a" {'),
}
# What a validation of var.a may not refer to before 1.9: anything but var.a.
NEWER_IN_A_VALIDATION = {
    "another variable": "var.a < var.b",
    "another variable in a string": 'var.a != "x${var.b}"',
    "a local": "var.a < local.b",
    "data": "contains(data.aws_subnets.b.ids, var.a)",
    "a module": "var.a != module.b.id",
    "a resource": "var.a != aws_s3_bucket.b.id",
    "a path": "fileexists(path.module)",
}
LOCKS = ".terraform.lock.hcl"  # 0.14
FOLDERS = ("bootstrap", "shared-infra", "modules", "notebooks", "templates")


def sources() -> list[Path]:
    return sorted(
        path
        for folder in FOLDERS
        for suffix in ("*.tf", "*.tf.j2", "*.tftpl")
        for path in (REPOSITORY / folder).rglob(suffix)
        if ".terraform" not in path.parts
    )


def code_of(path: Path) -> str:
    """What Terraform evaluates: in a template, also what its own language takes for comments."""
    text = path.read_text()
    return text if path.suffix == ".tftpl" else re.sub(r"^\s*(#|//).*$", "", text, flags=re.M)


def newer(code: str) -> list[str]:
    found = [what for what, (pattern, _) in NEWER.items() if re.search(pattern, code, re.M)]
    for name, body in re.findall(r'^variable "(\w+)" \{$(.*?)^}$', code, re.M | re.S):
        code_alone = re.sub(r'"(\\.|[^"\\$]|\$(?!{))*"', '""', body)
        if re.search(rf"\b(?!var\.{name}\b)(var|local|data|module|path|aws_\w+)\.", code_alone):
            found.append("validation with another value, 1.9")
    return found


@pytest.mark.parametrize("what", NEWER)
def test_the_patterns_find_what_is_newer(what: str) -> None:
    assert what in newer(NEWER[what][1])


def validating(condition: str) -> str:
    return (
        'variable "a" {\n  description = "Loses its data."\n'
        f"  validation {{\n    condition = {condition}\n  }}\n}}\n"
    )


@pytest.mark.parametrize("what", NEWER_IN_A_VALIDATION)
def test_a_validation_with_another_value_is_found(what: str) -> None:
    text = validating(NEWER_IN_A_VALIDATION[what])
    assert newer(text) == ["validation with another value, 1.9"]


def test_a_validation_with_its_own_variable_is_none() -> None:
    assert newer(validating('can(regex("^(data.|local[.])$", "x${var.a}"))')) == []


def test_comments_count_in_templates_alone(tmp_path: Path) -> None:
    comment = '# ${startswith("a", "b")}\n'
    for name in ("a.tf", "a.sh.tftpl"):
        (tmp_path / name).write_text(comment)
    assert newer(code_of(tmp_path / "a.tf")) == []
    assert newer(code_of(tmp_path / "a.sh.tftpl")) == ["function, 1.3"]


def test_scripts_that_terraform_fills_in_are_read() -> None:
    assert "install-autostop.sh.tftpl" in {path.name for path in sources()}


def test_the_four_shared_roots_and_the_module_are_read() -> None:
    assert {path.parent.name for path in sources()} >= {
        "iam",
        "s3",
        "sagemaker-notebook",
        "security-groups",
        "vpc-endpoints",
    }


def test_no_file_is_of_a_newer_kind_or_one_that_is_not_read_here() -> None:
    """Tests (1.6) and queries (1.14) are .hcl files; .tf.json has no lines to search."""
    files = [Path(name).name for name in tracked(*FOLDERS)]
    assert "main.tf.j2" in files
    assert [name for name in files if name.endswith((".hcl", ".tf.json")) and name != LOCKS] == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_nothing_newer_than_terraform_1_0(path: Path) -> None:
    assert newer(code_of(path)) == []
