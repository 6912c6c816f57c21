"""Where no change of the trust file is called widened, the new file accepts a subset: asked of the verdict.

Random trust files, and the same files with something changed; random pages, files and evidence, most of them
such that one of the two accepts. Only the cryptography is replaced: what an item proves is drawn.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from packaging.version import Version

import samples
from builds import changed, ours, source
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden._sigstore.wire import WireBundle
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest, digest_of
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.index.candidate import IndexPage
from pip_warden.names import parse_artifact_name
from pip_warden.trust.comparing.change import Effect
from pip_warden.trust.comparing.changes import changes
from pip_warden.trust.model import (
    HashEntry,
    Identity,
    IdentityEntry,
    Requirements,
    Revocation,
    RootPin,
    Source,
    TrustFile,
)
from pip_warden.trust.rules import check_whole
from pip_warden.trust.subject import parse_ref, parse_subject
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.listing import Listing, list_page, page_entry
from pip_warden.verdict.model import Accepted, Refused
from pip_warden.verdict.statement import PAYLOAD_TYPE, PROVENANCE, PUBLISH

OTHER = "https://gitlab.example.org"
HOST = "https://gitlab.example.com/acme/"
ROOTS = digest_of(b"one root"), digest_of(b"another")
BYTES = tuple(digest_of(name) for name in (b"these bytes", b"those"))
DAYS = date(2026, 6, 30), date(2026, 7, 1), date(2026, 11, 30)
WHEELS = ("acme_widgets-1.0-py3-none-any.whl", "acme_widgets-2.0-py3-none-any.whl")
ANOTHER = "acme_widgets-1.0-py2-none-any.whl"  # of the first release
SUBJECTS = tuple(
    parse_subject(text)
    for text in (
        f"{HOST}widgets//.gitlab-ci.yml@refs/tags/v{{version}}",
        f"{HOST}widgets//.gitlab-ci.yml@refs/tags/v1.0",
        f"{HOST}widgets//.gitlab-ci.yml@refs/tags/*",
        f"{HOST}*//.gitlab-ci.yml@refs/tags/*",
        f"{HOST}widgets//other.yml@refs/tags/*",
        f"{HOST}widgets//.gitlab-ci.yml@refs/heads/main",
        "release@example.com",
    )
)


@dataclass(frozen=True)
class Knobs:
    """What a trust file is made of; each is turned by itself."""

    url: str
    second: str
    source: str
    registry: str
    registry_id: int | None
    roots: tuple[Digest, Digest]
    issuers: tuple[str, ...]
    identities: tuple[Identity, ...]
    require: Requirements
    exempt: tuple[tuple[tuple[str, Digest], ...], ...]
    expires: date | None
    revoked: tuple[Revocation, ...]


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    subject = draw(st.sampled_from(SUBJECTS))
    is_account = subject.project is None
    return Identity(
        issuer=draw(st.sampled_from((samples.GITLAB, samples.GITLAB, OTHER))),
        subject=subject,
        project_id=None if is_account else draw(st.sampled_from((None, "4711", "815"))),
        not_before=draw(st.sampled_from((None, None, date(2026, 3, 1)))),
        not_after=draw(st.sampled_from((None, None, date(2026, 9, 1), date(2026, 2, 1)))),
        root=draw(st.sampled_from(("default", "default", "a"))),
        is_account=is_account,
    )


def _subset(*items: Any) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(items), unique=True).map(frozenset)


REQUIRE: dict[str, st.SearchStrategy[Any]] = {
    "build_trigger": _subset("push", "schedule").map(lambda found: found or frozenset({"push"})),
    "runner_environment": st.sampled_from((None, None, "gitlab-hosted", "self-hosted")),
    "source_ref": st.sampled_from(
        (None, None, *map(parse_ref, ("refs/tags/v{version}", "refs/tags/*", "refs/tags/v1.0")))
    ),
    "source_repository": st.sampled_from((None, None, f"{HOST}widgets", f"{HOST}other")),
    "environment": st.sampled_from((None, "release")),
    "visibility": st.sampled_from((None, None, "public")),
    "predicate_types": _subset(ANNOTATIONS),
    "provenance": st.sampled_from((None, PROVENANCE)),
    "annotations": st.sampled_from(((), (("tag", "v{version}"),), (("tag", "x"),))),
    "confirmed_build": st.booleans(),
}
KNOBS: dict[str, st.SearchStrategy[Any]] = {
    "url": st.sampled_from((samples.GITLAB, samples.GITLAB, OTHER)),
    "second": st.sampled_from((samples.GITLAB, OTHER)),
    "source": st.sampled_from(("acme", "acme", "second")),
    "registry": st.sampled_from(("acme/widgets", "acme/widgets", "evil/widgets", "4711")),
    "registry_id": st.sampled_from((None, 4711, 815)),
    "roots": st.tuples(st.sampled_from(ROOTS), st.sampled_from(ROOTS)),
    "issuers": st.sampled_from(((samples.GITLAB, OTHER), (samples.GITLAB,))),
    "identities": st.lists(identities(), max_size=3, unique=True).map(tuple),
    "require": st.one_of(st.just(Requirements()), st.builds(Requirements, **REQUIRE)),
    "exempt": st.tuples(
        *(
            st.lists(st.tuples(st.just(name), st.sampled_from(BYTES)), max_size=1).map(tuple)
            for name in WHEELS
        )
    ),
    "expires": st.sampled_from((None, None, *DAYS)),
    "revoked": _subset(
        Revocation(reason="a", project=samples.PROJECT),
        Revocation(reason="a", project=samples.PROJECT, version=Version("1.0")),
        Revocation(reason="a", sha256=BYTES[0]),
    ).map(lambda found: tuple(sorted(found, key=str))),
}
KNOBS["revoked"] = st.one_of(st.just(()), KNOBS["revoked"])
KNOBS["exempt"] = st.one_of(st.just(()), KNOBS["exempt"])


@st.composite
def turned(draw: st.DrawFn, old: Knobs) -> Knobs:
    """Turn one knob: another value, or a part of what it was."""
    name = draw(st.sampled_from([field.name for field in fields(Knobs)] + ["identities", "require"] * 4))
    if name == "require":
        part = draw(st.sampled_from(sorted(REQUIRE)))
        return replace(old, require=replace(old.require, **{part: draw(REQUIRE[part])}))
    if name == "identities" and old.identities:
        return replace(old, identities=draw(_turned_identities(old.identities)))
    return replace(old, **{name: draw(KNOBS[name])})


def _turned_identities(old: tuple[Identity, ...]) -> st.SearchStrategy[tuple[Identity, ...]]:
    def altered(data: tuple[int, str, Identity]) -> tuple[Identity, ...]:
        at, name, other = data
        names = {"subject", "project_id", "is_account"} if name in {"subject", "is_account"} else {name}
        changed = replace(old[at], **{each: getattr(other, each) for each in names})
        return (*old[:at], changed, *old[at + 1 :])

    at = st.integers(0, len(old) - 1)
    names = st.sampled_from([field.name for field in fields(Identity)])
    return st.one_of(
        st.permutations(old).map(tuple),
        at.map(lambda n: old[:n] + old[n + 1 :]),
        st.tuples(at, identities()).map(lambda pair: (*old[: pair[0]], pair[1], *old[pair[0] :])),
        st.tuples(at, names, identities()).map(altered),
    ).map(lambda found: tuple(dict.fromkeys(found)))


def trust_of(knobs: Knobs) -> TrustFile:
    """Make the trust file."""
    place = {"source": knobs.source, "registry": knobs.registry, "registry_id": knobs.registry_id}
    entries: list[IdentityEntry | HashEntry] = [
        HashEntry(
            project=samples.PROJECT,
            version=parse_artifact_name(files[0][0]).version,
            files=files,
            reason="reviewed",
            expires=knobs.expires,
            **place,  # type: ignore[arg-type]
        )
        for files in knobs.exempt
        if files
    ]
    if knobs.identities:
        pin = IdentityEntry(
            project=samples.PROJECT,
            identities=knobs.identities,
            require=knobs.require,
            **place,  # type: ignore[arg-type]
        )
        entries.append(pin)
    return TrustFile(
        path=samples.trust().path,
        roots=tuple(
            RootPin(name=name, path=samples.trust().path, sha256=sha256, issuers=knobs.issuers)
            for name, sha256 in zip(("default", "a"), knobs.roots, strict=True)
        ),
        sources=(
            Source(name="acme", type="gitlab", url=knobs.url),
            Source(name="second", type="gitlab", url=knobs.second),
        ),
        entries=tuple(entries),
        revoked=knobs.revoked,
    )


PLAIN = Knobs(
    url=samples.GITLAB,
    second=OTHER,
    source="acme",
    registry="acme/widgets",
    registry_id=None,
    roots=ROOTS,
    issuers=(samples.GITLAB, OTHER),
    identities=(samples.identity(),),
    require=Requirements(),
    exempt=(),
    expires=None,
    revoked=(),
)


@dataclass(frozen=True)
class Offer:
    """A page with one file on it, the file, what its evidence proves under which root, and the day."""

    url: str
    page: str
    files_of: str
    wheel: str
    digest: Digest
    evidence: tuple[tuple[Digest, CertificateClaims, Envelope | None], ...]
    today: date = samples.TODAY


def _statement(wheel: str, digest: Digest, type_: str, predicate: object) -> Envelope:
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": wheel, "digest": {"sha256": digest.hex}}],
        "predicateType": type_,
        "predicate": predicate,
    }
    return Envelope(payload_type=PAYLOAD_TYPE, payload=json.dumps(document).encode())


@cache
def _envelopes(wheel: str, digest: Digest, repository: str) -> tuple[Envelope | None, ...]:
    version = parse_artifact_name(wheel).version
    built = changed(
        ours(source(uri=f"git+{repository}")), "buildDefinition.buildType", "https://example.com/build"
    )
    built = changed(built, "buildDefinition.externalParameters", {})
    built = changed(built, "runDetails.metadata.invocationId", f"{repository}/-/jobs/71")
    return (
        None,
        _statement(wheel, digest, PUBLISH, None),
        _statement(wheel, digest, PROVENANCE, built),
        _statement(wheel, digest, ANNOTATIONS, {"annotations": {"tag": f"v{version}"}}),
        _statement(wheel, digest, ANNOTATIONS, {"annotations": {"tag": "x"}}),
    )


@st.composite
def _proofs(
    draw: st.DrawFn, wheel: str, digest: Digest, knobs: Knobs
) -> tuple[Digest, CertificateClaims, Envelope | None]:
    """Draw what an item proves: as a rule, that one of the identities signed it."""
    signer = draw(st.sampled_from(knobs.identities or (samples.identity(),)))
    version = str(parse_artifact_name(wheel).version)
    tag = draw(st.sampled_from((f"v{version}", f"v{version}", "v1.0", "latest")))
    project = draw(st.sampled_from(("widgets", "widgets", "other")))
    head, at, ref = signer.subject.text.replace("acme/*", f"acme/{project}").partition("@")
    ref = ref.replace("v{version}", f"v{version}").replace("*", tag)
    repository = head.partition("//.")[0] if "//." in head else f"{HOST}widgets"
    values: dict[str, Any] = {
        "subject": head + at + ref,
        "issuer": signer.issuer,
        "source_repository": repository,
        "source_ref": ref or "refs/heads/main",
        "source_digest": "0" * 40,
        "run_invocation": f"{repository}/-/jobs/{draw(st.sampled_from((71, 71, 72)))}",
        "project_id": signer.project_id or draw(st.sampled_from(("4711", "815"))),
        "build_trigger": draw(st.sampled_from(("push", "push", "schedule"))),
        "environment": draw(st.sampled_from(("release", "release", "test"))),
        "visibility": draw(st.sampled_from(("public", "public", "private"))),
    }
    claims = replace(
        samples.claims(**values),
        not_before=datetime(2026, draw(st.sampled_from((1, 6, 6, 12))), 2, tzinfo=UTC),
    )
    own = knobs.roots[signer.root == "a"]
    return (
        draw(st.sampled_from((own, own, own, *ROOTS))),
        claims,
        draw(st.sampled_from(_envelopes(wheel, digest, repository))),
    )


@st.composite
def offers(draw: st.DrawFn, knobs: Knobs) -> Offer:
    """Draw what a registry offers; most of it is where, and what, one trust file wants."""
    wheel, digest = draw(st.sampled_from(WHEELS)), draw(st.sampled_from(BYTES))
    url = knobs.url if knobs.source == "acme" else knobs.second
    own = str(knobs.registry_id or 4711)
    return Offer(
        url=draw(st.sampled_from((url, url, url, samples.GITLAB, OTHER))),
        page=draw(
            st.sampled_from((*[knobs.registry.replace("/", "%2F")] * 4, "evil%2Fwidgets", "4711", "815"))
        ),
        files_of=draw(st.sampled_from((own, own, own, "4711", "815"))),
        wheel=wheel,
        digest=digest,
        evidence=tuple(draw(st.lists(_proofs(wheel, digest, knobs), max_size=3))),
        today=draw(st.sampled_from((samples.TODAY, *DAYS))),
    )


_candidate = cache(samples.candidate)


@cache
def _artifact(wheel: str, digest: Digest) -> Artifact:
    return samples.artifact(
        wheel, digest, contents=samples.contents(version=parse_artifact_name(wheel).version)
    )


def accepts(trust: TrustFile, offer: Offer) -> bool:
    """Ask the verdict: the page, then the file on it, then its evidence."""
    entry = page_entry(samples.PROJECT, trust)
    if isinstance(entry, Refused):
        return False
    api = f"{offer.url}/api/v4/projects/"
    page_url = f"{api}{offer.page}/packages/pypi/simple/{samples.PROJECT}"
    file_url = f"{api}{offer.files_of}/packages/pypi/files/{offer.digest}/{offer.wheel}"
    found = _candidate(offer.wheel, offer.digest, source=entry.source, page_url=page_url, url=file_url)
    page = IndexPage(project=samples.PROJECT, source=entry.source, url=page_url, candidates=(found,))
    listing = list_page(page, entry, trust)
    if not isinstance(listing, Listing) or found not in listing.allowed:
        return False
    verdict = judge(
        _artifact(offer.wheel, offer.digest),
        tuple(
            Item(label="a", form=EvidenceForm.BUNDLE, wire=samples.wire(str(number).encode()))
            for number in range(len(offer.evidence))
        ),
        trust=trust,
        roots={root.name: (root.sha256, offer) for root in trust.roots},  # type: ignore[misc]  # see _prove
        candidate=found,
        listing=listing,
        today=offer.today,
    )
    return isinstance(verdict, Accepted)


def _prove(wire: WireBundle, _digest: Digest, root: Any) -> VerificationResult | Fault:
    """Stand in for step 7: an item is proved under the root of the bytes that were drawn for it."""
    sha256, offer = root
    under, claims, envelope = offer.evidence[int(wire.signature)]
    if under != sha256:
        return Fault(code="bad-certificate-chain", expected="a CA of this root", found="another")
    return VerificationResult(claims=claims, envelope=envelope, log_index=1, log_time=claims.not_before)


@pytest.fixture(scope="module", autouse=True)
def _proved() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "verify_bundle", _prove)
        yield


knobs_of: Callable[[], st.SearchStrategy[Knobs]] = lambda: st.builds(Knobs, **KNOBS)  # noqa: E731


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_t51_what_is_not_called_widened_accepts_a_subset(data: st.DataObject) -> None:
    before = data.draw(knobs_of())
    after = data.draw(turned(before))
    if after == before or data.draw(st.booleans()):
        after = data.draw(turned(after))
    old, new = trust_of(before), trust_of(after)
    found = changes(old, new)
    if any(change.effect is Effect.WIDENED for change in found):
        event("widened")
        return
    event("not widened" if found else "the same")
    for offer in data.draw(st.lists(st.one_of(offers(after), offers(before)), min_size=4, max_size=12)):
        if accepts(new, offer):
            event("accepted by the new")
            assert accepts(old, offer), [change.words for change in found]


SIGNERS = tuple(
    replace(samples.identity(project_id=None), **changed)
    for changed in (
        {},
        {"project_id": "4711"},
        {"not_after": date(2026, 3, 1)},
        {"subject": SUBJECTS[2]},
        {"root": "a"},
        {"issuer": OTHER},
    )
)
PINS = [pin for size in (1, 2) for pin in itertools.permutations(SIGNERS, size)]


def _two_items() -> Iterator[Offer]:
    """Offer a release whose publication and annotations are signed by every two certificates."""
    wheel, digest = WHEELS[0], BYTES[0]
    _, published, _, annotated, _ = _envelopes(wheel, digest, f"{HOST}widgets")
    certificates = [
        (root, replace(samples.claims(project_id=number, source_digest="0" * 40), not_before=day))
        for root in ROOTS
        for number in ("4711", "815")
        for day in (datetime(2026, month, 2, tzinfo=UTC) for month in (1, 6))
    ]
    latest = samples.SUBJECT.replace("v1.0", "latest")
    certificates += [(ROOTS[0], samples.claims(subject=latest)), (ROOTS[0], samples.claims(issuer=OTHER))]
    for one, other in itertools.product(certificates, repeat=2):
        yield Offer(
            url=samples.GITLAB,
            page="acme%2Fwidgets",
            files_of="4711",
            wheel=wheel,
            digest=digest,
            evidence=((*one, published), (*other, annotated)),
        )


@pytest.mark.parametrize("annotations", [(), (("tag", "v{version}"),)], ids=["alone", "with a statement"])
def test_t51_all_pins_of_two_signers(annotations: tuple[tuple[str, str], ...]) -> None:
    """Exhaustive, since it is rare: which signer comes first decides whose annotations count."""
    require = Requirements(annotations=annotations)
    offered = tuple(_two_items())
    pins = {pin: samples.trust(samples.entry(*pin, require=require)) for pin in PINS}
    roots = trust_of(PLAIN).roots
    files = {pin: replace(trust, roots=roots) for pin, trust in pins.items()}
    accepted = {pin: {at for at, offer in enumerate(offered) if accepts(files[pin], offer)} for pin in PINS}
    narrowed = 0
    for before, after in itertools.permutations(PINS, 2):
        found = changes(files[before], files[after])
        if all(change.effect is not Effect.WIDENED for change in found):
            narrowed += 1
            assert accepted[after] <= accepted[before], (before, after)

    assert narrowed > len(PINS)
    assert len({frozenset(some) for some in accepted.values()}) > len(SIGNERS)


VALUES: dict[str, tuple[Any, ...]] = {
    "url": (samples.GITLAB, OTHER),
    "registry": ("acme/widgets", "evil/widgets", "4711"),
    "registry_id": (None, 4711, 815),
    "roots": tuple(itertools.product(ROOTS, ROOTS)),
    "issuers": ((samples.GITLAB, OTHER), (samples.GITLAB,), (OTHER,)),
    "identities": ((), *PINS),
    "require": (
        Requirements(),
        Requirements(build_trigger=frozenset({"schedule"})),
        Requirements(build_trigger=frozenset({"push", "schedule"})),
        Requirements(environment="release"),
        Requirements(visibility="public"),
        Requirements(source_repository=f"{HOST}other"),
    ),
    "exempt": (
        (),
        *((((WHEELS[0], digest),),) for digest in BYTES),
        *((((WHEELS[0], BYTES[0]), (ANOTHER, digest)),) for digest in BYTES),
        (((ANOTHER, BYTES[0]),),),
    ),
    "expires": (None, *DAYS),
    "revoked": (
        (),
        (Revocation(reason="a", project=samples.PROJECT),),
        (Revocation(reason="a", sha256=BYTES[0]),),
    ),
}


def _all_that_differ_once() -> Iterator[Offer]:
    """Offer what the plain trust file accepts, and each such thing with one or two parts that are others."""
    places: dict[str, tuple[Any, ...]] = {
        "url": (OTHER,),
        "page": ("evil%2Fwidgets", "4711"),
        "files_of": ("815",),
    }
    files: dict[str, tuple[Any, ...]] = {"digest": (BYTES[1],), "wheel": (ANOTHER,), "today": DAYS}
    claims: dict[str, tuple[Any, ...]] = {
        "issuer": (OTHER,),
        "project_id": ("815",),
        "build_trigger": ("schedule",),
        "environment": ("test",),
        "visibility": ("private",),
        "subject": (samples.SUBJECT.replace("v1.0", "latest"),),
    }
    plain = Offer(
        url=samples.GITLAB,
        page="acme%2Fwidgets",
        files_of="4711",
        wheel=WHEELS[0],
        digest=BYTES[0],
        evidence=(),
    )
    good: dict[str, Any] = {
        "project_id": "4711",
        "environment": "release",
        "visibility": "public",
        "source_digest": "0" * 40,
    }
    proved = [
        (root, replace(samples.claims(**good | other), not_before=datetime(2026, month, 2, tzinfo=UTC)), None)
        for root in ROOTS
        for month in (1, 6)
        for other in ({}, *({name: value} for name, values in claims.items() for value in values))
    ]
    kinds = [plain, *(replace(plain, evidence=(proof,)) for proof in proved)]
    for kind in kinds:
        yield kind
        for name, values in (places | files).items():
            yield from (replace(kind, **{name: value}) for value in values)


def _is_valid(trust: TrustFile) -> bool:
    """Return whether the rules between tables let the file be used; no verdict reads what a root lists."""
    faults = check_whole(
        [(entry.project, entry) for entry in trust.entries],
        {source.name: source for source in trust.sources},
        {root.name: root for root in trust.roots},
    )
    return not any(faults)


@pytest.mark.parametrize("exempt", [(), (((WHEELS[0], BYTES[0]),),)], ids=["signed", "exempt"])
@pytest.mark.parametrize("knob", sorted(VALUES))
def test_t51_each_knob_turned_by_itself(knob: str, exempt: Any) -> None:
    """Exhaustive: of random files few differ so that one effect decides, and by an offer that shows it.

    A file that breaks a rule accepts nothing: so it is told apart what a root may vouch for.
    """
    offered = tuple(_all_that_differ_once())
    base = replace(PLAIN, identities=(SIGNERS[0], SIGNERS[-1]), exempt=exempt)
    files = [trust_of(replace(base, **{knob: value})) for value in VALUES[knob]]
    accepted = [
        {at for at, offer in enumerate(offered) if accepts(trust, offer)} if _is_valid(trust) else set()
        for trust in files
    ]
    for one, other in itertools.permutations(range(len(files)), 2):
        found = changes(files[one], files[other])
        if all(change.effect is not Effect.WIDENED for change in found):
            assert accepted[other] <= accepted[one], [change.words for change in found]
    if (knob == "expires") is bool(exempt):  # each knob does something, of which there is something to see
        assert len({frozenset(some) for some in accepted}) > 1
