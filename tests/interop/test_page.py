"""The HTML report, looked at in a browser: narrow and wide, in light and dark, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.browser import Browser, browser
from pip_warden.report import html
from report.test_html import EVIL_MARKUP, told
from telling import everything

pytestmark = pytest.mark.interop

LEAST_CONTRAST = 4.5
"""Of text and its ground (WCAG 2.2, success criterion 1.4.3)."""

OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true; })"

FAINT = """(() => {
  const light = value => {
    const [r, g, b] = value.match(/[\\d.]+/g).slice(0, 3).map(each => each / 255)
      .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const found = getComputedStyle(each).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(found)) return found;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), text = walker.currentNode.data.slice(0, 40);
    const [a, b] = [light(style.color), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen.push([contrast, parseFloat(style.fontSize), text]);
  }
  return seen;
})()"""
"""Contrast, size in pixels and beginning of every text that is shown."""

WIDE = """[...document.querySelectorAll('body *')]
  .filter(each => each.checkVisibility() && !each.matches('.skip'))
  .filter(each => getComputedStyle(each).display !== 'inline')
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1
    || each.scrollWidth > each.clientWidth + 1)
  .map(each => each.outerHTML.slice(0, 80))"""
"""What reaches beyond the window, or beyond its own box."""

FOCUSED = """(() => {
  const now = document.activeElement, box = now.getBoundingClientRect();
  return {name: now.tagName + ' ' + now.textContent.slice(0, 60), outline: getComputedStyle(now).outlineStyle,
    seen: box.width > 0 && box.left >= 0 && box.right <= innerWidth + 1};
})()"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def page(tmp_path: Path) -> Path:
    made = tmp_path / "report.html"
    made.write_text(html.render(everything()), encoding="utf-8")
    return made


def look(chromium: Browser, page: Path, width: int = 1400, scheme: str = "light") -> None:
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.open(page, width=width, scheme=scheme)


def check_quiet(chromium: Browser, page: Path) -> None:
    assert chromium.complaints == []
    assert chromium.requests == [page.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_can_be_read(chromium: Browser, page: Path, width: int, scheme: str) -> None:
    look(chromium, page, width, scheme)
    chromium.tell(OPEN)
    seen = chromium.tell(FAINT)

    assert len(seen) > 150
    assert [each for each in seen if each[0] < LEAST_CONTRAST or each[1] < 12] == []
    assert chromium.tell("document.scrollingElement.scrollWidth <= innerWidth")
    assert chromium.tell(WIDE) == []
    ground = chromium.tell("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 251, 250)", "dark": "rgb(15, 19, 24)"}[scheme]
    check_quiet(chromium, page)


@pytest.mark.parametrize("width", [400, 1400])
def test_expected_and_found_are_side_by_side_where_there_is_room(
    chromium: Browser, page: Path, width: int
) -> None:
    look(chromium, page, width)
    boxes = "[...document.querySelector('.compared').children].map(each => each.getBoundingClientRect())"
    left, right = chromium.tell(f"{boxes}.map(each => [each.left, each.top])")

    if width == 1400:
        assert left[0] < right[0]
        assert left[1] == right[1]
    else:
        assert left[0] == right[0]
        assert left[1] < right[1]


def test_the_keyboard_reaches_everything(chromium: Browser, page: Path) -> None:
    look(chromium, page)
    wanted = chromium.tell(
        "[...document.querySelectorAll('a, summary')].filter(each => each.checkVisibility())"
        ".map(each => each.tagName + ' ' + each.textContent.slice(0, 60))"
    )
    reached: list[dict[str, Any]] = []
    for _ in wanted:
        chromium.press("Tab", 9)
        reached.append(chromium.tell(FOCUSED))

    assert len(wanted) > 15
    assert [each["name"] for each in reached] == wanted
    assert [each for each in reached if each["outline"] == "none" or not each["seen"]] == []


def test_the_keyboard_opens_a_file_and_skips_to_the_results(chromium: Browser, page: Path) -> None:
    look(chromium, page)
    chromium.press("Tab", 9)
    assert "Skip" in chromium.tell(FOCUSED)["name"]
    chromium.press("Enter", 13, "\r")
    chromium.press("Tab", 9)

    assert chromium.tell("document.activeElement.parentElement.id") == "line-3"
    assert chromium.tell("document.getElementById('line-3').open")
    chromium.press("Enter", 13, "\r")
    assert not chromium.tell("document.getElementById('line-3').open")


@pytest.mark.parametrize("evil", EVIL_MARKUP)
def test_t68_what_strangers_write_does_nothing(chromium: Browser, tmp_path: Path, evil: str) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(told(evil)), encoding="utf-8")
    look(chromium, page, 400)
    chromium.tell(OPEN)

    assert chromium.tell("document.scripts.length + document.images.length") == 0
    assert chromium.tell("[...document.links].every(each => each.getAttribute('href')[0] === '#')")
    assert chromium.tell("document.scrollingElement.scrollWidth <= innerWidth")
    check_quiet(chromium, page)


def test_its_policy_stops_what_would_run_if_it_were_there(chromium: Browser, page: Path) -> None:
    evil = "<script>document.title = 'ran'</script><img src='https://evil.example/x'>"
    page.write_text(page.read_text("utf-8").replace("</body>", f"{evil}</body>"), encoding="utf-8")
    look(chromium, page)

    assert chromium.tell("document.title") != "ran"
    assert len(chromium.complaints) >= 2
    assert all("Content Security Policy" in each for each in chromium.complaints)
