"""The vault: only an Accepted opens it, its content is not trusted, and its files are never handed out."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import samples
from _sigstore.samples import CLAIMS, service
from archives import INFO, METADATA, WHEEL_NAME, wheel
from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import InternalError, RefusedError, UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.model import BadItem, Evidence, EvidenceForm, Item
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.faults import Fault
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.vault import StoredFile, Vault, hand_over, sealed_as
from pip_warden.verdict.model import Accepted, PinnedByHash, Step

REAL = Path(__file__).parent / "data" / "real" / "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation"
DATA = wheel()
DIGEST = digest_of(DATA)
NAME = parse_artifact_name(WHEEL_NAME)
BAD = BadItem(
    label="bad", form=EvidenceForm.BUNDLE, fault=Fault(code="bad-bundle", expected="one", found="none")
)


@pytest.fixture(scope="module")
def item() -> Item:
    found = read_attestation(REAL.name, REAL.read_bytes())
    assert isinstance(found, Item)
    return found


def accepted(directory: Path, data: bytes = DATA, filename: str = WHEEL_NAME) -> Accepted:
    """Accept a file by its hash."""
    directory.mkdir(exist_ok=True)
    path, name = directory / filename, parse_artifact_name(filename)
    path.write_bytes(data)
    artifact = Artifact(
        name=name, path=path, digest=digest_of(data), size=len(data), contents=inspect(path, name)
    )
    return Accepted(artifact=artifact, basis=PinnedByHash(reason="reviewed"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def found(vault: Vault, digest: Digest = DIGEST, name: ArtifactName = NAME) -> StoredFile | None:
    """Look up a file as a run does: with a private directory for the copy."""
    return vault.find(digest, name, Path(tempfile.mkdtemp()))


@pytest.fixture(autouse=True)
def _own_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "private").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "private"))


def stored_path(cache: Path) -> Path:
    return cache / "v1" / DIGEST.hex[:2] / DIGEST.hex / WHEEL_NAME


def test_what_is_sealed_is_found_again(cache: Path, run: Path, item: Item) -> None:
    sealed = Vault(cache).seal(accepted(run), evidence=(BAD, item))
    stored = found(Vault(cache))

    assert (sealed.name, sealed.digest, sealed.size) == (NAME, DIGEST, len(DATA))
    assert sealed.path == run / WHEEL_NAME
    assert stored_path(cache).read_bytes() == DATA
    assert sealed.metadata.startswith(b"Metadata-Version")
    assert stored is not None
    assert stored.artifact.path.read_bytes() == DATA
    assert not stored.artifact.path.is_relative_to(cache)
    assert isinstance(stored.artifact.contents, Contents)
    assert (stored.artifact.digest, stored.artifact.size) == (DIGEST, len(DATA))
    assert stored.evidence == (item,)


def test_files_are_read_only_and_nobody_elses(cache: Path, run: Path) -> None:
    Vault(cache).seal(accepted(run), evidence=())
    path = stored_path(cache)

    assert path.stat().st_mode & 0o777 == 0o400
    assert [directory.stat().st_mode & 0o077 for directory in path.parents[:3]] == [0, 0, 0]
    assert [entry.name for entry in path.parents[1].iterdir()] == [DIGEST.hex]


def test_only_an_accepted_opens_it(cache: Path, run: Path) -> None:
    refused = samples.refused("x", Step.PIN, "not-pinned")

    for other in (refused, accepted(run).artifact):
        with pytest.raises(InternalError):
            Vault(cache).seal(cast("Any", other), evidence=())
    assert not cache.exists()


def test_a_file_that_is_not_there_is_not_found(cache: Path, run: Path) -> None:
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=())

    assert found(vault, digest_of(b"other")) is None
    assert found(vault, name=parse_artifact_name("acme_widgets-2.0-py3-none-any.whl")) is None
    assert found(Vault(cache / "elsewhere")) is None


def test_t32_bytes_that_changed_after_the_verdict_are_not_kept(cache: Path, run: Path) -> None:
    verdict = accepted(run)
    verdict.artifact.path.write_bytes(b"exchanged")

    with pytest.raises(RefusedError) as caught:
        Vault(cache).seal(verdict, evidence=())

    assert caught.value.code == "changed-after-verdict"
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_t32_a_link_in_the_files_place_is_not_followed(cache: Path, run: Path, tmp_path: Path) -> None:
    verdict = accepted(run)
    moved = verdict.artifact.path.rename(tmp_path / "moved")
    verdict.artifact.path.symlink_to(moved)

    with pytest.raises(UsageError) as caught:
        Vault(cache).seal(verdict, evidence=())
    assert caught.value.code == "cache-directory"


def test_a_corrupt_copy_is_none_until_it_is_replaced(cache: Path, run: Path) -> None:
    vault, verdict = Vault(cache), accepted(run)
    vault.seal(verdict, evidence=())
    path = stored_path(cache)
    path.chmod(0o600)
    path.write_bytes(b"poison")

    assert found(vault) is None
    # A look-up removes nothing: another process may be replacing it just now.
    assert path.read_bytes() == b"poison"
    vault.seal(verdict, evidence=())
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("squatter", ["poison", "directory", "link", "place-file", "place-link"])
def test_whatever_has_taken_a_place_gives_way(cache: Path, run: Path, tmp_path: Path, squatter: str) -> None:
    path = stored_path(cache)
    path.parent.parent.mkdir(parents=True, mode=0o700)
    victim = tmp_path / "victim"
    victim.mkdir()
    if squatter == "place-file":
        path.parent.write_bytes(b"")
    elif squatter == "place-link":
        path.parent.symlink_to(victim)
    else:
        path.parent.mkdir()
        if squatter == "poison":
            path.write_bytes(b"poison")
        elif squatter == "link":
            path.symlink_to(run / WHEEL_NAME)
        else:
            (path / "sub").mkdir(parents=True)
            (path.parent / "evidence.json").mkdir()

    Vault(cache).seal(accepted(run), evidence=())

    assert path.read_bytes() == DATA
    assert not path.is_symlink()
    assert list(victim.iterdir()) == []
    assert found(Vault(cache)) is not None


def test_better_evidence_replaces_what_was_kept(cache: Path, run: Path, item: Item) -> None:
    vault, verdict = Vault(cache), accepted(run)
    vault.seal(verdict, evidence=())
    vault.seal(verdict, evidence=(item,))
    again = found(vault)
    vault.seal(verdict, evidence=())

    assert again is not None
    assert again.evidence == (item,)
    assert vault.evidence(DIGEST) == (item,)


def _kept(label: object = "x", form: object = "bundle", bundle: object = "e30=", **more: object) -> bytes:
    return json.dumps({"items": [{"label": label, "form": form, "bundle": bundle} | more]}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"items": 1}',
        b'{"items": [1]}',
        b'{"items": [], "items": []}',
        b"\xff",
        _kept(),
        _kept(label=1),
        _kept(form="other"),
        _kept(bundle="%%%"),
        _kept(bundle=None),
        _kept(extra=1),
    ],
)
def test_t14_poisoned_evidence_is_none(cache: Path, run: Path, raw: bytes) -> None:
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=())
    place = stored_path(cache).parent
    (place / "evidence.json").chmod(0o600)
    (place / "evidence.json").write_bytes(raw)
    stored = found(vault)

    assert stored is not None
    assert stored.evidence == ()


@pytest.mark.parametrize("poison", [{"form": "unheard-of"}, {"surprise": 1}])
def test_t14_evidence_of_which_a_part_is_poisoned_is_none(
    cache: Path, run: Path, item: Item, poison: dict[str, object]
) -> None:
    """Otherwise a file would be judged by the rest of it, and not be fetched again."""
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=(item,))
    path = stored_path(cache).parent / "evidence.json"
    kept = json.loads(path.read_bytes())
    kept["items"].append({**kept["items"][0], **poison})
    path.unlink()
    path.write_text(json.dumps(kept))
    assert vault.evidence(DIGEST) == ()


def test_the_entry_of_a_detached_signature_is_that_of_the_very_pair(cache: Path, run: Path) -> None:
    detached = read_bundle(
        "a.sig", json.dumps(service().sign_blob(DATA, CLAIMS)).encode(), EvidenceForm.DETACHED
    )
    assert isinstance(detached, Item)
    wire, vault = detached.wire, Vault(cache)
    wanted = Hashedrekord(digest=DIGEST, signature=wire.signature, pem=pem_of(wire.certificate))
    vault.seal(accepted(run), evidence=(replace(detached, form=EvidenceForm.BUNDLE),))
    assert vault.entry(wanted) is None
    vault.seal(accepted(run), evidence=(detached,))

    assert vault.entry(wanted) == wire.entry
    assert vault.entry(replace(wanted, signature=b"another")) is None
    assert vault.entry(replace(wanted, pem=pem_of(b"another"))) is None
    assert vault.entry(replace(wanted, digest=digest_of(b"another"))) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(min_value=0, max_value=8000), byte=st.integers(min_value=1, max_value=255))
def test_t14_no_flipped_byte_of_the_evidence_makes_an_exception(
    tmp_path: Path, item: Item, at: int, byte: int
) -> None:
    vault = Vault(tmp_path / "cache")
    vault.seal(accepted(tmp_path / "run"), evidence=(item,))
    place = stored_path(tmp_path / "cache").parent
    raw = bytearray((place / "evidence.json").read_bytes())
    raw[at % len(raw)] ^= byte
    (place / "evidence.json").chmod(0o600)
    (place / "evidence.json").write_bytes(raw)

    assert found(vault) is not None


@pytest.mark.parametrize("links", [True, False])
def test_t32_the_installer_gets_a_copy_that_was_hashed(
    cache: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    sealed = Vault(cache).seal(accepted(run), evidence=())
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    if not links:
        monkeypatch.setattr(os, "link", _no_links)

    copy = hand_over(sealed, out)

    assert copy.samefile(sealed.path) is links, "no second copy where none is needed"
    assert copy.read_bytes() == DATA
    copy.write_bytes(b"the installer's own business")
    assert copy == out / WHEEL_NAME
    assert stored_path(cache).read_bytes() == DATA
    assert stored_path(cache).stat().st_nlink == 1


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("change", ["exchanged", "removed", "link"])
def test_t32_what_changed_after_the_verdict_is_not_handed_over(
    cache: Path, run: Path, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    sealed = Vault(cache).seal(accepted(run), evidence=())
    sealed.path.unlink()
    if change == "exchanged":
        sealed.path.write_bytes(b"poison")
    elif change == "link":
        sealed.path.symlink_to(stored_path(cache))
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    out = tmp_path / "out"
    out.mkdir(mode=0o700)

    kind = UsageError if change == "link" and not links else RefusedError
    with pytest.raises(kind) as caught:
        hand_over(sealed, out)
    assert caught.value.code == ("cache-directory" if kind is UsageError else "changed-after-verdict")
    assert list(out.iterdir()) == []


@contextmanager
def swapped(monkeypatch: pytest.MonkeyPatch, path: Path, how: str, evil: bytes) -> Iterator[list[Path]]:
    """Replace the file at a path when it is inspected, as another process of the same user can."""
    seen: list[Path] = []

    def look(inspected: Path, name: ArtifactName) -> Contents | Fault:
        seen.append(inspected)
        other = path.parent.with_name("other")
        other.mkdir()
        (other / path.name).write_bytes(evil)
        if how == "file":
            (other / path.name).replace(path)
        elif how == "in place":
            path.chmod(0o600)
            path.write_bytes(evil)
        else:
            path.parent.rename(path.parent.with_name("gone"))
            path.parent.symlink_to(other)
        return inspect(inspected, name)

    with monkeypatch.context() as patch:
        patch.setattr("pip_warden.vault.store.inspect", look)
        yield seen


@pytest.mark.parametrize("how", ["file", "in place", "directory"])
def test_b16_what_is_inspected_is_what_was_hashed(
    cache: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Between the two, a path may be changed to lead elsewhere: the metadata would be an unjudged file's."""
    Vault(cache).seal(accepted(run), evidence=())
    evil = wheel({f"{INFO}/METADATA": f"{METADATA}Requires-Dist: evildep\n"})
    with swapped(monkeypatch, stored_path(cache), how, evil) as seen:
        stored = found(Vault(cache))

    assert seen
    assert stored_path(cache).read_bytes() == evil
    assert stored is not None
    assert isinstance(stored.artifact.contents, Contents)
    assert stored.artifact.contents.requires_dist == ()
    sealed = sealed_as(Accepted(artifact=stored.artifact, basis=PinnedByHash(reason="reviewed")))
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    assert hand_over(sealed, out).read_bytes() == DATA
    assert b"evildep" not in sealed.metadata


def test_b16_other_bytes_leave_no_copy(cache: Path, run: Path, tmp_path: Path) -> None:
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=())
    stored_path(cache).chmod(0o600)
    stored_path(cache).write_bytes(b"poison")

    assert vault.find(DIGEST, NAME, tmp_path / "private") is None
    assert list((tmp_path / "private").iterdir()) == []


def test_b16_a_copy_is_nobody_elses_whatever_the_umask(cache: Path, run: Path, tmp_path: Path) -> None:
    """GitLab Runner uses umask 0000; the copy is linked under another name, and has one mode under both."""
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=())
    directory = tmp_path / "copies"
    directory.mkdir(mode=0o700)
    before = os.umask(0)
    try:
        stored = vault.find(DIGEST, NAME, directory)
    finally:
        os.umask(before)
    assert stored is not None
    assert stored.artifact.path.stat().st_mode & 0o777 == 0o600


def test_b16_a_pipe_in_the_place_of_a_file_is_none(cache: Path, run: Path) -> None:
    """Opening one for reading waits for a writer, perhaps for ever."""
    vault = Vault(cache)
    vault.seal(accepted(run), evidence=())
    path = stored_path(cache)
    path.unlink()
    os.mkfifo(path)
    results: list[StoredFile | None] = []
    looking = threading.Thread(target=lambda: results.append(found(vault, DIGEST)), daemon=True)
    looking.start()
    looking.join(60)
    assert results == [None]


@contextmanager
def clones(monkeypatch: pytest.MonkeyPatch, change: bytes | None = None) -> Iterator[list[int]]:
    """Let files share blocks, as on Btrfs; the source may change before they do."""
    asked: list[int] = []

    def clone(new: int, request: int, source: int) -> int:
        asked.append(request)
        os.write(new, os.pread(source, len(DATA), 0) if change is None else change)
        os.lseek(new, 0, os.SEEK_SET)
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "ioctl", clone)
        yield asked


def test_a_copy_shares_the_blocks_of_the_file_where_that_is_possible(
    cache: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(cache)
    with clones(monkeypatch) as asked:
        sealed = vault.seal(accepted(run), evidence=())
        stored = vault.find(DIGEST, NAME, tmp_path / "private")

    assert asked == [0x40049409] * 2, "FICLONE, once into the vault and once out of it"
    assert stored is not None
    assert stored.artifact.size == len(DATA)
    for copy in (stored.artifact.path, stored_path(cache)):
        assert copy.read_bytes() == DATA
        assert not copy.samefile(sealed.path)


def test_t32_what_is_hashed_is_the_copy_that_shares_blocks(
    cache: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(cache)
    with clones(monkeypatch, b"exchanged"), pytest.raises(RefusedError) as caught:
        vault.seal(accepted(run), evidence=())
    assert caught.value.code == "changed-after-verdict"
    assert [path for path in cache.rglob("*") if path.is_file()] == []

    vault.seal(accepted(tmp_path / "again"), evidence=())
    with clones(monkeypatch, b"exchanged"):
        assert found(vault) is None


def test_t32_nothing_is_left_of_blocks_whose_sharing_failed_half_way(
    cache: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source was longer then: of the copy that follows, only what is copied would be hashed."""

    def fail(new: int, *_: int) -> int:
        os.pwrite(new, DATA + b"more than was hashed", 0)
        raise OSError(errno.EIO, "input/output error")

    vault = Vault(cache)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "ioctl", fail)
        vault.seal(accepted(run), evidence=())
        stored = vault.find(DIGEST, NAME, tmp_path / "private")

    assert stored is not None
    for copy in (stored_path(cache), stored.artifact.path):
        assert copy.read_bytes() == DATA


def test_t32_nothing_is_handed_over_onto_something_else(cache: Path, run: Path, tmp_path: Path) -> None:
    sealed = Vault(cache).seal(accepted(run), evidence=())
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (tmp_path / WHEEL_NAME).symlink_to(victim)

    with pytest.raises(UsageError):
        hand_over(sealed, tmp_path)
    assert victim.read_bytes() == b"untouched"


@pytest.mark.parametrize("kind", ["link", "file", "layout-link"])
def test_a_cache_that_is_not_the_users_own_is_refused(tmp_path: Path, kind: str) -> None:
    root, other = tmp_path / "cache", tmp_path / "other"
    other.mkdir()
    if kind == "link":
        root.symlink_to(other)
    elif kind == "file":
        root.write_bytes(b"")
    else:
        root.mkdir()
        (root / "v1").symlink_to(other)

    with pytest.raises(UsageError) as caught:
        Vault(root)
    assert caught.value.code == "cache-directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_cache_of_somebody_else_is_refused(cache: Path) -> None:
    cache.mkdir()
    os.chown(cache, 12345, 12345)

    with pytest.raises(UsageError) as caught:
        Vault(cache)
    assert caught.value.code == "cache-directory"


def test_a_cache_that_others_may_write_to_is_mended(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    Vault(cache)

    assert cache.stat().st_mode & 0o777 == 0o755


def test_it_tells_its_names_and_size_and_can_be_cleared(cache: Path, run: Path) -> None:
    vault = Vault(cache)
    empty = vault.size(), vault.clear(), list(vault.names(samples.PROJECT))
    vault.seal(accepted(run), evidence=())
    (cache / "v1" / "stray").write_bytes(b"")
    (cache / "v1" / "zz" / "not-a-digest").mkdir(parents=True)
    (cache / "v1" / "zz" / "not-a-digest" / WHEEL_NAME).write_bytes(b"")
    names, size = list(vault.names(samples.PROJECT)), vault.size()
    freed = vault.clear()

    assert empty == (0, 0, [])
    assert names == [(NAME, DIGEST)]
    assert size == freed > len(DATA)
    assert found(vault) is None
    assert list(cache.iterdir()) == []


def test_many_may_seal_and_find_at_once(tmp_path: Path, item: Item) -> None:
    """Each round begins with no cache: incomplete files would be found at the beginning."""
    rounds, many = 25, 8
    verdicts = [accepted(tmp_path / f"run{number}") for number in range(many)]
    faults: list[BaseException] = []
    together = threading.Barrier(many)

    def work(verdict: Accepted, evidence: Evidence) -> None:
        for number in range(rounds):
            together.wait()
            try:
                vault = Vault(tmp_path / f"cache{number}")
                found(vault)
                vault.seal(verdict, evidence=evidence)
                assert stored_path(tmp_path / f"cache{number}").read_bytes() == DATA
                assert found(vault) is not None
            except BaseException as err:  # noqa: BLE001 -- passed to the test's own thread
                faults.append(err)

    threads = [
        threading.Thread(target=work, args=(verdict, (item,) if number % 2 else ()))
        for number, verdict in enumerate(verdicts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    for number in range(rounds):
        place = stored_path(tmp_path / f"cache{number}").parents[1]
        assert [path.name for path in place.iterdir()] == [DIGEST.hex]


def taken(*versions: str) -> tuple[ArtifactName, ...]:
    return tuple(parse_artifact_name(f"a-{version}-py3-none-any.whl") for version in versions)


def test_what_a_run_took_is_remembered_until_the_vault_is_emptied(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert vault.recall("a" * 64) == ()
    vault.remember("a" * 64, taken("2", "1"))
    assert vault.recall("a" * 64) == taken("1", "2")
    assert vault.recall("b" * 64) == ()
    vault.remember("a" * 64, taken("3"))
    assert vault.recall("a" * 64) == taken("3")
    assert list(vault.names(taken("3")[0].project)) == [], "it is no stored file"
    vault.clear()
    assert vault.recall("a" * 64) == ()


def test_only_so_many_runs_are_remembered_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pip_warden.vault.memory._MOST_RUNS", 2)
    vault = Vault(tmp_path)
    for age, request in enumerate("abc"):
        vault.remember(request, taken("1"))
        path = tmp_path / "v1" / "runs" / f"{request}.json"
        os.utime(path, ns=(age, age))
    vault.remember("d", taken("1"))
    assert [request for request in "abcd" if vault.recall(request)] == ["c", "d"]


def test_what_cannot_be_remembered_is_no_fault(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    (tmp_path / "v1").mkdir(mode=0o700)
    (tmp_path / "v1" / "runs").write_text("no directory")
    vault.remember("a", taken("1"))
    assert vault.recall("a") == ()


def test_a_link_is_no_memory(tmp_path: Path) -> None:
    vault, elsewhere = Vault(tmp_path / "vault"), tmp_path / "elsewhere.json"
    vault.remember("a", taken("1"))
    (path,) = (tmp_path / "vault").glob("v1/runs/*.json")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert vault.recall("a") == ()


def test_nothing_is_removed_where_a_link_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that CI restored may hold any link; whatever lies behind it is somebody's."""
    monkeypatch.setattr("pip_warden.vault.memory._MOST_RUNS", 1)
    vault, elsewhere = Vault(tmp_path / "vault"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.json").write_text("somebody's")
    (tmp_path / "vault" / "v1").mkdir(parents=True, mode=0o700)
    (tmp_path / "vault" / "v1" / "runs").symlink_to(elsewhere)
    vault.remember("b", taken("1"))
    assert [path.name for path in elsewhere.iterdir()] == ["a.json"]
    (tmp_path / "vault" / "v1" / "runs").unlink()
    (tmp_path / "vault" / "v1" / "runs").mkdir()
    notes = tmp_path / "vault" / "v1" / "runs" / "notes.txt"
    notes.write_text("somebody's")
    os.utime(notes, ns=(0, 0))
    vault.remember("b", taken("1"))
    assert {path.name for path in (tmp_path / "vault" / "v1" / "runs").iterdir()} == {"b.json", "notes.txt"}


def test_a_pipe_in_the_vault_holds_nobody_up(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    (tmp_path / "v1" / "runs").mkdir(parents=True, mode=0o700)
    os.mkfifo(tmp_path / "v1" / "runs" / "a.json")
    done = threading.Thread(target=vault.remember, args=("a", taken("1")), daemon=True)
    done.start()
    done.join(60)
    assert vault.recall("a") == taken("1")


@given(st.binary(max_size=200) | st.builds(lambda v: json.dumps({"files": v}).encode(), st.lists(st.text())))
def test_no_memory_is_too_strange(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        vault = Vault(Path(name))
        vault.remember("a", taken("1"))
        path = Path(name, "v1", "runs", "a.json")
        path.chmod(0o600)
        path.write_bytes(content)
        assert all(isinstance(found, ArtifactName) for found in vault.recall("a"))
