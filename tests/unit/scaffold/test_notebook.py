from typing import Any

import pytest

from tests.trees import REPOSITORY
from tools.errors import UserError
from tools.scaffold import notebook, render

TYPES = render.variables(REPOSITORY / "templates" / "notebook")


@pytest.mark.parametrize("name", ["a", "A-1", "nlp--project", "x" * 63])
def test_takes_the_names_that_aws_takes(name: str) -> None:
    assert notebook.make(name, {}, TYPES).name == name


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a_b", "a/b", "../a", "a.b", "é", "x" * 64, "a\n", "a b", "$" * 10**7]
)
def test_refuses_other_names_in_one_short_line_with_the_rule(name: str) -> None:
    with pytest.raises(UserError, match="letters, digits") as raised:
        notebook.make(name, {}, TYPES)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("instance_type", "ml.t3.mediun", "did you mean ml.t3.medium"),
        ("instance_type", "t3.medium", "there is no 't3.medium'"),
        ("volume_size", 4, "5 to 16384, not 4"),
        ("volume_size", 16385, "5 to 16384, not 16385"),
        ("volume_size", "big", "'big' is not a number"),
        ("volume_size", 5.5, "whole number"),
        ("volume_size", True, "true is not a number"),
        ("idle_stop_minutes", -1, "whole number of minutes"),
        ("backup_hours", -1, "a whole number of hours up to 8760, 0 for no backup, not -1"),
        ("backup_hours", 1.5, "a whole number of hours up to 8760, 0 for no backup, not 1.5"),
        ("backup_hours", 8761, "a whole number of hours up to 8760, 0 for no backup, not 8761"),
        ("backup_minutes", 0, "a whole number from 1 to 240, not 0"),
        ("backup_minutes", 241, "a whole number from 1 to 240, not 241"),
        ("backup_minutes", 0.5, "a whole number from 1 to 240, not 0.5"),
        (
            "backup_excludes",
            ["data/*", "it's"],
            '"it\'s" must be a pattern in one line, without a single quote',
        ),
        ("backup_excludes", ["a\nb"], "must be a pattern in one line, without a single quote"),
        ("backup_excludes", [""], "must be a pattern in one line, without a single quote"),
        ("imds_version", "3", "it must be 1 or 2"),
        ("owner", "a;b", "it becomes a tag"),
        ("owner", "", "1 to 256"),
        ("environment", "e" * 257, "1 to 256"),
        ("purpose", "", "1 to 256"),
        ("purpose", "a\x00b", "control character"),
        ("purpose", "a\x1bb", "control character"),
        ("purpose", "a\ud800b", "control character"),
        ("purpose", 5, "5 is not a string"),
        ("subnet_id", "sg-1", "starts with subnet-"),
        ("security_group_ids", ["subnet-1"], "starts with sg-"),
        ("security_group_ids", [f"sg-{n}" for n in range(6)], "at most 5"),
        ("additional_code_repositories", ["a", "b", "c", "d"], "at most 3"),
        ("role_arn", "notebook", "20 to 2048 characters"),
        ("platform_identifier", "notebook-al3", "does not fit AWS's pattern"),
        ("platform_identifier", "notebook-al2-v3", "which AWS neither creates nor starts"),
        ("instance_type", "ml.p3.2xlarge", "does not run Amazon Linux 2023"),
        ("root_access", "maybe", "'maybe' is not a bool"),
        ("schedule_days", "mon-fri", "days such as MON-FRI"),
        ("schedule_days", "MON-FRI-SUN", "days such as MON-FRI"),
        ("schedule_start", "8:00", "a time from 00:00 to 23:59"),
        ("schedule_stop", "24:00", "a time from 00:00 to 23:59"),
        ("schedule_timezone", "Europe/Berlim", "did you mean Europe/Berlin"),
        ("tags", {"aws:x": "y"}, "belong to AWS"),
        ("tags", {"project": "other"}, "a tag that notebooks have"),
        ("volume_size", "nan", "'nan' is not a number"),
        ("volume_size", "inf", "'inf' is not a number"),
        ("tags", {"k": "a;b"}, "it becomes a tag"),
        ("tags", {"k" * 129: "v"}, "1 to 128"),
        ("tags", {f"k{n}": "v" for n in range(44)}, "at most 43 tags"),
        ("tags", "novalue", "'novalue' is not a map"),
        ("colour", "red", "no value called 'colour'"),
        ("project", "p", "no value called 'project'"),
    ],
)
def test_refuses_a_wrong_value_and_says_why(key: str, value: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as raised:
        notebook.make("nb", {key: value}, TYPES)
    assert str(raised.value).startswith("nb: ")


@pytest.mark.parametrize("name", ["nlp--project", "Nlp"])
def test_names_that_would_not_isolate_are_refused(name: str) -> None:
    """A job of nlp would be nlp--..., and AWS writes ARNs in lower case."""
    assert notebook.make(name, {}, TYPES).name == name
    with pytest.raises(UserError, match="an isolated notebook's name takes lower-case"):
        notebook.make(name, {"isolated": True}, TYPES)
    with pytest.raises(UserError, match="an isolated notebook's name takes lower-case"):
        notebook.make("nlp", {"isolated": True, "name": name}, TYPES)


def test_a_role_and_isolation_exclude_each_other() -> None:
    role = "arn:aws:iam::123456789012:role/other"
    with pytest.raises(UserError, match="isolated makes a role and role_arn names one"):
        notebook.make("nlp", {"isolated": True, "role_arn": role}, TYPES)
    assert notebook.make("nlp", {"isolated": False, "role_arn": role}, TYPES).values["role_arn"]


def test_the_shared_key_and_another_exclude_each_other() -> None:
    with pytest.raises(UserError, match="use_shared_kms_key takes the shared key and kms_key_id"):
        notebook.make("nlp", {"use_shared_kms_key": True, "kms_key_id": "alias/own"}, TYPES)
    own = {"use_shared_kms_key": False, "kms_key_id": "alias/own"}
    assert notebook.make("nlp", own, TYPES).values["kms_key_id"] == "alias/own"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("volume_size", "50", 50),
        ("root_access", "true", True),
        ("root_access", "FALSE", False),
        ("security_group_ids", "sg-1,sg-2", ["sg-1", "sg-2"]),
        ("security_group_ids", '["sg-1"]', ["sg-1"]),
        ("tags", "a=b;c=d", {"a": "b", "c": "d"}),
        ("tags", '{"a": "b"}', {"a": "b"}),
        ("purpose", "cafe\u0301", "caf\u00e9"),
    ],
)
def test_reads_text_as_the_variable_s_type(key: str, text: str, value: Any) -> None:
    assert notebook.make("nb", {key: text}, TYPES).values == {key: value}


def test_null_and_an_empty_identifier_say_nothing() -> None:
    assert notebook.make("nb", {"subnet_id": "", "kms_key_id": None}, TYPES).values == {}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("backup_excludes", [[], ["data/*", "*.tmp", "a b"]]),
        ("backup_hours", [0, 24, 8760]),
        ("backup_minutes", [1, 240]),
        ("idle_stop_minutes", [0, 525_600]),
        ("schedule_timezone", ["Europe/Berlin", "UTC"]),
    ],
)
def test_takes_what_the_module_takes(key: str, values: list[Any]) -> None:
    for value in values:
        assert notebook.make("nb", {key: value}, TYPES).values == {key: value}


def test_profiles_are_instance_types_that_aws_has() -> None:
    for profile, values in notebook.PROFILES.items():
        assert notebook.make(profile, values, TYPES).values == values
