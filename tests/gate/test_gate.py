"""The gate with a counting supply: what is decided once, or reported, and when the evidence search ends."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from packaging.version import Version

import samples
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import NetworkError, RefusedError, UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.gate import Gate, GateParts, Guess
from pip_warden.gate.dependencies import wanted_here
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.install.backend import GateBackend
from pip_warden.installer.local import LocalInputs
from pip_warden.measures import UNMEASURED
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Outcome
from pip_warden.sandbox import File, Project, Sandbox
from pip_warden.supply.ahead import Background
from pip_warden.trust.model import (
    Entry,
    HashEntry,
    Identity,
    IdentityEntry,
    Probe,
    RootPin,
    Source,
    TrustFile,
)
from pip_warden.trust.roots import PinnedRoots
from pip_warden.trust.subject import parse_subject
from pip_warden.vault import Postponed, Vault
from pip_warden.verdict import origin

NAME = ProjectName("widgets")
BAD = BadItem(
    label="bad", form=EvidenceForm.BUNDLE, fault=Fault(code="bad-bundle", expected="one", found="none")
)


@dataclass
class Shop:
    """A supply: a page of files with given evidence, and a count of requests."""

    page_: IndexPage
    files: dict[str, bytes]
    evidence_: dict[str, list[Item | BadItem | NetworkError]]
    asked: list[str] = field(default_factory=list)
    trouble: NetworkError | None = None
    ledger: Ledger = field(default_factory=Ledger)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, what: str) -> None:
        with self._changed:
            self.asked.append(what)
            self._changed.notify_all()

    def wait_for(self, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: what in self.asked, 60)

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        assert entry.project == project
        self.ask(f"page {project}")
        if self.trouble is not None:
            raise self.trouble
        return self.page_

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        self.ask(candidate.name.filename)
        data, path = self.files[candidate.name.filename], directory / candidate.name.filename
        path.write_bytes(data)
        return Artifact(
            name=candidate.name,
            path=path,
            digest=digest_of(data),
            size=len(data),
            contents=inspect(path, candidate.name),
        )

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        pass

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        assert (artifact.name, entry.project) == (candidate.name, candidate.project)
        for number, item in enumerate(self.evidence_[candidate.name.filename]):
            self.ask(f"evidence {number}")
            if isinstance(item, NetworkError):
                raise item
            yield item


@dataclass(frozen=True, kw_only=True)
class World:
    """What is published and pinned."""

    source: Source
    project: Project
    files: dict[str, File]
    good: dict[str, Item]
    trust: TrustFile


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/widgets")
        files = {version: sandbox.wheel("widgets", version) for version in ("1.0", "1.1")}
        good = {}
        for version, file in files.items():
            (raw,) = sandbox.sign(file, sandbox.job(project, tag=f"v{version}")).values()
            item = read_bundle("good", raw, EvidenceForm.BUNDLE)
            assert isinstance(item, Item)
            good[file.name] = item
        root = sandbox.write_trust(tmp_path_factory.mktemp("roots"))
        source = Source(name="acme", type="gitlab", url=sandbox.gitlab_url)
        pin = RootPin(
            name="default", path=root, sha256=digest_of(root.read_bytes()), issuers=(sandbox.issuer,)
        )
        subject = f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}"
        signer = Identity(issuer=sandbox.issuer, subject=parse_subject(subject))
        entry = IdentityEntry(project=NAME, source="acme", registry="acme/widgets", identities=(signer,))
        trust = TrustFile(path=root, roots=(pin,), sources=(source,), entries=(entry,), revoked=())
        return World(source=source, project=project, files=files, good=good, trust=trust)


@pytest.fixture
def shop(world: World) -> Shop:
    base = f"{world.source.url}/api/v4/projects"
    url = f"{base}/{quote('acme/widgets', safe='')}/packages/pypi/simple/widgets"
    candidates = tuple(
        Candidate(
            project=NAME,
            name=parse_artifact_name(file.name),
            source="acme",
            page_url=url,
            url=f"{base}/{world.project.id}/packages/pypi/files/{file.sha256}/{file.name}",
            claimed_sha256=digest_of(file.data),
        )
        for file in world.files.values()
    )
    return Shop(
        page_=IndexPage(project=NAME, source="acme", url=url, candidates=candidates),
        files={file.name: file.data for file in world.files.values()},
        evidence_={name: [item] for name, item in world.good.items()},
    )


@pytest.fixture
def gate(world: World, shop: Shop, tmp_path: Path) -> Iterator[Gate]:
    with make_gate(world.trust, shop, tmp_path) as made:
        yield made


def make_gate(
    trust: TrustFile,
    shop: Shop,
    tmp_path: Path,
    *,
    fresh: bool = False,
    read_again: Callable[[Artifact], Artifact] | None = None,
    postponed: Postponed | None = None,
) -> Gate:
    workspace = tmp_path / "run"
    workspace.mkdir(exist_ok=True)
    parts = GateParts(
        trust=trust,
        roots=PinnedRoots(trust.roots),
        supply=shop,
        vault=Vault(tmp_path / "cache"),
        workspace=workspace,
        today=samples.TODAY,
        fresh=fresh,
        read_again=read_again,
        postponed=postponed,
    )
    return Gate(parts, shop.ledger)


def wheel(version: str = "1.0") -> str:
    return f"widgets-{version}-py3-none-any.whl"


def test_page_and_file_are_decided_once(gate: Gate, shop: Shop) -> None:
    barrier = threading.Barrier(8)

    def ask(_: int) -> Outcome:
        barrier.wait(60)
        return gate.admit(NAME, wheel()).line.outcome

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {Outcome.ACCEPTED}
    assert shop.asked == ["page widgets", wheel(), "evidence 0"]


@pytest.mark.parametrize("state", ["accepted", "stored", "undecided", "refused"])
def test_every_line_has_the_files_url_and_nothing_that_lets_somebody_in(
    world: World, shop: Shop, tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pip_warden.gate.one_file.bare_url", lambda url: f"bare {url}")
    gate = make_gate(world.trust, shop, tmp_path)
    if state == "stored":
        gate.admit(NAME, wheel())
        gate = make_gate(world.trust, shop, tmp_path)
    elif state == "undecided":
        shop.evidence_[wheel()] = [NetworkError("unreachable", "x")]
    elif state == "refused":
        shop.evidence_[wheel()] = [BAD]

    line = gate.admit(NAME, wheel()).line

    (listed,) = (each for each in shop.page_.candidates if each.name.filename == wheel())
    assert line.outcome.value == ("accepted" if state == "stored" else state)
    assert line.url == f"bare {listed.url}"


def test_what_is_fetched_ahead_is_never_reported(gate: Gate, shop: Shop) -> None:
    shop.evidence_[wheel("1.1")] = [BAD]
    gate.look_ahead([Guess(project=NAME)])
    shop.wait_for("evidence 0")
    gate.close()
    assert wheel("1.1") in shop.asked
    assert shop.ledger.lines() == ()
    gate.admit(NAME, wheel("1.1"))
    assert [line.outcome for line in shop.ledger.lines()] == [Outcome.REFUSED]


def test_trouble_while_looking_ahead_is_told_to_whoever_asks(gate: Gate, shop: Shop) -> None:
    shop.trouble = NetworkError("unreachable", "expected an answer, found none")
    gate.look_ahead([Guess(project=ProjectName("unpinned")), Guess(project=NAME)])
    shop.wait_for("page widgets")
    gate.close()
    assert (shop.ledger.lines(), shop.ledger.unpinned()) == ((), ())
    with pytest.raises(NetworkError):
        gate.listing(NAME)
    assert [(line.subject, line.outcome, line.code) for line in shop.ledger.lines()] == [
        ("widgets", Outcome.UNDECIDED, "unreachable")
    ]


def test_good_evidence_ends_the_search(gate: Gate, world: World, shop: Shop) -> None:
    shop.evidence_[wheel()] = [BAD, world.good[wheel()], BAD]
    line = gate.admit(NAME, wheel()).line
    assert line.outcome is Outcome.ACCEPTED
    assert [asked for asked in shop.asked if asked.startswith("evidence")] == ["evidence 0", "evidence 1"]


def test_bad_evidence_beside_the_good_is_reported(gate: Gate, world: World, shop: Shop) -> None:
    shop.evidence_[wheel()] = [BAD, world.good[wheel("1.1")], world.good[wheel()]]
    verdict = gate.admit(NAME, wheel()).line.verdict
    assert verdict is not None
    assert len(verdict.bad_items) == 2


def test_b05_the_page_is_judged_as_often_for_much_evidence_as_for_little(
    gate: Gate, world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[object] = []
    honest = origin.check_page

    def counting(*args: Any) -> Fault | None:
        judged.append(args)
        return honest(*args)

    monkeypatch.setattr(origin, "check_page", counting)
    shop.evidence_[wheel()] = [*[BAD] * 50, world.good[wheel()]]

    for version in ("1.0", "1.1"):
        assert gate.admit(NAME, wheel(version)).line.outcome is Outcome.ACCEPTED
    assert len(judged) == 1


@pytest.mark.parametrize("evidence", [[], [BAD], [BAD, BAD]])
def test_without_good_evidence_nothing_is_kept(
    gate: Gate, shop: Shop, tmp_path: Path, evidence: list[Item | BadItem | NetworkError]
) -> None:
    shop.evidence_[wheel()] = evidence
    admission = gate.admit(NAME, wheel())
    assert (admission.line.outcome, admission.sealed) == (Outcome.REFUSED, None)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not list((tmp_path / "run").iterdir())


def test_evidence_that_cannot_be_had_is_undecided(gate: Gate, shop: Shop) -> None:
    """Neither a bad item before it nor its absence makes it a refusal: the next item might have been good."""
    shop.evidence_[wheel()] = [BAD, NetworkError("unreachable", "expected an answer, found none")]
    admission = gate.admit(NAME, wheel())
    assert (admission.line.outcome, admission.line.code) == (Outcome.UNDECIDED, "unreachable")
    assert shop.ledger.lines() == (admission.line,)


def test_changed_file_asks_for_no_evidence(gate: Gate, shop: Shop) -> None:
    shop.files[wheel()] = shop.files[wheel("1.1")]
    assert gate.admit(NAME, wheel()).line.outcome is Outcome.REFUSED
    assert not [asked for asked in shop.asked if asked.startswith("evidence")]


def test_second_run_is_judged_again_from_the_vault(world: World, shop: Shop, tmp_path: Path) -> None:
    for _ in range(2):
        with make_gate(world.trust, shop, tmp_path) as gate:
            assert gate.admit(NAME, wheel()).line.outcome is Outcome.ACCEPTED
    assert shop.asked.count(wheel()) == 1
    (entry,) = world.trust.entries
    assert isinstance(entry, IdentityEntry)
    other = replace(
        entry.identities[0], subject=parse_subject("https://gitlab.example.com/a/b//y.yml@refs/heads/z")
    )
    trust = replace(world.trust, entries=(replace(entry, identities=(other,)),))
    with make_gate(trust, shop, tmp_path) as gate:
        assert gate.admit(NAME, wheel()).line.outcome is Outcome.REFUSED
    assert shop.asked.count(wheel()) == 2, "a stored file that is not accepted is fetched anew"


@pytest.mark.parametrize("target", ["file", "evidence.json"])
def test_t14_poisoned_vault_is_only_slower(world: World, shop: Shop, tmp_path: Path, target: str) -> None:
    with make_gate(world.trust, shop, tmp_path) as gate:
        gate.admit(NAME, wheel())
    pattern = wheel() if target == "file" else target
    (path,) = (tmp_path / "cache").rglob(pattern)
    path.chmod(0o600)
    path.write_bytes(shop.files[wheel("1.1")] if target == "file" else b'{"items": []}')
    with make_gate(world.trust, shop, tmp_path) as gate:
        sealed = gate.admit(NAME, wheel()).sealed
    assert sealed is not None
    assert sealed.path.read_bytes() == shop.files[wheel()]
    assert shop.asked.count(wheel()) == 2


def test_a_file_that_is_not_stored_needs_no_directory_to_look_for_it(
    world: World, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = tempfile.mkdtemp

    def count(dir: Path) -> str:  # noqa: A002 -- mkdtemp's own name for it
        made.append(make(dir=dir))
        return made[-1]

    monkeypatch.setattr("pip_warden.gate.one_file.tempfile", SimpleNamespace(mkdtemp=count))
    for _ in ("fetched", "stored"):
        made.clear()
        with make_gate(world.trust, shop, tmp_path) as gate:
            assert gate.admit(NAME, wheel()).sealed is not None
        assert len(made) == 1
    assert shop.asked.count(wheel()) == 1


def test_b16_metadata_is_that_of_the_bytes_handed_over(
    world: World, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process of the same user replaces the stored file at each moment at which it could matter."""
    with make_gate(world.trust, shop, tmp_path) as gate:
        gate.admit(NAME, wheel())
    (stored,) = (tmp_path / "cache").rglob(wheel())

    def exchange(path: Path, name: ArtifactName) -> Contents | Fault:
        stored.chmod(0o600)
        stored.write_bytes(world.files["1.1"].data)
        return inspect(path, name)

    monkeypatch.setattr("pip_warden.vault.store.inspect", exchange)
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    with make_gate(world.trust, shop, tmp_path) as gate:
        none = LocalInputs(files={}, directories=frozenset())
        run: Any = SimpleNamespace(gate=gate, measures=UNMEASURED)
        handed = GateBackend(run, out, none, out / "report.json").file(NAME, wheel())

    assert list(out.iterdir()) == [], "a request for metadata needs no file"
    assert shop.asked.count(wheel()) == 1, "it came from the vault"
    assert stored.read_bytes() == world.files["1.1"].data
    with zipfile.ZipFile(handed.path) as archive:
        assert archive.read("widgets-1.0.dist-info/METADATA") == handed.metadata
    assert handed.path.read_bytes() == world.files["1.0"].data
    assert len({handed.path, handed.path, out / wheel()}) == 3, "each has a place of its own"
    assert b"Version: 1.0\n" in handed.metadata


@pytest.mark.parametrize(
    ("ending", "is_kept"), [(None, True), (UsageError("x", "x"), True), (KeyboardInterrupt(), False)]
)
def test_the_vault_has_a_large_file_when_the_run_ends_unless_it_is_interrupted(
    world: World,
    shop: Shop,
    tmp_path: Path,
    ending: BaseException | None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_kept: bool,
) -> None:
    monkeypatch.setattr("pip_warden.vault.store.LARGE", 0)
    expected = nullcontext() if ending is None else pytest.raises(type(ending))
    with expected, make_gate(world.trust, shop, tmp_path, postponed=Postponed()) as gate:
        gate.admit(NAME, wheel())
        gate.agree()
        assert list((tmp_path / "cache").rglob("*.whl")) == []
        if ending is not None:
            raise ending
    assert [path.name for path in (tmp_path / "cache").rglob("*.whl")] == ([wheel()] if is_kept else [])


@pytest.mark.parametrize("ending", [None, UsageError("x", "x"), KeyboardInterrupt()])
def test_the_vault_has_small_files_however_a_run_ends(
    world: World, shop: Shop, tmp_path: Path, ending: BaseException | None
) -> None:
    """All but the first wait; whoever ends a run does not want to fetch them again."""
    later = Postponed()
    later.hear()
    expected = nullcontext() if ending is None else pytest.raises(type(ending))
    with expected, make_gate(world.trust, shop, tmp_path, postponed=later) as gate:
        gate.admit(NAME, wheel())
        assert list((tmp_path / "cache").rglob("*.whl")) == []
        if ending is not None:
            raise ending
    assert [path.name for path in (tmp_path / "cache").rglob("*.whl")] == [wheel()]


def test_what_a_run_has_accepted_is_there_when_it_looks_again(
    world: World, shop: Shop, tmp_path: Path
) -> None:
    later = Postponed()
    later.hear()
    with make_gate(world.trust, shop, tmp_path, postponed=later) as gate:
        accepted = gate.admit(NAME, wheel()).line
        again = gate.admit_again(parse_artifact_name(wheel()), Digest(accepted.sha256))

    assert again is not None
    assert again.line.outcome is Outcome.ACCEPTED


def test_b09_nothing_is_fetched_of_a_release_with_two_files_of_one_name(gate: Gate, shop: Shop) -> None:
    second = shop.page_.candidates[-1]
    other = digest_of(b"other bytes")
    url = second.url.replace(str(second.claimed_sha256), str(other))
    twin = replace(second, claimed_sha256=other, url=url)
    shop.page_ = replace(shop.page_, candidates=(*shop.page_.candidates, twin))
    admissions = gate.admit_release(NAME, second.name.version)
    assert [(made.line.code, made.sealed) for made in admissions] == [("same-name-other-bytes", None)] * 2
    assert gate.admit(NAME, wheel()).line.outcome is Outcome.ACCEPTED
    gate.look_ahead_of(NAME)
    gate.close()
    assert shop.asked == ["page widgets", wheel(), "evidence 0"]
    assert [line.subject for line in shop.ledger.lines()] == [wheel("1.1"), wheel()]


def test_b09_the_same_file_twice_is_listed_and_judged_once(gate: Gate, shop: Shop) -> None:
    shop.page_ = replace(shop.page_, candidates=shop.page_.candidates * 2)
    assert [c.name.filename for c in gate.listing(NAME).allowed] == [wheel(), wheel("1.1")]
    assert len(gate.admit_release(NAME, Version("1.0"))) == 1


def test_hash_entry_allows_only_what_it_lists(world: World, shop: Shop, tmp_path: Path) -> None:
    digest = digest_of(shop.files[wheel()])
    entry = HashEntry(
        project=NAME,
        version=parse_artifact_name(wheel()).version,
        source="acme",
        registry="acme/widgets",
        files=((wheel(), digest),),
        reason="reviewed",
    )
    with make_gate(replace(world.trust, entries=(entry,)), shop, tmp_path) as gate:
        assert [c.name.filename for c in gate.listing(NAME).allowed] == [wheel()]
        with pytest.raises(RefusedError) as caught:
            gate.admit(NAME, wheel("1.1"))
        assert caught.value.code == "unknown-file"
        assert gate.admit(NAME, wheel()).line.outcome is Outcome.ACCEPTED
    assert not [asked for asked in shop.asked if asked.startswith("evidence")]
    sdist = "widgets-1.0.tar.gz"
    other = replace(entry, files=((sdist, digest),))
    with make_gate(replace(world.trust, entries=(other,)), shop, tmp_path) as gate:
        assert gate.listing(NAME).allowed == (), "another file of the same release"


def test_t29_a_page_of_another_place_is_refused_before_anything_is_fetched(gate: Gate, shop: Shop) -> None:
    shop.page_ = replace(shop.page_, url="https://pypi.org/simple/widgets/")
    with pytest.raises(RefusedError) as caught:
        gate.admit(NAME, wheel())
    assert caught.value.code == "foreign-index-page"
    assert shop.asked == ["page widgets"]


def test_what_a_registry_holds_now_is_asked_for_where_it_is_in_question(
    world: World, shop: Shop, tmp_path: Path
) -> None:
    for fresh, times in ((False, 1), (False, 1), (True, 2)):
        with make_gate(world.trust, shop, tmp_path, fresh=fresh) as gate:
            assert gate.admit(NAME, wheel()).line.outcome is Outcome.ACCEPTED
        assert shop.asked.count(wheel()) == times


@pytest.mark.parametrize("runs", [1, 2])
def test_b01_who_reads_it_later_is_heard_whether_it_is_fetched_or_stored(
    world: World, shop: Shop, tmp_path: Path, runs: int
) -> None:
    """The interpreter that it is installed into may read the archive differently."""
    for _ in range(1, runs):
        with make_gate(world.trust, shop, tmp_path) as gate:
            assert gate.admit(NAME, wheel()).line.outcome is Outcome.ACCEPTED
    fault = Fault(code="archive-ambiguous", expected="what we see", found="something else")
    with make_gate(
        world.trust, shop, tmp_path, read_again=lambda artifact: replace(artifact, contents=fault)
    ) as gate:
        admission = gate.admit(NAME, wheel())
    assert (admission.line.code, admission.sealed) == ("archive-ambiguous", None)


def test_every_unpinned_name_is_told(gate: Gate, shop: Shop) -> None:
    with pytest.raises(RefusedError) as caught:
        gate.require_pinned({NAME: "you", ProjectName("b"): "you", ProjectName("c"): "r.txt"})
    assert caught.value.code == "not-pinned"
    assert [(name.project, name.wanted_by) for name in shop.ledger.unpinned()] == [
        ("b", "you"),
        ("c", "r.txt"),
    ]
    assert [line.subject for line in shop.ledger.lines()] == ["b", "c"]


def test_release_that_is_not_there_is_no_success(gate: Gate) -> None:
    with pytest.raises(RefusedError) as caught:
        gate.admit_release(NAME, parse_artifact_name(wheel("9.9")).version)
    assert caught.value.code == "no-release"
    assert len(gate.admit_release(NAME, parse_artifact_name(wheel("1.1")).version)) == 1


@pytest.mark.parametrize(
    ("requirement", "project"),
    [
        ("Acme_Gears>=1", "acme-gears"),
        ("gears; python_version >= '3'", "gears"),
        ("gears; python_version < '3'", None),
        ("gears; extra == 'x'", None),
        ("gears; 'a' == 'a'", None),
        ("gears; 'x' in extras", None),
        ("gears; os_name ~= 'posix'", None),
        (f"gears; python_version == '{'1' * 5000}'", None),
        (f"gears; {'(' * 5000}os_name == 'x'{')' * 5000}", None),
        ("gears @ https://[", "gears"),
        ("?", None),
    ],
)
def test_b04_what_a_requirement_wants_here_is_told_where_somebody_can_say(
    requirement: str, project: str | None
) -> None:
    assert wanted_here(requirement) == project
