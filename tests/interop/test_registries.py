"""Our client on every registry: what it writes is there, lists are whole, and what is absent is told so."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.registries import REGISTRIES, Shelf, client, distribution, log_in, push
from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError, RegistryError
from pip_warden.oci import upload
from pip_warden.oci.copying import Copying
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.manifest import Descriptor
from pip_warden.oci.names import ImageReference, Repository, parse_digest
from pip_warden.oci.referrers import add_referrer, fallback_tag, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.oci.wire import Wire
from pip_warden.sandbox import Sandbox
from pip_warden.transport import Transport

pytestmark = pytest.mark.interop


@pytest.fixture(params=REGISTRIES)
def shelf(request: pytest.FixtureRequest, gitlab: Sandbox, tmp_path: Path) -> Iterator[Shelf]:
    log_in(tmp_path, gitlab, gitlab.job(gitlab.project("acme/widgets"), tag="v1.0"))
    with REGISTRIES[request.param](gitlab, tmp_path) as shelf:
        yield shelf


@pytest.fixture
def registry(shelf: Shelf, gitlab: Sandbox, tmp_path: Path) -> Iterator[ImageRegistry]:
    with client(tmp_path, gitlab, shelf) as registry:
        yield registry


def test_our_client(
    registry: ImageRegistry, shelf: Shelf, gitlab: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, other = shelf.repository("app"), shelf.repository("other")
    images = [gitlab.image({"a": "b"}, platform=f"linux/{machine}") for machine in ("amd64", "arm64")]
    index = gitlab.image_index(images)
    digest = parse_digest(index.digest)

    # Images and tags.
    assert registry.find(app, "1.0") is None
    push(registry, app, index, "1.0")
    push(registry, app, images[0], "2.0")
    assert registry.find(app, "3.0") is None
    assert sorted(registry.tags(app)) == ["1.0", "2.0"]
    found = registry.resolve(ImageReference(repository=app, tag="1.0", digest=digest))
    assert (found.content, found.platforms) == (index.manifest, ("linux/amd64", "linux/arm64"))
    with pytest.raises(RegistryError) as caught:
        registry.manifest(app, digest_of(b"not there"))
    assert caught.value.code == "not-found"

    # Blobs, piece by piece.
    monkeypatch.setattr(upload, "PIECE", 1000)
    content = bytes(range(256)) * 10
    described = Descriptor(media_type="a/b", digest=digest_of(content), size=len(content))
    registry.put_blob(app, io.BytesIO(content), described)
    read = io.BytesIO()
    registry.blob(app, described, read)
    assert read.getvalue() == content
    assert not registry.has_blob(other, digest_of(b"not there"))

    # Referrers, each once.
    assert referrers(registry, app, digest) == ()
    artifacts = [gitlab.artifact(data, subject=index) for data in (b"{}", b'{"a": 1}', b'{"a": 2}')]
    for artifact in artifacts * 2:
        for blob in artifact.blobs:
            part = Descriptor(media_type="a/b", digest=digest_of(blob), size=len(blob))
            registry.put_blob(app, blob, part)
        add_referrer(registry, app, found.described(), artifact.manifest)
    listed = referrers(registry, app, digest)
    assert sorted(one.digest.hex for one in listed) == sorted(
        parse_digest(one.digest).hex for one in artifacts
    )
    assert (fallback_tag(digest) in registry.tags(app)) != shelf.tells

    # Copies.
    for _ in range(2):
        Copying(registry, source=app, target=other, workspace=tmp_path).copy(found)
    assert registry.manifest(other, digest) == found
    assert registry.find(other, "1.0") is None


def test_credentials_at_the_real_distribution(gitlab: Sandbox, tmp_path: Path) -> None:
    job = gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
    log_in(tmp_path, gitlab, job)
    gitlab.project("acme/theirs")
    with distribution(gitlab, tmp_path) as shelf, client(tmp_path, gitlab, shelf) as registry:
        ours, theirs = shelf.repository("app"), Repository(registry=shelf.host, path="acme/theirs")
        push(registry, ours, gitlab.image({"a": "b"}), "1.0")
        with pytest.raises(CredentialsError) as caught:
            push(registry, theirs, gitlab.image({"a": "b"}), "1.0")
        assert caught.value.code == "credentials-refused"

        with Transport() as transport:  # no trust file pins the realm
            strict = ImageRegistry(Wire(transport, RegistryCredentials(environ={"HOME": str(tmp_path)})))
            with pytest.raises(CredentialsError) as caught:
                strict.find(ours, "1.0")
        assert caught.value.code == "registry-realm"

        job.finish()
        with client(tmp_path, gitlab, shelf) as anew, pytest.raises(CredentialsError) as caught:
            anew.find(ours, "1.0")
        assert caught.value.code == "credentials-refused"
