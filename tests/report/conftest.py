"""The report in a browser, and what reads it there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from tests import npm
from tests.report import chromium
from tests.trees import REPOSITORY
from tools import SCRATCH
from tools.report import page
from tools.report.history import Trend
from tools.report.model import Report

OpenPage = Callable[..., Chrome]


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """Chromium without a window and without a network. CI has to have one."""
    chrome = chromium.start()
    if chrome is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.MISSING)
        pytest.skip(chromium.MISSING)
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def open_page(browser: Chrome, tmp_path: Path) -> OpenPage:
    """`open_page(report, trend, width=, scheme=, media=)`: the page, as it is shown there."""

    def show(report: Report, trend: Trend | None = None, **how: Any) -> Chrome:
        path = tmp_path / "report.html"
        path.write_text(page.render(report, trend, ".."), encoding="utf-8")
        browser.get_log("browser")  # what earlier pages said
        chromium.show(browser, path.as_uri(), **how)
        return browser

    return show


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which finds what some people could not read or reach."""
    installed = npm.install(Path(__file__).parent / "axe", REPOSITORY / SCRATCH, "report-axe")
    return (installed / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
