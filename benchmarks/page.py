"""How soon the report's table answers, with 1,000 notebooks, in a headless Chromium."""

import tempfile
from pathlib import Path

from selenium.webdriver import Chrome

from benchmarks import fleet
from benchmarks.measure import TOOLS, Figure, process
from tests.report import chromium

TITLE = "The report's table"
_SIZE = 1_000
_MOST = 200  # milliseconds

# From what a person does to the frame that shows it.
_MEASURE = """
const [act, done] = [new Function(arguments[0]), arguments[arguments.length - 1]];
const body = document.querySelector("#fleet tbody");
let begun;
new MutationObserver((_, observer) => {
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
}).observe(body, { childList: true });
begun = performance.now();
act();
"""
_SORT = "document.querySelectorAll('#fleet thead th')[{}].click()"
_FIND = """const find = document.getElementById("find"); find.value = "{}";
find.dispatchEvent(new Event("input"));"""
_CHOOSE = """const select = document.querySelector("[data-filter='Environment']");
select.value = "{}"; select.dispatchEvent(new Event("change"));"""
_LOADED = "return performance.getEntriesByType('navigation')[0].domComplete"


def run(repetitions: int, size: int = _SIZE) -> list[Figure]:
    """The page of `tools report --offline`: sorted by name and by cost, searched and filtered."""
    browser = chromium.start()
    if browser is None:
        raise RuntimeError(chromium.MISSING)
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-page-") as parent:
            directory = fleet.with_notebooks(Path(parent) / "repository", size)
            process([TOOLS, "report", "--offline"], directory)
            address = (directory / ".tools" / "report.html").as_uri()
            return _figures(browser, address, repetitions, size)
    finally:
        browser.quit()


def _figures(browser: Chrome, address: str, repetitions: int, size: int) -> list[Figure]:
    tasks = {
        "sort by name": [_SORT.format(0)],
        "sort by cost": [_SORT.format(6)],
        "search": [_FIND.format("work 77"), _FIND.format("")],
        "filter by environment": [_CHOOSE.format("prod"), _CHOOSE.format("")],
    }
    loads: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(repetitions + 1):  # the first does not count
        chromium.show(browser, address)
        loaded = browser.execute_script(_LOADED)
        for name, actions in tasks.items():
            taken = [float(browser.execute_async_script(_MEASURE, act)) for act in actions]
            times[name] += [max(taken)] if number else []
        loads += [loaded] if number else []
    # The least: a busy machine only adds.
    return [
        Figure(f"open the page of {size:,} notebooks", f"{min(loads):.0f} ms"),
        *(
            Figure(
                f"{name}, {size:,} notebooks",
                f"{min(found):.0f} ms",
                f"at most {_MOST} ms",
                min(found) <= _MOST,
            )
            for name, found in times.items()
        ),
    ]
