"""The page of a report: what strangers write stays text, and the page needs nothing and asks for nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden.digests import Digest
from pip_warden.errors import DeliveryError, TrustFileError
from pip_warden.explain import catalogue
from pip_warden.oci.names import parse_repository
from pip_warden.report import html
from pip_warden.report.difference import compared
from pip_warden.report.markup import element, prose
from pip_warden.report.model import Line, Outcome, Place, Report, image_line, line_of
from pip_warden.report.summary import MARKS
from pip_warden.trust.model import RootPin
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, ProvedStatement
from report.reports import wordy
from report.test_report import EVIL, HIDDEN, report_of
from telling import FOUND, MEANT, OTHER_FILE, SIGNED, accepted, everything, refused

EVIL_MARKUP = [
    *EVIL,
    "</style><script>alert(1)</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus x='",
    "&lt;b&gt; <!-- ]]> <![CDATA[",
    "https://evil.example/ @root #1 [a](javascript:alert(1))",
    "`</code><base href=https://evil.example/>`",
]
"""T68, and what means something in HTML."""

_EMPTY = frozenset({"meta"})


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """Read the catalogue of codes once, not for every page: it takes longer than the rest of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "catalogue", cache(catalogue))
        yield


class Page(HTMLParser):
    """Reads a page strictly: every element is closed, in order, and an id is there once.

    Attributes:
        tags: Name and attributes of every element.
        marked: The text in each ``mark``.
        text: All text that is shown.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marked: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []
        ids = self.values("id")
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data
            if self._open[-1] == "mark":
                self.marked.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.tags if attribute in attributes]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def told(evil: str) -> Report:
    """Make a report in which every text is foreign."""
    report = report_of(evil)
    signed = replace(SIGNED, label=evil, root=evil)
    statement = ProvedStatement(signed=signed, predicate_type=ANNOTATIONS, annotations=((evil, evil),))
    line = line_of(replace(accepted(), basis=signed, statements=(statement,)), source=evil)
    return replace(
        report,
        lines=(*report.lines, line),
        trust_file=evil,
        places=((samples.PROJECT, Place(path=evil, line=1)),),
    )


_SHAPE = {(tag, *sorted(attributes)) for tag, attributes in Page(html.render(told("good"))).tags}


def check(evil: str) -> None:
    """Check that no element, attribute or value of one comes of a text."""
    raw = html.render(told(evil))
    page = Page(raw)

    assert {(tag, *sorted(attributes)) for tag, attributes in page.tags} <= _SHAPE | {("code",), ("mark",)}
    assert all(re.fullmatch(r"#(?:results|line-\d+)", link) for link in page.values("href"))
    assert not HIDDEN.search(raw.replace("\n", ""))
    raw.encode()
    assert not re.search(r"""[\s"'](?:src|style|on\w+)=[^&]""", re.sub(r">[^<]*<", "><", raw))


@pytest.mark.parametrize("evil", EVIL_MARKUP)
def test_t68_what_strangers_write_is_text_and_nothing_else(evil: str) -> None:
    check(evil)


@given(st.text() | st.text(alphabet="<>&\"'`/=!-[]\n\0a "))
def test_t68_no_text_becomes_markup(evil: str) -> None:
    check(evil)


_TEXTS = st.text() | st.text(alphabet="a/ ", min_size=140)


@given(_TEXTS, _TEXTS)
def test_what_is_compared_is_all_there_and_what_differs_is_marked(expected: str, found: str) -> None:
    page = Page(compared(expected, found).html)
    same = Page(compared(expected, expected).html)

    assert bool(page.marked) is (page.text != same.text)
    assert same.marked == []


def test_only_what_differs_is_marked() -> None:
    assert Page(compared(MEANT, FOUND).html).marked == ["widgets", "tags", "wigdets", "heads"]


@pytest.mark.parametrize(
    ("expected", "found", "marked"),
    [
        ("./" * 200, "./" * 150, ["./" * 50]),
        ("a " * 100 + "b c" + " d" * 99, "a " * 100 + "B C" + " d" * 99, ["b c", "B C"]),
        ("a " * 240, "b " * 240, ["a " * 239 + "a", "b " * 239 + "b"]),
        ("a " * 240, "a " * 240, []),
        (f"{'x' * 1500} a", f"{'x' * 1500} b", ["a", "b"]),
    ],
)
def test_of_very_many_words_all_between_the_first_and_the_last_difference_is_marked(
    expected: str, found: str, marked: list[str]
) -> None:
    page = Page(compared(expected, found).html)

    assert page.marked == marked
    assert page.text == f"Expected{expected}Found{found}"


def test_the_chain_leads_from_the_root_to_the_file() -> None:
    root = RootPin(
        name="default", path=Path("/acme/trusted_root.json"), sha256=Digest("ab" * 32), issuers=("x",)
    )
    other = replace(root, name="other", sha256=Digest("cd" * 32))
    report = replace(everything(), roots=(other, root))
    page = Page(html.render(replace(report, lines=report.lines[:1])))
    assert "cd" * 32 not in page.text
    links = (
        "Trusted root", "default", "ab" * 32, "/acme/trusted_root.json",
        "Certificate", samples.GITLAB, samples.SUBJECT, "2026-06-30 23:59:00 UTC to 2026-07-01 00:09:00 UTC",
        "184460711, logged 2026-07-01 00:00:04 UTC", "run invocation",
        "Identity, as pinned", samples.SUBJECT, "project id 4711",
        "File", samples.WHEEL, samples.DIGEST.hex, "48 kB", "acme",
        "verified provenance", "0" * 40, "2026-06-30T23:50:00Z",
        "verified annotations", "reviewed", "yes",
        "Evidence that is not used", "old.sigstore.json",
    )  # fmt: skip
    place = page.text.index("Accepted: 1")
    for link in links:
        place = page.text.index(link, place) + 1


def test_what_is_pinned_by_hash_says_that_nobody_is_proved() -> None:
    page = Page(html.render(replace(everything(), lines=everything().lines[1:2])))

    assert "No signature was proved" in page.text
    assert "2026-12-24, 24 days left" in page.text
    assert "Certificate" not in page.text


def test_a_refusal_is_open_and_says_what_to_do_and_what_the_code_means() -> None:
    page = Page(html.render(everything()))
    told_of = page.text[page.text.index("Refused: 2") : page.text.index("Undecided: 1")]

    assert [attributes["id"] for tag, attributes in page.tags if "open" in attributes] == [
        "line-3", "line-4", "line-5",
    ]  # fmt: skip
    assert page.values("href") == ["#results", "#line-3", "#line-4", "#line-5"]
    for said in (
        OTHER_FILE,
        "asked for inrequirements.txt, line 3",
        "step 9, identity",
        MEANT,
        FOUND,
        "pip-warden trust update",
        "What identity-mis",
    ):
        assert said in told_of
    assert told_of.count(FOUND) == 1, "evidence that has the same fault is only named"
    assert "identity: failed" in told_of
    assert "policy: not reached" in told_of
    assert "evidence: nothing to check" not in told_of


def test_every_outcome_is_shown_and_counted() -> None:
    report = everything()
    page = Page(html.render(report))

    for line in report.lines:
        assert f"1 {line.outcome.value}" in page.text or f"2 {line.outcome.value}" in page.text
    assert "9 files" in page.text
    assert {f"line-{number}" for number in range(1, 10)} <= set(page.values("id"))
    for name in ("not in the trust file", "trust add request", "the trusted root is 200 days old", "pytrust"):
        assert name.lower() in page.text.lower()


def test_each_outcome_has_its_section() -> None:
    lines = tuple(replace(everything().lines[-1], outcome=outcome) for outcome in Outcome)
    page = Page(html.render(Report(command="x", exit_code=1, lines=lines)))

    assert page.count("h2") == len(Outcome)
    assert page.text.index("Refused: 1") < page.text.index("Undecided: 1") < page.text.index("Accepted: 1")


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (0, "nothing was judged"),
        (1, "Refused"),
        (2, "wrong"),
        (3, "Undecided"),
        (4, "installer"),
        (70, "of its own"),
    ],
)
def test_a_fatal_error_is_a_page_too(exit_code: int, said: str) -> None:
    error = TrustFileError(
        "trust-file-invalid", "expected A, found B", faults=(("package[3]", "odd"),), hint="Look."
    )
    page = Page(html.render(Report(command="verify", exit_code=exit_code, error=error)))
    heading = page.text[: page.text.index("command")]

    assert said in heading
    for each in ("trust-file-invalid", "expected A, found B", "package[3]", "odd", "What to do: Look."):
        assert each in page.text


def test_nothing_is_not_shown_as_success() -> None:
    assert "No file was looked at." in Page(html.render(Report(command="verify", exit_code=1))).text


@pytest.mark.parametrize(
    ("numbers", "exit_code", "said"),
    [
        ((0, 1, 5), 0, "Everything is accepted"),
        ((0, 7), 0, "Done, and not everything is verified"),
        ((0, 6), 0, "Done, and not everything is verified"),
        ((), 0, "Done, and nothing was judged"),
        ((0,), 4, "The installer failed"),
    ],
)
def test_only_what_is_all_accepted_is_headed_so(numbers: tuple[int, ...], exit_code: int, said: str) -> None:
    lines = tuple(everything().lines[number] for number in numbers)
    raw = html.render(Report(command="safe-install", exit_code=exit_code, lines=lines))
    (heading,) = re.findall("<h1 class=.(\\w+).>(.*?)</h1>", raw)

    assert heading == ("good" if "accepted" in said else "unknown", said)


def test_what_is_accepted_without_a_pin_is_not_headed_as_verified() -> None:
    """As where a publisher's files are judged by their signatures alone: anybody may have signed them."""
    line = Line(subject="a-1.0-py3-none-any.whl", outcome=Outcome.ACCEPTED, note="no identity is pinned")
    raw = html.render(Report(command="publish", exit_code=0, lines=(line,)))
    assert '<h1 class="unknown">Done, and not everything is verified</h1>' in raw


def test_what_could_not_be_written_is_no_failure_of_the_installer() -> None:
    error = DeliveryError("not-told", "no")
    raw = html.render(Report(command="verify", exit_code=4, lines=everything().lines[:1], error=error))
    assert '<h1 class="unknown">Done, and something could not be written</h1>' in raw


def test_only_what_is_proved_is_headed_as_verified() -> None:
    forged = refused().bad_items
    verdict = replace(accepted(), statements=(), bad_items=(), unproved=forged, unheard="unreachable")
    text = Page(html.render(Report(command="verify", exit_code=0, lines=(line_of(verdict),)))).text

    assert "verified provenance" not in text
    assert text.index("Statements that are not verified") < text.index(FOUND)
    assert "Further evidence was not looked at [unreachable]." in text


def test_the_policy_of_the_page_allows_its_style_alone() -> None:
    raw = html.render(everything())
    (style,) = re.findall(r"<style>(.*?)</style>", raw, re.DOTALL)
    (policy,) = (value for value in Page(raw).values("content") if "default-src" in value)

    known = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style
    assert "@import" not in style
    assert not {tag for tag, _ in Page(raw).tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "form",
        "object",
        "base",
    }


def test_it_is_the_same_each_time() -> None:
    assert html.render(everything()) == html.render(everything())


def test_what_is_long_or_much_is_cut_and_counted() -> None:
    pairs = tuple((f"key-{number}", "x" * 10_000) for number in range(100))
    statement = ProvedStatement(signed=SIGNED, predicate_type=ANNOTATIONS, annotations=pairs)
    verdict = replace(accepted(), statements=(statement,) * 20)
    raw = html.render(Report(command="verify", exit_code=0, lines=(line_of(verdict),)))

    assert "and 36 more" in raw
    assert "and 4 more" in raw
    assert len(raw) < 3_000_000


def test_a_page_that_would_be_too_large_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert html._LARGEST < 20_000_000
    monkeypatch.setattr(html, "_LARGEST", 200_000)
    report = wordy(60)
    report = replace(report, lines=(*[line_of(accepted())] * 20, *report.lines), warnings=("w" * 2000,) * 600)
    raw = html.render(report)
    page = Page(raw)

    assert len(raw.encode()) < 200_000 + 1_200_000, "and the warnings"
    shown = page.count("details") and len([each for each in page.values("id") if each.startswith("line-")])
    assert 5 < shown < 60
    assert f"{60 - shown} more are left out: the page has no room." in page.text
    assert "20 more are left out" in page.text, "what is wrong comes first"
    assert "and 100 more" in page.text
    assert {link.removeprefix("#") for link in page.values("href")} <= {*page.values("id")}
    assert "80 files" in page.text


def test_no_sign_of_an_outcome_is_missing() -> None:
    assert MARKS.keys() == set(Outcome)


def test_an_image_is_told_of_as_such() -> None:
    image = JudgedImage(
        repository=parse_repository("registry.example.com/acme/app"), digest=samples.DIGEST, tag="v1"
    )
    line = image_line(image, AcceptedImage(image=image, basis=SIGNED))
    page = Page(html.render(Report(command="image verify", exit_code=0, lines=(line,), about="images")))

    assert "1 image" in page.text
    assert f"registry.example.com/acme/app:v1@sha256:{samples.DIGEST.hex}" in page.text
    assert "Identity, as pinned" in page.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b` c", "a <code>b</code> c"),
        ("a ` c", "a ` c"),
        ("`a` ` <", "<code>a</code> ` &lt;"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code(text: str, shown: str) -> None:
    assert prose(text).html == shown


def test_an_attribute_is_escaped() -> None:
    assert element("p", class_='a"b', aria_label="<").html == '<p class="a&quot;b" aria-label="&lt;"></p>'
