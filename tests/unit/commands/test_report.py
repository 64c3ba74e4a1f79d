"""`tools report` as a user runs it."""

import html
import json
import shutil

from tests.unit.commands.conftest import Checkout

COMMON = 'project = "acme-ml"\nregion = "us-east-1"\n'


def written(checkout: Checkout, *arguments: str, **env: str) -> str:
    """The page, as it reads: its escapes undone."""
    done = checkout.tools("report", *arguments, **env)
    assert done.returncode == 0, done.stderr
    return html.unescape((checkout.root / done.stdout.strip()).read_text())


def test_nothing_deployed_and_nothing_typed_yet(checkout: Checkout) -> None:
    page = written(checkout)
    assert "AWS was not asked: no project is set" in page
    assert str(checkout.root) not in page
    assert "notebook-prod" in page
    assert "Production workloads" in page
    assert "$414.15" in page
    assert (checkout.root / ".tools/report.html").is_file()


def test_without_credentials_what_is_declared_is_shown(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text(COMMON)
    page = written(checkout)
    assert "AWS has not listed the notebooks: no AWS credentials found" in page
    assert "Notebooks of acme-ml" in page
    assert "notebook-prod" in page


def test_what_could_not_be_read_is_one_warning(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text(COMMON)
    for arguments in ([], ["--output", "-"]):
        done = checkout.tools("report", *arguments)
        assert done.returncode == 0
        (warning,) = done.stderr.splitlines()
        assert "AWS has not listed the notebooks: no AWS credentials found" in warning
    assert checkout.tools("report", "--offline").stderr == ""  # as it was asked for


def test_the_page_goes_where_it_is_told(checkout: Checkout) -> None:
    page = written(checkout, "--output", "pages/fleet.html")
    assert (checkout.root / "pages/fleet.html").is_file()
    assert not (checkout.root / ".tools/report.html").exists()
    done = checkout.tools("report", "--output", "-")
    assert done.returncode == 0
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.splitlines()[-1] == page.splitlines()[-1] == "</html>"


def test_the_figures_of_a_day_are_kept_for_the_next_page(checkout: Checkout) -> None:
    page = written(checkout, "--offline")
    assert "Estimate by report" not in page
    kept = checkout.root / ".tools/report.history.json"
    content = json.loads(kept.read_text())
    (entry,) = content["reports"]
    assert entry["notebooks"] == 2
    entry |= {"made": "2025-01-06T08:00:00+00:00", "usd": "1.00"}
    kept.write_text(json.dumps(content))
    assert 'since <span class="whole">2025-01-06</span>' in written(checkout, "--offline")
    written(checkout, "--offline")
    assert len(json.loads(kept.read_text())["reports"]) == 2  # the day's own is replaced


def test_a_history_that_is_none_stops_it_before_anything_is_written(checkout: Checkout) -> None:
    kept = checkout.root / ".tools/report.history.json"
    kept.parent.mkdir()
    kept.write_text("{")
    done = checkout.tools("report", "--offline")
    assert done.returncode == 1
    assert f"{kept} does not hold the figures" in done.stderr
    assert kept.read_text() == "{"
    assert not (checkout.root / ".tools/report.html").exists()


def test_directories_are_linked_from_within_the_repository_alone(checkout: Checkout) -> None:
    assert 'href="../notebooks/notebook-dev/"' in written(checkout, "--offline")
    outside = checkout.root.parent / "page.html"
    assert checkout.tools("report", "--offline", "--output", str(outside)).returncode == 0
    assert str(checkout.root.parent) not in outside.read_text()
    assert "Directory:" not in outside.read_text()


def test_no_notebooks_is_no_error(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "notebooks")
    (checkout.root / "notebooks").mkdir()
    assert "$24.20" in written(checkout)  # endpoints and buckets alone


def test_what_is_idle_cannot_be_known_without_an_answer(checkout: Checkout) -> None:
    page = written(checkout)
    assert "not asked" in page
    assert "no directory declares" not in page.split("<main>")[1]


def test_a_notebook_with_a_file_that_does_not_parse_is_left_out_with_a_warning(
    checkout: Checkout,
) -> None:
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    values.write_text("owner = [")
    done = checkout.tools("report")
    assert done.returncode == 0, done.stderr
    assert f"{values}, line 1" in done.stderr
    page = html.unescape((checkout.root / ".tools/report.html").read_text())
    assert "notebook-prod" in page


def test_a_place_that_cannot_be_written_is_one_clear_line(checkout: Checkout) -> None:
    done = checkout.tools("report", "--output", "README.md/report.html")
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_local_cloud_that_does_not_run_is_told(checkout: Checkout) -> None:
    done = checkout.tools("report", "--local")
    assert done.returncode == 1
    assert "the local cloud does not run" in done.stderr
