"""A report as one page of HTML that needs nothing else: no script, no request, no file beside it.

The page may be opened from anywhere, so its own policy (CSP 3, w3.org/TR/CSP3) forbids whatever it does not
have: even markup that came of foreign text could load and run nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

from pip_warden.errors import DeliveryError, EndedError
from pip_warden.explain import catalogue
from pip_warden.report.card import Codes, card, error_card
from pip_warden.report.markup import NOTHING, Content, Markup, element, facts, first_of, joined, value
from pip_warden.report.model import BAD, Line, Outcome, Report
from pip_warden.report.summary import MARKS, counted, is_pinned, is_verified, project_of
from pip_warden.report.unpinned import mistaken
from pip_warden.trust.suggest import pin_by_hash, pin_by_identity

_ORDER = sorted(Outcome, key=lambda outcome: outcome not in BAD)
"""What is wrong comes first."""

_ENDS = {
    1: "Refused",
    2: "Not begun: a setting or the trust file is wrong",
    3: "Undecided",
    4: "The installer failed",
}
"""What the exit codes of a failure mean (design decision D11)."""

_LARGEST = 10_000_000
"""Bytes of all cards: a page that a browser shows without delay, and that fits below any job's limits."""

_MOST_LINKS, _MOST_NAMES, _MOST_WARNINGS = 50, 500, 500


def render(report: Report) -> str:
    """Render a report as a whole page, ending with a newline.

    Args:
        report: The report.
    """
    cards = _cards(report, catalogue())
    style = files("pip_warden.report").joinpath("page.css").read_text(encoding="utf-8")
    body = (
        element("a", "Skip to the results", href="#results", class_="skip"),
        _header(report, cards),
        element("main", *_results(report, cards), id="results", tabindex="-1"),
    )
    page = element("html", _head(report, style), element("body", *body), lang="en")
    return f"<!doctype html>\n{page.html}\n"


def _head(report: Report, style: str) -> Markup:
    known = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"
    empty = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer">'
    )
    title = element("title", f"{_end(report)} - {report.command} - pip-warden")
    return element("head", Markup(empty), title, Markup(f"<style>{style}</style>"))


def _header(report: Report, cards: Mapping[str, Markup]) -> Markup:
    code = report.installer_code
    told = facts(
        [
            ("command", report.command),
            ("exit code", str(report.exit_code)),
            ("trust file", report.trust_file),
            ("installed into", report.target),
            ("installer's exit code", "" if code is None else str(code)),
            *((f"{name} comes from the mirror", url) for name, url in report.mirrors),
        ]
    )
    is_good = is_verified(report) or is_pinned(report)
    role = "good" if is_good else "bad" if report.exit_code == 1 else "unknown"
    return element(
        "header",
        element("p", f"pip-warden {version('pip-warden')}", class_="quiet"),
        element("h1", _end(report), class_=role),
        _tally(report),
        told,
        _links(report, cards),
    )


def _end(report: Report) -> str:
    if is_verified(report):
        return "Everything is accepted"
    if is_pinned(report):
        return "Everything that is needed is pinned"
    if report.exit_code == 0:
        return "Done, and not everything is verified" if report.lines else "Done, and nothing was judged"
    if isinstance(report.error, DeliveryError):
        return "Done, and something could not be written"
    if isinstance(report.error, EndedError):
        return "Ended before it was over"
    return _ENDS.get(report.exit_code, "Ended by an error of its own")


def _tally(report: Report) -> Markup:
    """Count how many files ended in which way."""
    outcomes = Counter(line.outcome for line in report.lines)
    noun = report.about.removesuffix("s")
    total = element("li", counted(len(report.lines), noun, report.about))
    rows = (
        element("li", f"{outcomes[outcome]} {outcome.value}", class_=MARKS[outcome][1])
        for outcome in _ORDER
        if outcomes[outcome]
    )
    return element("ul", total, *rows, class_="tally")


def _links(report: Report, cards: Mapping[str, Markup]) -> Markup:
    """Lead to what is wrong."""
    bad = [(name, line) for name, line in _named(report) if line.outcome in BAD and name in cards]
    shown, more = first_of(bad, _MOST_LINKS)
    links = (element("li", element("a", value(line.subject), href=f"#{name}")) for name, line in shown)
    return element("nav", element("ul", *links), more, aria_label="What is wrong") if bad else NOTHING


def _named(report: Report) -> Iterator[tuple[str, Line]]:
    for number, line in enumerate(report.lines, start=1):
        yield f"line-{number}", line


def _cards(report: Report, codes: Codes) -> Mapping[str, Markup]:
    """Make a card of each line for which there is room, by name; what is wrong comes first."""
    places, roots = dict(report.places), {root.name: root for root in report.roots}
    made, room = dict[str, Markup](), _LARGEST
    for name, line in sorted(_named(report), key=lambda named: _ORDER.index(named[1].outcome)):
        one = card(line, name, codes, places.get(project_of(line.subject)), roots)
        room -= len(one.html.encode())
        if room < 0:
            break
        made[name] = one
    return made


def _results(report: Report, cards: Mapping[str, Markup]) -> Iterator[Markup]:
    if report.error is not None:
        yield _section("What ended the run", [error_card(report.error, catalogue())])
    for outcome in _ORDER:
        names = [name for name, line in _named(report) if line.outcome is outcome]
        shown = [cards[name] for name in names if name in cards]
        if names:
            left = counted(len(names) - len(shown), "more is", "more are")
            rest = (
                [element("p", f"{left} left out: the page has no room.")] if len(shown) < len(names) else []
            )
            yield _section(f"{outcome.value.capitalize()}: {len(names)}", [*shown, *rest])
    if report.unpinned:
        yield _section("Not in the trust file", _unpinned(report))
    if report.warnings:
        warnings, more = first_of(report.warnings, _MOST_WARNINGS)
        yield _section("Warnings", [element("ul", *(element("li", text) for text in warnings)), more])
    if report.done:
        pieces, more = first_of(report.done, _MOST_NAMES)
        done = (element("li", f"{what}: ", value(name)) for what, name in pieces)
        yield _section("What became of each piece", [element("ul", *done), more])
    if not (report.lines or report.error):
        yield element("p", "No file was looked at.")


def _section(title: str, content: Iterable[Content]) -> Markup:
    return element("section", element("h2", title), *content)


def _unpinned(report: Report) -> Iterator[Markup]:
    """Yield the names that are not pinned, and the commands that pin those that cannot be mistyped."""
    names, more = first_of(report.unpinned, _MOST_NAMES)
    head = element("tr", *(element("th", title, scope="col") for title in ("package", "wanted by")))
    rows = (
        element("tr", element("td", value(name.project)), element("td", value(name.wanted_by)))
        for name in names
    )
    yield element("table", element("thead", head), element("tbody", *rows))
    yield more
    meant = mistaken(report)
    wanted = [name.project for name in names if name.project not in meant]
    if wanted:
        yield element("p", "Pin them; this shows who publishes each one, and asks:")
        yield joined(map(_command, pin_by_identity(wanted, report.sources, report.trust_file)))
        yield element("p", "For what is not signed:")
        release = f"{wanted[0] if len(wanted) == 1 else 'NAME'}==VERSION"
        yield joined(map(_command, pin_by_hash(release, report.sources, report.trust_file)))


def _command(text: str) -> Markup:
    return element("pre", element("code", text))
