"""A headless Chromium of the system's packages, which opens pages without a network."""

import os
import shutil

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no Chromium with its chromedriver on PATH; on Debian: apt-get install chromium chromium-driver"
)


def start() -> Chrome | None:
    """Starts one, which whoever calls this quits; None if the machine has none."""
    binary = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        return None
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
    return Chrome(options=options, service=Service(driver))


def show(
    browser: Chrome,
    address: str,
    width: int = 1200,
    scheme: str = "light",
    media: str = "",
    height: int = 900,
) -> None:
    """Opens `address` as on a screen so wide, light or dark, or on paper."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.get(address)
