"""The client, its requests and the sandbox's registry together: with referrers, and without as GitLab's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci.fake import Image, artifact, fails, image, index
from pip_warden.digests import digest_of
from pip_warden.oci import upload
from pip_warden.oci.copying import Copying
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.door import Door
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import ImageReference, Repository, parse_repository
from pip_warden.oci.referrers import add_referrer, fallback_tag, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.oci.wire import Wire
from pip_warden.sandbox import Job, Project, Sandbox
from pip_warden.transport import Transport

ONE, TWO = image("one"), image("two")
BOTH = index(ONE, TWO, platforms=("linux/amd64", "linux/arm64/v8"))


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/tools")


@pytest.fixture
def job(sandbox: Sandbox, project: Project) -> Job:
    return sandbox.job(project)


@pytest.fixture
def registry(job: Job, transport: Transport) -> ImageRegistry:
    door: Door = Wire(transport, RegistryCredentials(environ=job.variables()))
    return ImageRegistry(door)


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport() as transport:
        yield transport


@pytest.fixture
def app(project: Project, request: pytest.FixtureRequest) -> Repository:
    """A repository of the test's own: the sandbox is one for all of them."""
    name = digest_of(str(request.node.name).encode()).hex[:12]
    return parse_repository(f"{project.image}/{name}")


def push(registry: ImageRegistry, repository: Repository, one: Image, tag: str | None = None) -> Manifest:
    for child in one.children:
        push(registry, repository, child)
    for blob in one.blobs:
        described = Descriptor(media_type="a/b", digest=digest_of(blob), size=len(blob))
        registry.put_blob(repository, blob, described)
    registry.put_manifest(repository, one.manifest.content, one.manifest.media_type, tag=tag)
    return one.manifest


def test_what_is_pushed_is_resolved(registry: ImageRegistry, app: Repository) -> None:
    assert registry.find(app, "1.0") is None
    push(registry, app, BOTH, "1.0")
    push(registry, app, ONE, "2.0")

    found = registry.resolve(ImageReference(repository=app, tag="1.0", digest=BOTH.manifest.digest))
    assert found == BOTH.manifest
    assert found.platforms == ("linux/amd64", "linux/arm64/v8")
    assert registry.find(app, "3.0") is None
    assert registry.tags(app) == ("1.0", "2.0")
    layer = ONE.manifest.layers[0]
    to = io.BytesIO()
    registry.blob(app, layer, to)
    assert to.getvalue() == registry.small_blob(app, layer, 1000) == ONE.blobs[1]
    named = ImageReference(repository=app, tag="2.0", digest=BOTH.manifest.digest)
    fails(lambda: registry.resolve(named), "image-tag-moved", 1)


def test_a_large_blob_arrives_piece_by_piece(
    registry: ImageRegistry, app: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE", 1000)
    content = bytes(range(256)) * 10
    described = Descriptor(media_type="a/b", digest=digest_of(content), size=len(content))
    registry.put_blob(app, io.BytesIO(content), described)

    assert registry.small_blob(app, described, 1 << 20) == content


@pytest.mark.parametrize("lists", [False, True])
def test_referrers(
    lists: bool,
    sandbox: Sandbox,
    registry: ImageRegistry,
    app: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandbox.registry, "referrers", lists)
    monkeypatch.setattr(sandbox.registry, "referrers_page", 1)
    subject = push(registry, app, BOTH, "1.0").described()
    assert referrers(registry, app, subject.digest) == ()
    made = [artifact(subject, text, by=text) for text in ("a", "b", "c")]
    for one in made:
        for blob in one.blobs:
            described = Descriptor(media_type="a/b", digest=digest_of(blob), size=len(blob))
            registry.put_blob(app, blob, described)
        add_referrer(registry, app, subject, one.manifest.content)
        add_referrer(registry, app, subject, one.manifest.content)

    found = referrers(registry, app, subject.digest)
    assert {one.digest for one in found} == {one.manifest.digest for one in made}
    assert len(found) == 3
    assert (fallback_tag(subject.digest) in registry.tags(app)) != lists


def test_an_image_is_copied_within_the_registry(
    registry: ImageRegistry, app: Repository, project: Project, tmp_path: Path
) -> None:
    push(registry, app, BOTH, "1.0")
    target = parse_repository(f"{project.image}/prod")
    for _ in range(2):
        Copying(registry, source=app, target=target, workspace=tmp_path).copy(BOTH.manifest)

    assert registry.manifest(target, BOTH.manifest.described()) == BOTH.manifest
    assert registry.small_blob(target, ONE.manifest.layers[0], 1000) == ONE.blobs[1]
    assert registry.tags(target) == ()
