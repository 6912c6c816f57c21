"""Evidence of a simple index's files: from the source's template, from its page, and behind a mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import samples
from archives import wheel
from loopback import Answer, FakeTime, Server, serve
from pip_warden.errors import UndecidedError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.index.candidate import Candidate
from pip_warden.names import parse_artifact_name
from pip_warden.supply import RegistrySupply
from pip_warden.supply.ahead import Background
from pip_warden.supply.provenance import provenance_url
from pip_warden.transport import Transport, credentials_from_environment
from pip_warden.transport.speculation import Allowance
from pip_warden.trust.file import parse
from pip_warden.trust.model import IdentityEntry, Source, TrustFile
from pip_warden.trust.roots import PinnedRoots

ENTRY = IdentityEntry(project=samples.PROJECT, source="index", identities=())
NAME = parse_artifact_name(samples.WHEEL)
PLACE = f"/integrity/acme-widgets/1.0/{samples.WHEEL}/provenance"
TEMPLATE = "/integrity/{name}/{version}/{filename}/provenance"
JSON = {"content-type": "application/vnd.pypi.integrity.v1+json"}
NONE = Answer(status=404, body=b'{"message": "No provenance available"}')
EMPTY = json.dumps({"version": 1, "attestation_bundles": []}).encode()
TOKEN = "glpat-of-the-mirror"


@pytest.fixture
def index() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def mirror() -> Iterator[Server]:
    with serve() as running:
        yield running


def candidate_of(source: Source, claimed: str | None = None) -> Candidate:
    return Candidate(
        project=samples.PROJECT,
        name=NAME,
        source=source.name,
        page_url=f"{source.home}/acme-widgets/",
        url=f"{source.home}/{samples.WHEEL}",
        claimed_provenance=claimed,
    )


def found(source: Source, claimed: str | None = None, **held: str) -> list[Item | BadItem]:
    """Look for the evidence of one file of a source."""
    credentials = credentials_from_environment(held, use_keyring=False)
    candidate = candidate_of(source, claimed)
    trust = TrustFile(path=Path("x"), sources=(source,), entries=(ENTRY,))
    with Transport(credentials=credentials, clock=FakeTime().clock) as transport:
        supply = RegistrySupply(trust=trust, roots=PinnedRoots(()), transport=transport)
        return list(supply.evidence(candidate, samples.artifact(), ENTRY))


def source_at(index: Server, **more: Any) -> Source:
    values: dict[str, Any] = {"evidence": (index.url + TEMPLATE,)} | more
    return Source(name="index", type="simple", url=f"{index.url}/simple", **values)


def test_the_template_is_filled_in_for_each_file() -> None:
    template = f"https://example.com{TEMPLATE}"
    assert provenance_url(template, NAME) == f"https://example.com{PLACE}"
    odd = parse_artifact_name("Acme.Widgets-1!2.0.0+local.1-py3-none-any.whl")
    assert provenance_url(template, odd) == (
        "https://example.com/integrity/acme-widgets/1%212.0.0%2Blocal.1/"
        "Acme.Widgets-1%212.0.0%2Blocal.1-py3-none-any.whl/provenance"
    )


def test_the_page_is_not_asked_where_there_is_a_template(index: Server, mirror: Server) -> None:
    index.routes[PLACE] = Answer(body=EMPTY, headers=JSON)
    mirror.routes["/claimed"] = Answer(body=EMPTY)
    (item,) = found(source_at(index), claimed=f"{mirror.url}/claimed")
    assert isinstance(item, BadItem)
    assert item.fault.code == "no-attestations"
    assert (len(index.asked), mirror.asked) == (1, [])
    assert index.asked[0].headers["accept"] == JSON["content-type"]


def test_t23_only_the_services_own_404_says_that_there_is_none(index: Server, mirror: Server) -> None:
    index.routes[PLACE] = NONE
    assert found(source_at(index)) == []

    index.routes[PLACE] = Answer(status=302, headers={"Location": f"{mirror.url}/portal"})
    with pytest.raises(UndecidedError) as caught:
        found(source_at(index))
    assert caught.value.code == "redirect-target-failed"


def test_t23_a_gitlabs_404_says_that_there_is_none_only_to_whom_it_knows(index: Server) -> None:
    place = "/api/v4/projects/7/packages/generic/evidence/1.0"
    index.routes[f"{place}/{samples.WHEEL}"] = Answer(status=404)
    source = source_at(index, evidence=(f"{index.url}{place}/{{filename}}",))
    with pytest.raises(UndecidedError) as caught:
        found(source)
    assert caught.value.code == "credentials-needed"
    assert found(source, GITLAB_TOKEN=TOKEN, GITLAB_URL=index.url) == []


def test_pypi_is_asked_as_an_integrity_api(tmp_path: Path) -> None:
    text = 'version = 1\n[source.pypi]\ntype = "simple"\nurl = "https://pypi.org/simple"\n'
    (source,) = parse(text, tmp_path / "pytrust.toml").sources
    assert source.evidence == (f"https://pypi.org{TEMPLATE}",)


def test_a_service_that_is_no_integrity_api_says_it_in_no_form(index: Server) -> None:
    index.routes[f"/evidence/{samples.WHEEL}"] = Answer(status=404)
    assert found(source_at(index, evidence=(f"{index.url}/evidence/{{filename}}",))) == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=403, body=b'{"message": "Attestations temporarily disabled"}'), "credentials-needed"),
        (Answer(status=401), "credentials-needed"),
        (Answer(status=406), "unexpected-status"),
        (Answer(status=410), "unexpected-status"),
        (Answer(status=429), "rate-limited"),
        (Answer(status=451), "unexpected-status"),
        (Answer(status=500), "server-error"),
        (Answer(status=503), "server-error"),
        (Answer(status=204), "unexpected-status"),
        (Answer(body=b"<!DOCTYPE html><title>Sign in</title>"), "no-evidence-answer"),
        (Answer(body=b"blocked by policy"), "no-evidence-answer"),
        (Answer(body=b""), "no-evidence-answer"),
        (Answer(body=b"[]"), "no-evidence-answer"),
        (Answer(status=404), "no-evidence-answer"),
        (Answer(status=404, body=b"404 page not found"), "no-evidence-answer"),
        (
            Answer(status=404, body=b"<!DOCTYPE html><title>Page Not Found (404)</title>"),
            "no-evidence-answer",
        ),
    ],
)
def test_t23_what_is_no_answer_decides_nothing(index: Server, answer: Answer, code: str) -> None:
    index.routes[PLACE] = answer
    with pytest.raises(UndecidedError) as caught:
        found(source_at(index))
    assert caught.value.code == code


def test_t23_a_service_that_cannot_be_reached_decides_nothing(mirror: Server) -> None:
    with serve() as gone:
        source = source_at(gone, mirror=f"{mirror.url}/simple")
    with pytest.raises(UndecidedError) as caught:
        found(source)
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize(
    "body",
    [
        EMPTY,
        b'{"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": []}]}',
        b'{"version": 2, "attestation_bundles": []}',
        b"{}",
        b'{"broken"',
    ],
)
def test_t05_an_answer_without_attestations_is_bad_evidence(index: Server, body: bytes) -> None:
    index.routes[PLACE] = Answer(body=body)
    (item,) = found(source_at(index))
    assert isinstance(item, BadItem)


def test_too_large_an_answer_is_bad_evidence(index: Server) -> None:
    index.routes[PLACE] = Answer(body=b"{" + b" " * (9 << 20))
    (item,) = found(source_at(index))
    assert isinstance(item, BadItem)


def test_t31_what_another_sources_page_names_is_not_asked_for_in_its_way(index: Server) -> None:
    """Its page may name the place of this source's evidence, and is looked ahead from without this token."""
    index.routes["/api/v4/x"] = Answer(body=b"<title>Sign in</title>")
    mine = source_at(index, evidence=(f"{index.url}/api/v4/x",))
    other = Source(name="other", type="simple", url="https://other.example.com/simple")
    trust = TrustFile(path=Path("x"), sources=(mine, other), entries=(ENTRY,))
    credentials = credentials_from_environment(
        {"GITLAB_TOKEN": TOKEN, "GITLAB_URL": index.url}, use_keyring=False
    )
    with Transport(credentials=credentials, clock=FakeTime().clock) as transport:
        supply = RegistrySupply(trust=trust, roots=PinnedRoots(()), transport=transport)
        background = Background(Allowance())
        theirs = candidate_of(other, f"{index.url}/api/v4/x")
        supply.expect_evidence(theirs, replace(ENTRY, source="other"), background)
        with pytest.raises(UndecidedError) as caught:
            list(supply.evidence(candidate_of(mine), samples.artifact(), ENTRY))
        background.close(wait=True)
    assert caught.value.code == "no-evidence-answer"
    assert [asked for asked in index.asked if TOKEN in str(asked.headers)]


def test_evidence_never_comes_from_a_mirror(index: Server, mirror: Server) -> None:
    index.routes[PLACE] = NONE
    mirror.routes[PLACE] = Answer(body=EMPTY)
    source = source_at(index, mirror=f"{mirror.url}/simple")
    assert found(source, claimed=mirror.url + PLACE) == []
    assert mirror.asked == []


@pytest.mark.parametrize("is_named", [True, False])
def test_a_mirrors_page_says_nothing_of_evidence(index: Server, mirror: Server, is_named: bool) -> None:
    mirror.routes[PLACE] = Answer(body=EMPTY)
    source = source_at(index, evidence=(), mirror=f"{mirror.url}/simple")
    with pytest.raises(UndecidedError) as caught:
        found(source, claimed=mirror.url + PLACE if is_named else None)
    assert caught.value.code == "evidence-behind-mirror"
    assert "evidence = " in caught.value.hint
    assert mirror.asked == []


def test_a_mirrors_page_may_pass_on_where_the_source_has_it(index: Server, mirror: Server) -> None:
    index.routes[PLACE] = Answer(status=404)
    source = source_at(index, evidence=(), mirror=f"{mirror.url}/simple")
    assert found(source, claimed=index.url + PLACE) == []
    assert [asked.target for asked in index.asked] == [PLACE]


def test_t31_what_the_service_redirects_to_sees_no_token(index: Server, mirror: Server) -> None:
    index.routes[PLACE] = Answer(status=302, headers={"Location": f"{mirror.url}/elsewhere"})
    mirror.routes["/elsewhere"] = Answer(body=EMPTY)
    found(source_at(index), GITLAB_URL=mirror.url, GITLAB_TOKEN=TOKEN)
    assert [asked.target for asked in mirror.asked] == ["/elsewhere"]
    assert TOKEN not in str(mirror.asked[0].headers)


@pytest.mark.parametrize("is_mirrors", [True, False])
def test_t31_a_token_goes_to_the_mirror_only_where_it_is_the_mirrors(
    index: Server, mirror: Server, tmp_path: Path, is_mirrors: bool
) -> None:
    """The page may name files at the source itself: they are asked for without the source's token."""
    held = {"GITLAB_TOKEN": TOKEN, "GITLAB_URL": mirror.url if is_mirrors else index.url}
    source = source_at(index, mirror=f"{mirror.url}/simple")
    here, there = f"/api/v4/{samples.WHEEL}", "/simple/acme-widgets/"
    place = mirror if is_mirrors else index
    place.routes[here] = Answer(body=wheel())
    page = f'<a href="{place.url}{here}">{samples.WHEEL}</a>'.encode()
    mirror.routes[there] = Answer(body=page, headers={"content-type": "text/html"})
    trust = TrustFile(path=Path("x"), sources=(source,), entries=(ENTRY,))
    credentials = credentials_from_environment(held, use_keyring=False)
    with Transport(credentials=credentials, clock=FakeTime().clock) as transport:
        supply = RegistrySupply(trust=trust, roots=PinnedRoots(()), transport=transport)
        (candidate,) = supply.page(samples.PROJECT, ENTRY).candidates
        supply.receive(candidate, tmp_path)
    assert [asked.target for asked in mirror.asked] == [there, here][: 2 if is_mirrors else 1]
    # A token of GitLab is for its API alone, so the page is asked for without it.
    assert [TOKEN in str(asked.headers) for asked in mirror.asked] == [False, True][: len(mirror.asked)]
    assert not [asked for asked in index.asked if TOKEN in str(asked.headers)]
