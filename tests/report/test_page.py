"""The report in a real browser."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.report.conftest import OpenPage
from tests.report.fleets import HTML, report
from tests.trees import reading, write_stack
from tools.layout.stack import Stack
from tools.report import page

COLUMNS = ["Notebook", "Status", "A month", "Instance type", "GB", "Owner", "Environment"]


def names(browser: Chrome) -> list[str]:
    """The notebooks that are shown, in order."""
    script = """return [...document.querySelectorAll("#fleet tbody tr")]
        .filter(row => row.offsetParent !== null && row.querySelector("th"))
        .map(row => row.querySelector("th").firstChild.textContent.trim())"""
    found: list[str] = browser.execute_script(script)
    return found


def search(browser: Chrome, text: str) -> None:
    box = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text or Keys.DELETE)


def heading(browser: Chrome, name: str) -> WebElement:
    (found,) = (
        cell
        for cell in browser.find_elements(By.CSS_SELECTOR, "#fleet thead th")
        if cell.text.strip().startswith(name)
    )
    return found


def wait_for(browser: Chrome, expected: list[str]) -> None:
    """Searching and sorting are drawn soon, not at once."""
    WebDriverWait(browser, 30).until(lambda _: names(browser) == expected, f"not {expected}")


@pytest.mark.parametrize("count", [0, 1, 12])
@pytest.mark.parametrize("asked", [True, False])
def test_it_says_nothing_to_the_console_and_asks_no_network(
    open_page: OpenPage, count: int, asked: bool
) -> None:
    browser = open_page(report(count, asked))
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert len(names(browser)) == count


def test_searching_narrows_the_table_and_says_how_far(open_page: OpenPage) -> None:
    browser = open_page(report(30))
    search(browser, "owner-3 dev")
    wait_for(browser, ["team-0003", "team-0024"])
    assert browser.find_element(By.CLASS_NAME, "dt-info").text == "2 notebooks of 30"
    search(browser, "no such thing")
    wait_for(browser, [])
    assert "no notebook matches" in browser.find_element(By.ID, "fleet").text
    search(browser, "")
    wait_for(browser, [f"team-{number:04}" for number in range(30)])


def test_money_is_sorted_as_numbers_both_ways(open_page: OpenPage) -> None:
    shown = report(12, values={"instance_type": "ml.new"})  # at least $2.80, the least of all
    by_cost = [
        row.name for row in sorted(shown.rows, key=lambda row: (row.cost.amount.usd, row.name))
    ]
    browser = open_page(shown)
    cell = heading(browser, "A month")
    cell.click()
    wait_for(browser, by_cost)
    assert cell.get_attribute("aria-sort") == "ascending"
    cell.click()
    wait_for(browser, by_cost[::-1])
    assert cell.get_attribute("aria-sort") == "descending"


def test_everything_is_reached_and_sorted_by_keyboard(open_page: OpenPage) -> None:
    browser = open_page(report(12))
    reached: list[tuple[str, str]] = []
    for _ in range(40):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        focused = browser.switch_to.active_element
        if focused.tag_name == "body":
            break
        style = browser.execute_script("return getComputedStyle(arguments[0]).outline", focused)
        assert "none" not in style, focused.text
        reached.append((focused.tag_name, focused.text.strip() or focused.accessible_name))
    assert reached[0] == ("a", "Skip to the notebooks")
    assert any(tag == "input" for tag, _ in reached)
    reached_text = " ".join(text for _, text in reached)
    assert [name for name in COLUMNS if name not in reached_text] == []
    assert any(tag == "summary" for tag, _ in reached)

    browser.execute_script("document.activeElement.blur()")
    order = heading(browser, "Notebook").find_element(By.CSS_SELECTOR, "[role=button]")
    browser.execute_script("arguments[0].focus()", order)
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    wait_for(browser, [f"team-{number:04}" for number in range(11, -1, -1)])


def test_values_with_html_in_them_stay_text(open_page: OpenPage) -> None:
    hostile = dict.fromkeys(("name", "owner", "environment", "purpose", "instance_type"), HTML)
    shown = report(3, values=hostile)
    browser = open_page(replace(shown, project=HTML, asked=HTML, warnings=[HTML]))
    text = browser.find_element(By.TAG_NAME, "body").text
    row = browser.find_element(By.CSS_SELECTOR, "#fleet tbody tr")
    assert row.text.count("window.broken = 1</script>&amp;") == 5  # the name, and four values
    assert text.count("<script>window.broken = 1</script>") >= 8
    search(browser, "onerror")  # the table is drawn again from its values
    wait_for(browser, names(browser)[:1])
    assert browser.execute_script("return window.broken") is None
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert browser.get_log("browser") == []


def test_what_got_in_all_the_same_would_not_run(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's policy, should an escape ever be forgotten."""
    monkeypatch.setattr(page, "graph", lambda _: Markup(HTML))
    browser = open_page(report(1))
    assert browser.execute_script("return window.broken") is None
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert refused
    assert all("Content Security Policy" in message for message in refused)


WORK = """
let changes = 0;
const observer = new MutationObserver(records => {
  for (const record of records) changes += record.addedNodes.length + record.removedNodes.length;
});
observer.observe(document.body, {childList: true, subtree: true});
window.work = () => { const done = changes; changes = 0; return done; };
"""


def test_a_thousand_notebooks_are_as_much_work_each_as_a_hundred(open_page: OpenPage) -> None:
    """How long that takes is the machine's; that the work grows with the rows alone is ours."""
    nodes, sorting, searching, size = {}, {}, {}, {}
    for count in (100, 1000):
        shown = report(count)
        size[count] = len(page.render(shown))
        browser = open_page(shown)
        nodes[count] = browser.execute_script("return document.querySelectorAll('*').length")
        browser.execute_script(WORK)
        heading(browser, "A month").click()
        WebDriverWait(browser, 60).until(
            lambda b: heading(b, "A month").get_attribute("aria-sort") == "ascending"
        )
        sorting[count] = browser.execute_script("return window.work()")
        search(browser, "team-0042")
        wait_for(browser, ["team-0042"])
        searching[count] = browser.execute_script("return window.work()")
    assert nodes[1000] - nodes[100] < 900 * 16
    assert size[1000] - size[100] < 900 * 1000
    for work in (sorting, searching):
        assert work[1000] < work[100] * 15


def colours(browser: Chrome, selector: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The colours of an element's text and of what is behind it."""
    script = """
    let element = document.querySelector(arguments[0]);
    const text = getComputedStyle(element)[element.closest("svg") ? "fill" : "color"];
    let behind = "rgba(0, 0, 0, 0)";
    for (; element && /, 0\\)$/.test(behind); element = element.parentElement)
      behind = getComputedStyle(element).backgroundColor;
    return [text, behind];
    """
    text, behind = browser.execute_script(script, selector)
    return _channels(text), _channels(behind)


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3])


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = [
    "h1",
    ".made",
    ".warnings p",
    ".glance dt",
    ".glance .bad dd",
    "#fleet tbody th",
    "#fleet thead th",
    ".purpose",
    ".status-inservice",
    ".status-failed",
    ".flag",
    ".dt-info",
    ".pygal-chart .axis.y text",
    ".pygal-chart .axis.x text",
    ".pygal-chart .legend text",
    "footer a",
]


@pytest.mark.parametrize(("scheme", "media"), [("light", ""), ("dark", ""), ("dark", "print")])
def test_every_text_can_be_read(open_page: OpenPage, scheme: str, media: str) -> None:
    browser = open_page(report(12), scheme=scheme, media=media)
    found = {selector: contrast(*colours(browser, selector)) for selector in TEXTS}
    assert {selector: ratio for selector, ratio in found.items() if ratio < 4.5} == {}
    bars = {colours(browser, f".pygal-chart .bar .rect, .color-{n} rect")[0] for n in (0, 1)}
    behind = colours(browser, "figure")[1]
    assert all(contrast(bar, behind) >= 2 for bar in bars)


def test_dark_is_dark_and_paper_is_white(open_page: OpenPage) -> None:
    def page_colour(**how: Any) -> tuple[float, ...]:
        return colours(open_page(report(3), **how), "html")[1]

    assert max(page_colour(scheme="dark")) < 0.2
    assert min(page_colour(scheme="light")) > 0.9
    assert page_colour(scheme="dark", media="print") == (1, 1, 1)


def test_on_paper_there_is_all_and_nothing_to_click(open_page: OpenPage) -> None:
    browser = open_page(report(120), media="print")
    assert len(names(browser)) == 120
    assert not browser.find_element(By.CSS_SELECTOR, "input[type=search]").is_displayed()
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_the_page_is_never_wider_than_the_screen(open_page: OpenPage, width: int) -> None:
    long = {"owner": "o" * 256, "purpose": "p" * 256, "name": "n" * 63}
    browser = open_page(report(12, values=long), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return innerWidth") == width


def test_charts_have_names_and_say_values(open_page: OpenPage) -> None:
    browser = open_page(report(30))
    charts = browser.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    assert [chart.accessible_name for chart in charts] == [
        "A month by notebook",
        "A month by owner",
        "A month by environment",
        "Separate against shared infrastructure",
    ]
    labels = charts[0].find_elements(By.CSS_SELECTOR, ".axis.y text")
    assert len(labels) == 21  # the dearest twenty, and the others as one
    assert any(label.text.startswith("10 others $") for label in labels)
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_the_stacks_are_drawn(open_page: OpenPage, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    hostile = "notebooks/<b>&"
    write_stack(root, "shared-infra/s3", "")
    write_stack(root, "shared-infra/iam", reading("shared-infra/s3"))
    write_stack(root, hostile, reading("shared-infra/iam"))
    names = ["shared-infra/s3", "shared-infra/iam", hostile]
    shown = replace(report(1), stacks=[Stack(root, name) for name in names])
    browser = open_page(shown, scheme="dark")
    drawing = browser.find_element(By.CSS_SELECTOR, ".stacks svg")
    assert drawing.accessible_name == "Which stack reads which"
    texts = [text.text for text in drawing.find_elements(By.CSS_SELECTOR, ".node text")]
    assert sorted(texts) == sorted(names)
    assert len(drawing.find_elements(By.CSS_SELECTOR, ".edge")) == 2
    assert contrast(*colours(browser, ".stacks text")) >= 4.5
    assert browser.get_log("browser") == []


def test_without_scripts_everything_is_there() -> None:
    text = page.render(report(12))
    body, scripts = re.subn(r"<script type=.module.>.*</script>", "", text, flags=re.DOTALL)
    assert scripts == 1
    for number in range(12):
        assert f"team-{number:04}" in body


def test_characters_that_no_drawing_may_hold_are_replaced() -> None:
    text = page.render(report(2, values={"owner": "al\x1bice\x00", "environment": "d\ufffeev"}))
    assert "al\N{REPLACEMENT CHARACTER}ice\N{REPLACEMENT CHARACTER}" in text


def test_what_could_not_be_read_is_not_known_rather_than_none() -> None:
    whole = replace(report(1), undeclared=[], orphans=[])
    assert "nothing is without a directory" in page.render(whole)
    text = page.render(replace(whole, states_are_known=False))
    assert "nothing is without a directory" not in text
    assert "Nothing known." in text
    assert "<dt>Orphans</dt><dd>not known</dd>" in text
    assert "<dt>Not as declared</dt><dd>not known</dd>" in text


def test_what_needs_a_look_is_named(open_page: OpenPage) -> None:
    browser = open_page(report(12))
    text = browser.find_element(By.CSS_SELECTOR, "[aria-labelledby=attention]").text
    assert "team-0003: no capacity" in text
    assert "team-0004: 29 minutes" in text
    assert "team-0001: instance_type is ml.t3.medium, declared ml.m5.xlarge" in text
    assert "left-over" in text
    glance = browser.find_element(By.CLASS_NAME, "glance").text.splitlines()
    assert glance[glance.index("Orphans") + 1] == "2"
    assert "notebooks/gone: 9 resources, in notebooks/gone/terraform.tfstate" in text
    assert "team-0006: terraform.tfvars has changed" in text


def test_what_was_not_asked_is_not_shown_as_none(open_page: OpenPage) -> None:
    browser = open_page(report(3, asked=False))
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "AWS was not asked: --offline." in text
    assert "Orphans" not in text
    assert "Needs attention" not in text
    assert text.count("not asked") >= 3
