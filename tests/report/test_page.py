"""The report in a real browser."""

import base64
import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.report.conftest import OpenPage
from tests.report.fleets import HTML, report, trend, with_stacks
from tests.trees import reading, write_stack
from tools.cost.prices import Price
from tools.layout.stack import Stack
from tools.report import drawing, page
from tools.report.drawing import Drawing, StackGroup

PATIENCE = 300
"""Seconds after which a wait is given up, however busy the machine is."""

COLUMNS = ["Notebook", "Status", "Owner", "Environment", "Instance type", "GB", "A month"]


def names(browser: Chrome) -> list[str]:
    """The notebooks that are shown, in order."""
    script = """return [...document.querySelectorAll("#fleet tbody tr")]
        .filter(row => row.offsetParent !== null && row.querySelector("th"))
        .map(row => row.querySelector(".name").textContent)"""
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
    waiting = WebDriverWait(browser, PATIENCE)
    waiting.until(lambda _: names(browser) == expected, f"not {expected}")


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
    browser = open_page(report(20))
    search(browser, "owner-3 dev")
    wait_for(browser, ["team-0003"])
    assert browser.find_element(By.CLASS_NAME, "dt-info").text == "1 notebook (of 20)"
    search(browser, "Team=team-5")  # a tag
    wait_for(browser, ["team-0005", "team-0019"])
    search(browser, "no such thing")
    wait_for(browser, [])
    assert "no notebook matches" in browser.find_element(By.ID, "fleet").text
    search(browser, "")
    wait_for(browser, [f"team-{number:04}" for number in range(20)])


def choose(browser: Chrome, name: str, value: str) -> None:
    Select(browser.find_element(By.CSS_SELECTOR, f"[data-filter='{name}']")).select_by_visible_text(
        value
    )


def test_filters_hold_together_and_are_cleared(open_page: OpenPage) -> None:
    shown = report(60)
    browser = open_page(shown)
    wanted = [
        row
        for row in shown.rows
        if row.cost.spec.owner == "owner-0" and row.cost.spec.environment == "dev"
    ]
    choose(browser, "Owner", "owner-0")
    choose(browser, "Environment", "dev")
    wait_for(browser, [row.name for row in wanted])
    choose(browser, "Status", "InService")
    wait_for(browser, [row.name for row in wanted if row.status == "InService"])
    choose(browser, "Instance type", "ml.m5.xlarge")  # which no notebook in dev has
    wait_for(browser, [])
    browser.find_element(By.ID, "clear").click()
    wait_for(browser, [f"team-{number:04}" for number in range(25)])
    choose(browser, "Needs attention", "idle")
    wait_for(browser, [row.name for row in shown.rows if row.idle is not None])


def test_a_filter_takes_the_whole_value(open_page: OpenPage) -> None:
    browser = open_page(report(8, values={"owner": "owner-1 and others"}))
    choose(browser, "Owner", "owner-1")
    wait_for(browser, ["team-0001"])


def test_pages_are_turned_and_few_notebooks_have_none(open_page: OpenPage) -> None:
    browser = open_page(report(60))
    assert names(browser) == [f"team-{number:04}" for number in range(25)]
    browser.find_element(By.CSS_SELECTOR, ".dt-paging-button.next").click()
    wait_for(browser, [f"team-{number:04}" for number in range(25, 50)])
    assert browser.find_element(By.CLASS_NAME, "dt-info").text == "26 to 50 of 60 notebooks"
    browser = open_page(report(25))
    assert browser.find_elements(By.CLASS_NAME, "dt-paging") == []
    assert browser.find_element(By.CLASS_NAME, "dt-info").text == "25 notebooks"


CAUGHT = """
window.files = [];
URL.createObjectURL = blob => { blob.text().then(text => window.files.push(text)); return "#"; };
"""


def csv_file(browser: Chrome) -> list[dict[str, str]]:
    """What the button saves, as Python's reader of CSV has it. The disk is left out."""
    browser.execute_script(CAUGHT)
    browser.find_element(By.ID, "csv").click()
    waiting = WebDriverWait(browser, PATIENCE)
    waiting.until(lambda b: b.execute_script("return window.files.length"))
    text: str = browser.execute_script("return window.files[0]")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_csv_has_every_notebook_that_is_left_in_its_order(open_page: OpenPage) -> None:
    browser = open_page(report(60))
    choose(browser, "Environment", "prod")
    heading(browser, "Notebook").click()
    heading(browser, "Notebook").click()
    rows = csv_file(browser)
    assert [row["Notebook"] for row in rows] == [f"team-{n:04}" for n in range(59, 0, -3)]
    shown = {row.name: row for row in report(60).rows}
    for row in rows:
        expected = shown[row["Notebook"]]
        assert row["Owner"] == expected.cost.spec.owner
        assert row["US dollars a month"] == str(expected.cost.amount.usd)
        assert row["Needs attention"] == "; ".join(expected.marks)
        assert row["Tags"] == "; ".join(expected.tags)
        assert row["Purpose"] == expected.purpose


def test_csv_holds_no_formula_and_every_character(open_page: OpenPage) -> None:
    values = {"owner": '=HYPERLINK("x")', "purpose": 'a "b", c\u00e9', "environment": "-1"}
    (row,) = csv_file(open_page(report(1, values=values)))
    assert row["Owner"] == '\'=HYPERLINK("x")'
    assert row["Environment"] == "'-1"
    assert row["Purpose"] == values["purpose"]


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
    browser = open_page(report(6))
    reached: list[tuple[str, str]] = []
    for _ in range(90):
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
    wait_for(browser, [f"team-{number:04}" for number in range(5, -1, -1)])


def test_values_with_html_in_them_stay_text(open_page: OpenPage) -> None:
    keys = ("name", "owner", "environment", "purpose", "instance_type")
    hostile = {**dict.fromkeys(keys, HTML), "tags": {HTML: HTML}}
    shown = report(3, values=hostile)
    first = replace(shown.rows[0], differences=[HTML], failure=HTML, status="Failed")
    shown = replace(shown, project=HTML, asked=HTML, warnings=[HTML], rows=[first, *shown.rows[1:]])
    browser = open_page(shown)
    text = browser.find_element(By.TAG_NAME, "body").text
    row = browser.find_element(By.CSS_SELECTOR, "#fleet tbody tr")
    # The name, four values, and a tag's name and value.
    assert row.text.count("window.broken = 1</script>&amp;") == 7
    assert text.count("<script>window.broken = 1</script>") >= 12
    choose(browser, "Owner", HTML)
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
    injected = Drawing([StackGroup("a", "shared", [])], Markup(HTML))
    monkeypatch.setattr(drawing, "draw", lambda _: injected)
    browser = open_page(report(1))
    assert browser.execute_script("return window.broken") is None
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert refused
    assert all("Content Security Policy" in message for message in refused)


def test_a_thousand_notebooks_are_no_more_in_the_page_than_a_hundred(open_page: OpenPage) -> None:
    """How long they take is in benchmarks/page.py; that a page has 25 of them is why."""
    nodes = {}
    for count in (100, 1000):
        browser = open_page(report(count))
        nodes[count] = browser.execute_script("return document.querySelectorAll('*').length")
        assert len(names(browser)) == 25
    # More are but the lines of what needs attention, at most 30 for each reason.
    assert nodes[1000] - nodes[100] < 30 * 3 * 9
    search(browser, "team-0942")
    wait_for(browser, ["team-0942"])


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


@pytest.mark.parametrize(
    ("count", "width", "scheme", "media"),
    [
        (30, 1200, "light", ""),
        (12, 1200, "dark", ""),
        (12, 390, "light", ""),
        (3, 390, "dark", ""),
        (3, 800, "dark", "print"),
        (0, 1200, "light", ""),
    ],
)
def test_axe_finds_nothing_that_some_could_not_read_or_reach(
    open_page: OpenPage,
    axe: str,
    tmp_path: Path,
    count: int,
    width: int,
    scheme: str,
    media: str,
) -> None:
    shown = with_stacks(report(count), tmp_path)
    browser = open_page(shown, trend(shown), width=width, scheme=scheme, media=media)
    browser.execute_script(
        "for (const all of document.querySelectorAll('details')) all.open = true"
    )
    browser.execute_script(axe)
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    told = [
        (rule["id"], node["html"], node.get("failureSummary"))
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert told == []
    assert len(found["passes"]) > 15  # it has looked


@pytest.mark.parametrize(("scheme", "media"), [("light", ""), ("dark", ""), ("dark", "print")])
def test_bars_and_the_graph_can_be_seen(
    open_page: OpenPage, tmp_path: Path, scheme: str, media: str
) -> None:
    """Which axe does not look at: https://www.w3.org/TR/WCAG22/#non-text-contrast"""
    browser = open_page(with_stacks(report(3), tmp_path), scheme=scheme, media=media)
    bar = browser.execute_script(
        "return getComputedStyle(document.querySelector('.bars li'), '::after').backgroundColor"
    )
    behind = colours(browser, ".bars")[1]
    assert contrast(_channels(bar), behind) >= 3
    assert contrast(*colours(browser, ".stacks .wide text")) >= 4.5


def test_dark_is_dark_and_paper_is_white(open_page: OpenPage) -> None:
    def page_colour(**how: Any) -> tuple[float, ...]:
        return colours(open_page(report(3), **how), "html")[1]

    assert max(page_colour(scheme="dark")) < 0.2
    assert min(page_colour(scheme="light")) > 0.9
    assert page_colour(scheme="dark", media="print") == (1, 1, 1)


def test_on_paper_there_is_all_and_nothing_to_click(open_page: OpenPage) -> None:
    browser = open_page(report(120), media="print")
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert not browser.find_element(By.ID, "csv").is_displayed()
    browser.execute_script(
        """addEventListener("beforeprint", () => { window.printed = [
            document.querySelectorAll("#fleet tbody tr").length,
            document.querySelectorAll("details:not([open])").length,
        ]; })"""
    )
    before = browser.execute_script("return document.querySelectorAll('details[open]').length")
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert browser.execute_script("return window.printed") == [120, 0]
    assert len(names(browser)) == 25
    after = browser.execute_script("return document.querySelectorAll('details[open]').length")
    assert after == before


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_nothing_is_wider_than_the_screen_or_its_tile(
    open_page: OpenPage, tmp_path: Path, width: int
) -> None:
    long = {"owner": "o" * 256, "purpose": "p" * 256, "name": "n" * 63, "tags": {"k" * 128: "v"}}
    shown = with_stacks(report(12, values=long), tmp_path)
    price = Price(Decimal("98765432.10"), "a list", date(2026, 11, 1))
    line = replace(shown.estimate.shared[0], quantity=Decimal(1), price=price)
    estimate = replace(shown.estimate, shared=[line, *shown.estimate.shared[1:]])
    shown = replace(shown, estimate=estimate)
    browser = open_page(shown, trend(shown), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return innerWidth") == width
    cut = """const parts = ".glance *, .bars *, .trend *, #fleet *, .items *";
        return [...document.querySelectorAll(parts)]
        .filter(one => one.offsetParent !== null && one.scrollWidth > one.clientWidth + 1
            && getComputedStyle(one).display !== "inline" && one.clientWidth)
        .map(one => one.outerHTML)"""
    assert browser.execute_script(cut) == []


@pytest.mark.parametrize("count", [1, 2, 10])
def test_no_card_of_the_cost_is_mostly_empty(open_page: OpenPage, count: int) -> None:
    """Below the last bar of each there is its padding and little more than another bar."""
    browser = open_page(report(count, asked=False), width=1280)
    room = browser.execute_script(
        """return [...document.querySelectorAll(".cards > .bars")].map(card =>
            card.getBoundingClientRect().bottom
            - card.lastElementChild.getBoundingClientRect().bottom)"""
    )
    assert len(room) == 4
    assert max(room) < 100


def test_on_a_phone_one_list_sorts_and_nothing_is_broken_or_left_over(
    open_page: OpenPage, tmp_path: Path
) -> None:
    shown = with_stacks(report(6), tmp_path)
    browser = open_page(shown, width=390)
    billed = browser.find_element(By.CSS_SELECTOR, "#billed ~ .scroll")
    assert billed.get_property("scrollWidth") <= billed.get_property("clientWidth")
    assert not browser.find_element(By.CSS_SELECTOR, "#fleet thead").is_displayed()
    sort = Select(browser.find_element(By.ID, "sort"))
    sort.select_by_visible_text("A month, most first")
    dearest = sorted(shown.rows, key=lambda row: (-row.cost.amount.usd, row.name))
    wait_for(browser, [row.name for row in dearest])
    browser.find_element(By.ID, "clear").click()
    wait_for(browser, [row.name for row in shown.rows])
    assert sort.first_selected_option.text == "as listed"
    lines = """return [...document.querySelectorAll(".stacks .whole")]
        .map(one => one.getClientRects().length)"""
    assert set(browser.execute_script(lines)) == {1}
    # Each row of the filters ends where the card does.
    ends = """const ends = {};
        for (const one of document.querySelectorAll(".filters > *")) {
            const box = one.getBoundingClientRect();
            ends[Math.round(box.bottom)] = Math.round(box.right);
        }
        return Object.values(ends)"""
    assert len(set(browser.execute_script(ends))) == 1


def test_on_a_phone_no_table_of_money_is_cut_off(open_page: OpenPage) -> None:
    """The widest figures: six digits, of which a price is not known."""
    browser = open_page(report(1000), width=390)
    wider = """return [...document.querySelectorAll(".cards .scroll")]
        .filter(one => one.scrollWidth > one.clientWidth)
        .map(one => one.getAttribute("aria-labelledby"))"""
    assert browser.execute_script(wider) == []


def test_others_are_one_sum_and_no_bar(open_page: OpenPage) -> None:
    shown = report(200)
    browser = open_page(shown)
    cards = {
        card.find_element(By.TAG_NAME, "h3").text: card
        for card in browser.find_elements(By.CLASS_NAME, "bars")
    }
    assert [*cards] == [
        "By owner",
        "By environment",
        "By instance type",
        "Most expensive notebooks",
    ]
    dearest = cards["Most expensive notebooks"]
    bars = dearest.find_elements(By.TAG_NAME, "li")
    assert len(bars) == 10
    by_cost = sorted((row.cost.amount.usd for row in shown.rows), reverse=True)
    rest = sum(by_cost[10:])
    assert dearest.find_element(By.CLASS_NAME, "rest").text == f"190 others\n${rest:,.2f}"
    assert not cards["By owner"].find_elements(By.CLASS_NAME, "rest")


def test_notebooks_that_read_the_same_are_one_box(open_page: OpenPage, tmp_path: Path) -> None:
    shown = with_stacks(report(200), tmp_path)
    hostile = "notebooks/<b>&"
    write_stack(tmp_path, hostile, reading("shared-infra/iam"))
    shown = replace(shown, stacks=[*shown.stacks, Stack(tmp_path, hostile)])
    browser = open_page(shown, scheme="dark")
    drawing = browser.find_element(By.CSS_SELECTOR, ".stacks .wide svg")
    assert drawing.accessible_name.startswith("Which stack reads which")
    texts = [text.text for text in drawing.find_elements(By.CSS_SELECTOR, ".node text")]
    assert sorted(texts) == [
        "200 notebooks: team-0000 … team-0199",
        hostile,
        "shared-infra/iam",
        "shared-infra/s3",
        "shared-infra/security-groups",
        "shared-infra/vpc-endpoints",
    ]
    box = browser.execute_script(
        "const [svg, card] = [arguments[0].getBoundingClientRect(),"
        " arguments[0].closest('.card').getBoundingClientRect()];"
        "return [svg.left - card.left, card.right - svg.right]",
        drawing,
    )
    assert min(box) >= 0
    assert browser.get_log("browser") == []


def test_without_scripts_everything_is_there() -> None:
    text = page.render(report(12))
    body, scripts = re.subn(r"<script type=.module.>.*</script>", "", text, flags=re.DOTALL)
    assert scripts == 1
    for number in range(12):
        assert f"team-{number:04}" in body


def test_what_could_not_be_read_is_not_known_rather_than_none() -> None:
    whole = replace(report(0), undeclared=[], orphans=[])
    whole = replace(whole, estimate=replace(whole.estimate, shared=[]))
    assert "nothing is without a directory" in page.render(whole)
    for unread in ({"states_are_known": False}, {"idle_is_known": False}, {"undeclared": None}):
        text = page.render(replace(whole, **unread))
        assert "nothing is without a directory" not in text
        assert "Nothing known." in text


def test_without_notebooks_there_is_nothing_to_filter_or_save(open_page: OpenPage) -> None:
    browser = open_page(report(0))
    for part in ("filters", "csv"):
        assert not browser.find_element(By.ID, part).is_displayed()
    text = browser.find_element(By.TAG_NAME, "main").text
    assert text.count("no notebooks") == 1
    assert "make one: tools new-notebook NAME" in text
    assert browser.get_log("browser") == []


def test_what_needs_attention_comes_first_the_worst_on_top(open_page: OpenPage) -> None:
    browser = open_page(report(12))
    section = browser.find_element(By.CSS_SELECTOR, "[aria-labelledby=attention]")
    titles = [title.text for title in section.find_elements(By.CLASS_NAME, "concern")]
    assert titles == [
        "Failed",
        "Not as declared",
        "Instances that no directory declares",
        "States whose directory is gone",
        "Running without auto-stop",
        "Idle for 15 minutes or more",
        "On Amazon Linux 2",
        "Waiting for a deploy",
        "Prices not known",
    ]
    browser.execute_script(
        "for (const all of document.querySelectorAll('details')) all.open = true"
    )
    for told in (
        "team-0003 no capacity",
        "team-0001 instance_type is ml.t3.medium, declared ml.m5.xlarge",
        "left-over ml.t3.medium, InService, us-east-1; no tag of this project",
        "notebooks/gone 9 resources, in notebooks/gone/terraform.tfstate",
        "team-0004 29 minutes",
        "team-0006 terraform.tfvars has changed",
        "CloudWatch logs in us-east-1",
        "tools stop --idle",
    ):
        assert told in section.text
    headings = [found.text for found in browser.find_elements(By.TAG_NAME, "h2")]
    assert headings == ["Needs attention", "Cost", "Notebooks", "Notes"]


def test_what_was_not_asked_is_not_shown_as_none(open_page: OpenPage) -> None:
    browser = open_page(report(3, asked=False))
    glance = browser.find_element(By.CLASS_NAME, "glance").text.splitlines()
    assert glance[glance.index("Running now") + 1] == "not known"
    assert glance[glance.index("Needs attention") + 1].endswith("+")
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "AWS was not asked: --offline." in text
    assert "no directory declares" not in text
    assert text.count("not asked") >= 3


def test_the_trend_has_a_column_for_each_report(open_page: OpenPage) -> None:
    shown = report(6)
    browser = open_page(shown, trend(shown, (500, 1000, 2000)))
    columns = browser.find_elements(By.CSS_SELECTOR, ".trend .column")
    lengths = [column.size["width"] for column in columns]
    assert len(lengths) == 4
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=1)
    assert lengths[2] == max(lengths) == pytest.approx(4 * lengths[0], abs=2)
    glance = browser.find_element(By.CLASS_NAME, "glance").text
    assert "down about $" in glance
    assert "since 2026-11-16" in glance
    assert not open_page(shown).find_elements(By.CLASS_NAME, "trend")
