"""Which client refuses which forgery: all of them on evidence made from the real stack's genuine evidence."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from interop import clients, forge, stricter
from interop.cases import Case, Item, Release, case
from interop.clients import Bench, Evidence, Result
from interop.forge import JSON
from interop.stack.places import TRUST
from pins import trust_text
from pip_warden.sandbox import Job, Sandbox

PAGE = Path(__file__).parent.parent.parent / "docs" / "interop.md"
ROOT = TRUST / "trusted_root.json"
pytestmark = pytest.mark.interop

OURS = "pip-warden"


_PRODUCERS = {
    "v1, stamped": (clients.cosign_sign, "v1"),
    "v2": (clients.cosign_sign, "v2"),
    "DSSE v1": (clients.warden_attest, "v1"),
    "DSSE v2": (clients.warden_attest, "v2"),
}


_TRIES = 40


@pytest.fixture
def releases(gitlab: Sandbox, tmp_path: Path) -> tuple[Release, Release]:
    """Sign two releases in the same job, so that only the evidence itself tells them apart."""
    job = gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
    benches = [_bench(gitlab, job, version, tmp_path) for version in ("1.0", "2.0")]
    made = {form: _signed_together(benches, form) for form in _PRODUCERS}
    first, second = (
        _release(bench, {form: bundles[at] for form, bundles in made.items()})
        for at, bench in enumerate(benches)
    )
    return first, second


@pytest.fixture
def release(gitlab: Sandbox, tmp_path: Path) -> Release:
    """Sign one release, as a bundle with an entry of Rekor v1."""
    job = gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
    bench = _bench(gitlab, job, "1.0", tmp_path)
    return _release(bench, {"v1, stamped": _signed(bench, form="v1, stamped")})


def _signed_together(benches: list[Bench], form: str) -> list[JSON]:
    """Sign until each certificate was valid when the other was used, so that a mix has no other fault.

    A certificate begins in the second in which it is issued, and mostly both are signed in that same second.
    """
    with ThreadPoolExecutor(len(benches)) as pool:
        for attempt in range(_TRIES):
            made = list(pool.map(partial(_signed, form=form, attempt=attempt), benches))
            if max(map(forge.begins, made)) <= min(map(forge.signed_at, made)):
                return made
    raise AssertionError(f"never both in one second in {_TRIES} tries: {form}")


def _signed(bench: Bench, *, form: str, attempt: int = 0) -> JSON:
    produce, log = _PRODUCERS[form]
    own = replace(bench, directory=bench.directory / f"{form} {attempt}")
    own.directory.mkdir()
    (own.directory / own.file).write_bytes(bench.artifact.read_bytes())
    path = produce(own, log).bundle
    assert path is not None
    bundle: JSON = json.loads(path.read_bytes())
    return bundle


def _bench(gitlab: Sandbox, job: Job, version: str, directory: Path) -> Bench:
    own = directory / version
    own.mkdir()
    return Bench.of(gitlab, own, version=version, job=job)


def _release(bench: Bench, made: dict[str, JSON]) -> Release:
    made["v1"] = forge.with_stamps(made["v1, stamped"])
    if "DSSE v1" in made:
        made["DSSE v1"] = forge.with_stamps(made["DSSE v1"])
    detached = clients.cosign_pair(bench, "v1")
    assert detached.signature is not None
    assert detached.certificate is not None
    pair = detached.signature.read_bytes(), detached.certificate.read_bytes()
    return Release(bench=bench, made=made, pair=pair)


def _cases(a: Release, b: Release, others: Path) -> Iterator[Case]:
    yield from _identities(a)
    yield from _mixes(a, b)
    yield from _times(a, b)
    yield from _several(a, b)
    yield from _certificates(a)
    yield from _roots(a, others)
    yield from stricter.cases(a)


def _identities(a: Release) -> Iterator[Case]:
    who, issuer = a.bench.subject, a.bench.issuer
    items = {"v1": Item(made=a.made["v1"]), "pair": Item(made=a.pair)}
    for number, words, subject, forms in (
        ("T28", "another subject is demanded", who.replace("v1.0", "v1.1"), ("v1", "pair")),
        ("T12", "a beginning of the subject is demanded", who[:-1], ("v1",)),
        ("T12", "a subject is demanded that fits as a pattern", who.replace("lab-ci", "lab.ci"), ("v1",)),
    ):
        for form in forms:
            forged = replace(items[form], subject=subject)
            yield Case(
                number=number,
                words=words,
                form=form,
                genuine=items[form],
                forged=forged,
                code="identity-mismatch",
            )
    for words, demanded, forms in (
        ("another issuer is demanded", "https://gitlab.com", ("v1", "pair")),
        ("the issuer with a slash is demanded", f"{issuer}/", ("v1",)),
    ):
        for form in forms:
            forged = replace(items[form], issuer=demanded)
            yield Case(
                number="T28",
                words=words,
                form=form,
                genuine=items[form],
                forged=forged,
                code="issuer-mismatch",
            )


_SIGNATURE, _OTHER = "bad-signature", "other-log-entry"
_ALONE = (
    ("signature", ("signature",), _SIGNATURE),
    ("certificate", ("certificate",), _SIGNATURE),
    ("log entry", ("entry",), _OTHER),
)
_TOGETHER = (
    ("signature and certificate", ("signature", "certificate"), _SIGNATURE),
    ("signature and log entry", ("signature", "entry"), _SIGNATURE),
    ("certificate and log entry", ("certificate", "entry"), _SIGNATURE),
)
_ALL = ("signature", "payload", "certificate", "entry")
_MIXES = {
    "v1": (*_ALONE, *_TOGETHER, ("everything", _ALL, _SIGNATURE)),
    "v2": (*_ALONE, ("everything", _ALL, _SIGNATURE)),
    "0.1": _ALONE[2:],
    "0.2": _ALONE[2:],
    "DSSE v1": (*_ALONE, ("statement", ("payload",), _SIGNATURE), ("everything", _ALL, "subject-mismatch")),
    "DSSE v2": (
        _ALONE[2],
        ("statement", ("payload",), _SIGNATURE),
        ("everything", _ALL, "subject-mismatch"),
    ),
}


def _mixes(a: Release, b: Release) -> Iterator[Case]:
    for form, mixes in _MIXES.items():
        one, other = (release.made[_source(form)] for release in (a, b))
        genuine = Item(made=_in_form(one, form))
        for what, parts, code in mixes:
            made = _in_form(forge.mixed(one, other, *parts), form)
            yield case("T01", f"{what} of another release", form, genuine, made, code)
    genuine = Item(made=a.pair)
    for what, pair in (
        ("signature", (b.pair[0], a.pair[1])),
        ("certificate", (a.pair[0], b.pair[1])),
        ("everything", b.pair),
    ):
        yield case("T01", f"{what} of another release", "pair", genuine, pair, "no-log-entry")


def _source(form: str) -> str:
    return "v1" if form.startswith("0.") else form


def _in_form(bundle: JSON, form: str) -> JSON:
    return forge.as_version(bundle, form) if form.startswith("0.") else bundle


def _times(a: Release, b: Release) -> Iterator[Case]:
    changed, bare = "time of the log entry changed", "time of the log entry changed, its promise taken away"
    late = forge.at_another_time(a.made["v1"])
    for words, form, made, code in (
        (changed, "v1", late, "bad-signing-time"),
        (changed, "0.1", late, "bad-signing-time"),
        (bare, "v1", forge.unpromised(late), "no-signing-time"),
        (bare, "0.2", forge.unpromised(late), "no-signing-time"),
    ):
        genuine = Item(made=_in_form(a.made["v1"], form))
        yield case("T08", words, form, genuine, _in_form(made, form), code)
    genuine = Item(made=a.made["v2"])
    claimed = forge.at_another_time(forge.with_stamps(a.made["v2"]))
    words = "time stamp taken away, a time claimed for the log entry"
    yield case("T08", words, "v2", genuine, claimed, "no-signing-time")
    words = "a time claimed for the log entry beside a good time stamp"
    yield case("T08", words, "v2", genuine, forge.at_another_time(a.made["v2"]), "bad-signing-time")
    for words, stamp, code in _bad_stamps(a, b):
        made = forge.with_stamps(a.made["v2"], stamp)
        yield case("T10", words, "v2", genuine, made, code)


def _bad_stamps(a: Release, b: Release) -> list[tuple[str, bytes, str]]:
    mine, other = (forge.signature(release.made["v2"]) for release in (a, b))
    return [
        ("time stamp of an unknown authority", forge.stranger_stamp(mine), "bad-signing-time"),
        (
            "time stamp by another key in the authority's name",
            forge.stranger_stamp(mine, named=True),
            "bad-signing-time",
        ),
        ("time stamp over another signature", forge.stamp(other), "bad-signing-time"),
        ("time stamp whose time was changed", forge.a_second_later(forge.stamp(mine)), "bad-signing-time"),
    ]


def _several(a: Release, b: Release) -> Iterator[Case]:
    one = a.made["v2"]
    signed = forge.signature(one)
    good, bad = forge.stamp(signed), forge.stranger_stamp(signed)
    genuine = Item(made=forge.with_stamps(one, good, forge.stamp(signed)))
    for words, order in (
        ("second of two time stamps of an unknown authority", (good, bad)),
        ("first of two time stamps of an unknown authority", (bad, good)),
    ):
        yield case("T13", words, "v2", genuine, forge.with_stamps(one, *order), "bad-signing-time")
    v1 = a.made["v1"]
    genuine = Item(made=a.made["v1, stamped"])
    words = "time stamp of an unknown authority beside a good time of the log"
    made = forge.with_stamps(v1, forge.stranger_stamp(forge.signature(v1)))
    yield case("T13", words, "v1", genuine, made, "bad-signing-time")
    words = "time of the log entry changed beside a good time stamp"
    made = forge.at_another_time(a.made["v1, stamped"])
    yield case("T08", words, "v1", genuine, made, "bad-signing-time")
    for form in ("v1", "v2"):
        one, genuine = a.made[form], Item(made=a.made[form])
        made = forge.with_entries(one, forge.entry(one), forge.entry(b.made[form]))
        yield case("T13", "second log entry, of another release", form, genuine, made, "bad-bundle")
    genuine = Item(made=a.made["v2"])
    yield case("T01", "no log entry", "v2", genuine, forge.with_entries(a.made["v2"]), "bad-bundle")


def _certificates(a: Release) -> Iterator[Case]:
    data = a.bench.artifact.read_bytes()
    like = forge.certificate(a.made["v1"])
    honest = forge.certified(like)
    made = {log: honest.bundle(data, log) for log in _LOGS}
    items: dict[str, Item] = {form: Item(made=bundle) for form, bundle in made.items()}
    items["pair"] = Item(made=forge.pair(made["v1"]))
    for number, words, hand, code, forms in (
        (
            "T09",
            "certificate that had expired when it was used",
            forge.certified(like, is_over=True),
            "expired-certificate",
            ("v1", "v2", "pair"),
        ),
        ("–", "certificate without an SCT", forge.certified(like, sct="none"), "bad-sct", ("v1", "pair")),
        ("–", "SCT of another CT log", forge.certified(like, sct="stranger"), "bad-sct", ("v1",)),
        (
            "–",
            "SCT by another key in the CT log's name",
            forge.certified(like, sct="named"),
            "bad-sct",
            ("v1",),
        ),
        ("–", "SCT of another certificate", forge.certified(like, sct="other"), "bad-sct", ("v1",)),
        (
            "T15",
            "certificate by another CA of the same name",
            forge.certified(like, stranger=True),
            "bad-certificate-chain",
            ("v1", "pair"),
        ),
    ):
        for form in forms:
            bundle = hand.bundle(data, "v2" if form == "v2" else "v1")
            forged = forge.pair(bundle) if form == "pair" else bundle
            yield case(number, words, form, items[form], forged, code)
    words = "log entry of another signature over the same file"
    for log in _LOGS:
        again = forge.mixed(made[log], honest.bundle(data, log), "entry")
        yield case("T01", words, log, items[log], again, _OTHER)
    unlogged = forge.pair(honest.unlogged(data))
    yield case("T01", "no log entry", "pair", items["pair"], unlogged, "no-log-entry")


_LOGS: tuple[forge.Log, ...] = ("v1", "v2")
_PARTS = {
    "tlogs": ("log's key", "bad-log-entry"),
    "ctlogs": ("CT log's key", "bad-sct"),
    "certificateAuthorities": ("CA", "bad-certificate-chain"),
    "timestampAuthorities": ("time-stamp authority", "bad-signing-time"),
}


def _roots(a: Release, others: Path) -> Iterator[Case]:
    root = json.loads(ROOT.read_bytes())
    items = {form: Item(made=a.made[form]) for form in ("v1", "v2")} | {"pair": Item(made=a.pair)}
    for form, part in (
        ("v1", "tlogs"),
        ("v2", "tlogs"),
        ("pair", "tlogs"),
        ("v1", "ctlogs"),
        ("v1", "certificateAuthorities"),
        ("v2", "timestampAuthorities"),
    ):
        name, unknown = _PARTS[part]
        late = "bad-signing-time" if part == "timestampAuthorities" else "outside-validity-window"
        made = [("T11", f"{name} past its `validFor`", forge.retired(root, part), late)]
        if form != "pair":
            edited = forge.rekeyed(root, others, part)
            made.append(("T15", f"trusted root with another {name}", edited, unknown))
        if form == "v2":
            made.append(("T11", f"{name} before its `validFor`", forge.premature(root, part), late))
        for number, words, edited, code in made:
            forged = replace(items[form], root=edited)
            yield Case(number=number, words=words, form=form, genuine=items[form], forged=forged, code=code)
    for form, item in items.items():
        forged = replace(item, root=forge.rekeyed(root, others, *_PARTS))
        yield Case(
            number="T15",
            words="trusted root of another Sigstore",
            form=form,
            genuine=item,
            forged=forged,
            code="bad-certificate-chain",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """Everybody's verdict on a forgery, and on its original."""

    case: Case
    genuine: dict[str, Result]
    forged: dict[str, Result]

    def row(self) -> list[str]:
        """Return the page's row without the form."""
        cells = (
            "–" if result is None or not _accepts(self.genuine[name]) else _word(result)
            for name, result in self.forged.items()
        )
        return [self.case.number, self.case.words, *cells, f"`{self.case.code}`"]


_HEAD = ["attack", "what was done", "to", *clients.PEERS, OURS]


def test_the_forgeries_are_refused_as_the_page_says(
    releases: tuple[Release, Release], tmp_path: Path
) -> None:
    verdicts = _judge(list(_cases(*releases, tmp_path / "others")), releases[0].bench, tmp_path)
    for verdict in verdicts:
        ours, case = verdict.forged[OURS], verdict.case
        assert _accepts(verdict.genuine[OURS]), (case.words, case.form, verdict.genuine[OURS])
        assert ours is not None
        assert ours.returncode == 1, (case.words, case.form, ours)
        codes = re.findall(r"refused\[([a-z-]+)\]", ours.stdout + ours.stderr)
        assert codes == [case.code], (case.words, case.form, ours)
    _compare(_written()[0], [*_HEAD, "our code"], _table(verdicts))


def test_t16_what_is_new_in_a_trusted_root_breaks_nothing_else(release: Release, tmp_path: Path) -> None:
    genuine = Item(made=release.made["v1"])
    cases = [
        Case(
            number="T16",
            words=words,
            form="v1",
            genuine=genuine,
            forged=replace(genuine, root=edited),
            code="",
        )
        for words, edited in forge.with_news(json.loads(ROOT.read_bytes())).items()
    ]

    verdicts = _judge(cases, release.bench, tmp_path)

    ours = {verdict.case.words: verdict.forged[OURS] for verdict in verdicts}
    assert all(_accepts(result) for words, result in ours.items() if words != forge.NEW_PART), ours
    whole = ours[forge.NEW_PART]
    assert whole is not None
    assert whole.returncode == 3
    assert "undecided[bad-trusted-root]" in whole.stdout + whole.stderr
    _compare(_written()[1], _HEAD, [row[:-1] for row in _table(verdicts)])


def _compare(written: str, head: list[str], measured: list[list[str]]) -> None:
    """The page's table is the measured one, and each note gives a reason why peers accept what we do not."""
    rows = [
        [cell.strip() for cell in line[1:-1].split(" | ")]
        for line in written.splitlines()
        if line.startswith("|")
    ]
    notes = set(re.findall(r"^(\d+)\. ", written, re.MULTILINE))
    named = {number for row in rows for cell in row for number in re.findall(r" \((\d+)\)$", cell)}
    bare = [row for row in rows if "accepts" in row[3:-2]] if "our code" in head else []
    plain = [[re.sub(r" \(\d+\)$", "", cell) for cell in row] for row in rows[2:]]
    shown = "\n".join(f"| {' | '.join(row)} |" for row in measured)

    assert rows, shown
    assert rows[0] == head
    assert plain == measured, shown
    assert (named, bare) == (notes, []), "each acceptance needs its explanation"


def _written() -> list[str]:
    """Return the page's two tables, each with the notes below it."""
    page = PAGE.read_text(encoding="utf-8")
    between = page.partition("<!-- forged:begin -->")[2].partition("<!-- forged:end -->")[0]
    first, _, second = between.partition("### ")
    return [first, second]


def _table(verdicts: list[Verdict]) -> list[list[str]]:
    """Return the rows; a forgery of several forms has one, unless a client's verdicts on them differ."""
    rows: list[tuple[list[str], list[str]]] = []
    for verdict in verdicts:
        form, said = verdict.case.form, verdict.row()
        for forms, known in rows:
            if said[:2] == known[:2] and said[-1] == known[-1] and _agree(said[2:-1], known[2:-1]):
                forms.append(form)
                known[:] = [new if old == "–" else old for old, new in zip(known, said, strict=True)]
                break
        else:
            rows.append(([form], said))
    return [[number, words, ", ".join(forms), *rest] for forms, (number, words, *rest) in rows]


def _agree(some: list[str], others: list[str]) -> bool:
    return all(one == other or "–" in {one, other} for one, other in zip(some, others, strict=True))


def _judge(cases: list[Case], bench: Bench, directory: Path) -> list[Verdict]:
    items = list({id(item): item for case in cases for item in (case.genuine, case.forged)}.values())

    def asked(at: int) -> dict[str, Result]:
        return _ask(*items[at].lay(bench, directory / str(at)))

    with ThreadPoolExecutor(3) as pool:
        results = dict(zip(map(id, items), pool.map(asked, range(len(items))), strict=True))
    return [
        Verdict(case=case, genuine=results[id(case.genuine)], forged=results[id(case.forged)])
        for case in cases
    ]


def _accepts(result: Result) -> bool:
    return result is not None and result.returncode == 0


def _word(result: Result) -> str:
    return "accepts" if _accepts(result) else "refuses"


def _ask(bench: Bench, evidence: Evidence) -> dict[str, Result]:
    """Run every client that can: old cosign knows no bundles, and neither takes a pair's keys from a root."""
    found: dict[str, Result] = {}
    for name, peer in clients.PEERS.items():
        cosign = name.startswith("cosign")
        unable = (evidence.bundle and peer is clients.by_old_cosign) or (
            evidence.signature and cosign and bench.root != ROOT
        )
        found[name] = None if unable else peer(bench, evidence)
    return found | {OURS: clients.by_warden(bench, evidence)}


def test_t15_a_root_that_is_not_the_pinned_one_verifies_nothing(release: Release, tmp_path: Path) -> None:
    bench = release.bench
    bundle = bench.path(f"{bench.file}.sigstore.json")
    bundle.write_text(json.dumps(release.made["v1"]), encoding="utf-8")
    root = bench.path("trusted_root.json")
    root.write_bytes(ROOT.read_bytes())
    pinned = hashlib.sha256(root.read_bytes()).hexdigest()
    bench.path("pytrust.toml").write_text(_trust(bench, pinned), encoding="utf-8")
    verify = (clients.VENV / "pip-warden", "verify", f"--cache-dir={bench.path('cache')}", bench.file)
    genuine = bench.run(*verify)
    other = forge.rekeyed(json.loads(root.read_bytes()), tmp_path / "others", "timestampAuthorities")
    root.write_text(json.dumps(other), encoding="utf-8")

    swapped = bench.run(*verify)

    assert genuine.returncode == 0, genuine
    assert swapped.returncode == 3, swapped
    assert re.findall(r"\[([a-z-]+)\]", swapped.stderr) == ["trusted-root-digest"], swapped


def _trust(bench: Bench, pinned: str) -> str:
    return trust_text(
        root_sha256=pinned,
        issuer=bench.issuer,
        url=bench.issuer,
        registry="acme/widgets",
        subject=bench.subject,
        source="gitlab",
    )
