"""A run's results as files for other programs."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.trees import REPOSITORY
from tools.engine.run import Result
from tools.errors import UserError
from tools.runs import report_file

RESULTS = [
    Result("shared-infra/b", "failed", 1.26, "no | because\nof it"),
    Result("notebooks/n", "not run", 0.0, "shared-infra/b failed or was not run"),
    Result("notebooks/m", "applied", 61.0, changes={"add": 2, "change": 0, "remove": 1}),
    Result("notebooks/o", "interrupted", 2.0, "interrupted after 1 of 2 resources"),
]
LOSS = Result("notebooks/p", "changed", losses=("replace a.b",))


def test_json_is_as_its_schema_says(tmp_path: Path) -> None:
    import jsonschema  # takes seconds, which each worker would spend as it collects

    report_file.write(tmp_path / "report.json", [*RESULTS, LOSS], "deploy")
    report = json.loads((tmp_path / "report.json").read_text())
    schema = json.loads((REPOSITORY / "docs/report.schema.json").read_text())
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    assert (report["command"], report["failed"]) == ("deploy", True)
    assert [(row["stack"], row["outcome"], row["seconds"]) for row in report["stacks"]] == [
        ("shared-infra/b", "failed", 1.3),
        ("notebooks/n", "not run", 0.0),
        ("notebooks/m", "applied", 61.0),
        ("notebooks/o", "interrupted", 2.0),
        ("notebooks/p", "changed", 0.0),
    ]
    assert report["stacks"][2]["changes"] == {"add": 2, "change": 0, "remove": 1}
    for results, failed in ((RESULTS[2:3], False), (RESULTS[2:], True)):
        report_file.write(tmp_path / "report.json", results, "deploy")
        assert json.loads((tmp_path / "report.json").read_text())["failed"] is failed


@pytest.mark.parametrize("ending", ["json", "xml", "md"])
def test_a_name_that_is_no_utf8_is_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"report.{ending}"
    report_file.write(path, [Result("notebooks/n", "failed", 1.0, "a\udcff.txt")], "deploy")
    assert "a\\udcff.txt" in path.read_text()


def test_junit_tells_failed_from_not_run(tmp_path: Path) -> None:
    report_file.write(tmp_path / "report.xml", RESULTS, "deploy")
    cases = {
        case.get("name"): case
        for case in ElementTree.parse(tmp_path / "report.xml").iter("testcase")
    }
    failure = cases["shared-infra/b"].find("failure")
    assert failure is not None
    assert "because" in str(failure.get("message"))
    assert cases["notebooks/n"].find("skipped") is not None
    assert cases["notebooks/o"].find("skipped") is not None
    assert list(cases["notebooks/m"]) == []


def test_markdown_is_a_table(tmp_path: Path) -> None:
    report_file.write(tmp_path / "report.md", [*RESULTS, LOSS], "destroy")
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert lines[0] == "### tools destroy"
    assert lines[4:] == [
        "| shared-infra/b | failed |  |  |  | 1 | no \\| because of it |",
        "| notebooks/n | not run |  |  |  | 0 | shared-infra/b failed or was not run |",
        "| notebooks/m | applied | 2 |  | 1 | 61 |  |",
        "| notebooks/o | interrupted |  |  |  | 2 | interrupted after 1 of 2 resources |",
        "| notebooks/p | changed |  |  |  | 0 | 🔴 **loses data: replace a.b** |",
    ]


def test_a_report_that_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the name must end in \.json, \.xml, \.md"):
        report_file.check(tmp_path / "report.html")
    with pytest.raises(UserError, match=r"the folder .* does not exist"):
        report_file.check(tmp_path / "missing/report.json")
    (tmp_path / "report.json").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*report.json: Is a directory"):
        report_file.write(tmp_path / "report.json", RESULTS, "deploy")


def test_reports_of_shards_become_one(tmp_path: Path) -> None:
    first, second, merged = (tmp_path / f"{name}.json" for name in ("first", "second", "merged"))
    report_file.write(first, [*RESULTS[:2], LOSS], "deploy")
    again = Result("shared-infra/b", "applied", 3.0)
    report_file.write(second, [again, *RESULTS[2:]], "deploy")
    command, results = report_file.merge([first, second])
    outcomes = [(result.stack, result.outcome) for result in results]
    expected = [RESULTS[1], LOSS, again, *RESULTS[2:]]  # what was run again counts once
    assert outcomes == [(result.stack, result.outcome) for result in expected]
    assert results[1].losses == LOSS.losses
    report_file.write(merged, results, command)
    assert report_file.read(merged) == (command, results)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": "deploy", "stacks": [1]}'])
def test_what_is_no_report_is_not_merged(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json is no JSON report"):
        report_file.merge([tmp_path / "a.json"])


def test_reports_of_different_commands_are_not_merged(tmp_path: Path) -> None:
    for name in ("plan", "deploy"):
        report_file.write(tmp_path / f"{name}.json", RESULTS, name)
    with pytest.raises(
        UserError, match=r"deploy\.json is of tools deploy, the others of tools plan"
    ):
        report_file.merge([tmp_path / "plan.json", tmp_path / "deploy.json"])
