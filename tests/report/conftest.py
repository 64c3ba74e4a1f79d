"""A headless Chromium of the system's packages, and pages in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tools.report import page
from tools.report.collect import Report

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

OpenPage = Callable[..., Chrome]


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """Chromium without a window and without a network. CI has to have one."""
    binary = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing = (
            "no Chromium with its chromedriver on PATH; on Debian: apt-get install chromium "
            "chromium-driver"
        )
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium's sandbox refuses root
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # With its path given, Selenium looks for no other driver, and downloads none.
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def open_page(browser: Chrome, tmp_path: Path) -> OpenPage:
    """`open_page(report, width=, scheme=, media=)`: the page, as it is shown there."""

    def show(
        report: Report,
        width: int = 1200,
        scheme: str = "light",
        media: str = "",
    ) -> Chrome:
        path = tmp_path / "report.html"
        path.write_text(page.render(report), encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )
        browser.get_log("browser")  # what earlier pages said
        browser.get(path.as_uri())
        return browser

    return show
