"""Copying: children first, by digest, nothing tagged; and again after it was ended anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from oci.fake import APP, ELSEWHERE, PROD, Asked, FakeRegistry, answer, artifact, fails, image, index, lying
from pip_warden.oci import copying
from pip_warden.oci.copying import Copying
from pip_warden.oci.manifest import IMAGE_MANIFEST
from pip_warden.oci.names import Repository, spelled
from pip_warden.oci.registry import ImageRegistry

ONE, TWO = image("one"), image("two", b"layer of one", b"layer of two")
BOTH = index(ONE, TWO, platforms=("linux/amd64", "linux/arm64"))
SIGNED = artifact(BOTH.manifest.described())
EVERYTHING = {spelled(one.manifest.digest) for one in (ONE, TWO, BOTH)}


class KilledError(Exception):
    """The process ends here."""


@pytest.fixture
def fake() -> FakeRegistry:
    fake = FakeRegistry()
    fake.push(APP, BOTH, "1.0")
    return fake


def copy(fake: FakeRegistry, target: Repository, workspace: Path) -> None:
    Copying(ImageRegistry(fake), source=APP, target=target, workspace=workspace).copy(BOTH.manifest)


@pytest.mark.parametrize("target", [PROD, ELSEWHERE], ids=["same registry", "another one"])
def test_an_index_is_copied_with_all_that_it_refers_to(
    target: Repository, fake: FakeRegistry, tmp_path: Path
) -> None:
    copy(fake, target, tmp_path)

    assert set(fake.shelf(target).manifests) == EVERYTHING
    assert fake.shelf(target).blobs == fake.shelf(APP).blobs
    assert fake.shelf(target).tags == {}
    assert list(tmp_path.iterdir()) == []
    assert any("mount=" in line for line in fake.log) == (target == PROD)
    assert any(line.startswith("GET blobs/") for line in fake.log) == (target != PROD)


def test_what_was_copied_is_not_sent_again(fake: FakeRegistry, tmp_path: Path) -> None:
    copy(fake, ELSEWHERE, tmp_path)
    fake.log.clear()
    copy(fake, ELSEWHERE, tmp_path)

    assert not any(line.startswith(("POST", "PATCH", "GET blobs")) for line in fake.log)
    assert len([line for line in fake.log if line.startswith("HEAD")]) == 4  # two configs, two layers


def test_an_artifact_is_copied_without_its_subject(fake: FakeRegistry, tmp_path: Path) -> None:
    fake.push(APP, SIGNED)
    Copying(ImageRegistry(fake), source=APP, target=PROD, workspace=tmp_path).copy(SIGNED.manifest)

    assert set(fake.shelf(PROD).manifests) == {spelled(SIGNED.manifest.digest)}


@pytest.mark.parametrize("target", [PROD, ELSEWHERE], ids=["same registry", "another one"])
def test_it_runs_again_after_a_kill_at_any_request(target: Repository, tmp_path: Path) -> None:
    whole = FakeRegistry()
    whole.push(APP, BOTH)
    copy(whole, target, tmp_path)

    for number in range(1, len(whole.log) + 1):
        fake = FakeRegistry()
        fake.push(APP, BOTH)

        def kill(asked: Asked, fake: FakeRegistry = fake, number: int = number) -> None:
            if len(fake.log) == number:
                raise KilledError

        fake.before = kill
        with pytest.raises(KilledError):
            copy(fake, target, tmp_path)
        there = fake.shelf(target)
        assert spelled(BOTH.manifest.digest) not in there.manifests or set(there.manifests) == EVERYTHING
        copy(fake, target, tmp_path)
        assert set(there.manifests) == EVERYTHING
        assert there.blobs == fake.shelf(APP).blobs
        assert there.tags == {}
    assert list(tmp_path.iterdir()) == []


def test_a_child_of_other_bytes(fake: FakeRegistry, tmp_path: Path) -> None:
    lying(
        fake,
        f"GET manifests/{spelled(ONE.manifest.digest)}",
        answer(200, TWO.manifest.content, content_type=IMAGE_MANIFEST),
    )

    fails(lambda: copy(fake, ELSEWHERE, tmp_path), "image-digest-differs", 1)
    assert fake.shelf(ELSEWHERE).manifests == {}


def test_a_layer_of_other_bytes_is_not_sent_on(fake: FakeRegistry, tmp_path: Path) -> None:
    lying(fake, "GET blobs", answer(200, b"x"))

    fails(lambda: copy(fake, ELSEWHERE, tmp_path), "image-digest-differs", 1)
    assert fake.shelf(ELSEWHERE).blobs == {}
    assert not any(line.startswith("POST") for line in fake.log)


def test_indexes_in_indexes_end(fake: FakeRegistry, tmp_path: Path) -> None:
    nested = index(index(index(ONE)))
    fake.push(APP, nested)
    Copying(ImageRegistry(fake), source=APP, target=PROD, workspace=tmp_path).copy(nested.manifest)
    deeper = index(nested)
    fake.push(APP, deeper)
    job = Copying(ImageRegistry(fake), source=APP, target=ELSEWHERE, workspace=tmp_path)

    fails(lambda: job.copy(deeper.manifest), "image-too-deep")
    assert fake.shelf(ELSEWHERE).manifests == {}


def test_an_index_of_too_many(fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_MANIFESTS", 2)

    fails(lambda: copy(fake, PROD, tmp_path), "image-too-deep")
    assert fake.shelf(PROD).manifests == {}
    monkeypatch.setattr(copying, "MOST_MANIFESTS", 3)
    copy(fake, PROD, tmp_path)
    assert set(fake.shelf(PROD).manifests) == EVERYTHING
