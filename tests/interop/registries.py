"""The registries in which images are put: two foreign ones, and the sandbox's as GitLab's and with a list."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from interop.stack import services, supervisor
from interop.stack.places import HOST, Port
from interop.stack.supervisor import Service
from pip_warden.digests import digest_of
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.manifest import Descriptor
from pip_warden.oci.names import Repository
from pip_warden.oci.registry import ImageRegistry
from pip_warden.oci.wire import Wire
from pip_warden.sandbox import Image, Job, Sandbox
from pip_warden.transport import Transport

PROJECT = "acme/widgets"
"""Whose repositories they are: the GitLab's tokens are for those below it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """A registry that runs.

    Attributes:
        host: Its name in references.
        tells: Whether it says of what it takes that it lists it as a referrer. go-containerregistry's lists
            it and does not say so, and then clients must write the fallback tag, too.
    """

    host: str
    tells: bool

    def repository(self, name: str) -> Repository:
        """Return a repository of the project's."""
        return Repository(registry=self.host, path=f"{PROJECT}/{name}")


Opened = Callable[[Sandbox, Path], AbstractContextManager[Shelf]]


@contextmanager
def distribution(gitlab: Sandbox, directory: Path) -> Iterator[Shelf]:
    """Start CNCF distribution, which believes the GitLab's tokens, as that of a GitLab does."""
    keys, config = directory / "registry.jwks", directory / "distribution.yml"
    issuer = gitlab.instance.registry_issuer
    keys.write_text(json.dumps(issuer.jwks()), encoding="utf-8")
    token = {
        "realm": realm(gitlab),
        "service": "container_registry",
        "issuer": issuer.issuer,
        "jwks": str(keys),
    }
    config.write_text(
        json.dumps(
            {
                "version": "0.1",
                "log": {"level": "warn", "accesslog": {"disabled": True}},
                "storage": {"inmemory": {}},
                "auth": {"token": token},
                "http": {
                    "addr": f"{HOST}:{Port.DISTRIBUTION.value}",
                    "debug": {"addr": f"{HOST}:{Port.DISTRIBUTION_HEALTH.value}"},
                },
            }
        ),
        encoding="utf-8",
    )
    with _running(services.distribution(config)):
        yield Shelf(host=f"{HOST}:{Port.DISTRIBUTION.value}", tells=False)


@contextmanager
def go_containerregistry(gitlab: Sandbox, directory: Path) -> Iterator[Shelf]:
    """Start go-containerregistry's, which asks nobody who they are."""
    with _running(services.ggcr_registry()):
        yield Shelf(host=f"{HOST}:{Port.GGCR.value}", tells=False)


@contextmanager
def as_gitlab(gitlab: Sandbox, directory: Path) -> Iterator[Shelf]:
    """Have the sandbox's as GitLab's is: without a list of referrers."""
    gitlab.registry.referrers, gitlab.registry.realm = False, realm(gitlab)
    yield Shelf(host=gitlab.registry_host, tells=False)


@contextmanager
def with_referrers(gitlab: Sandbox, directory: Path) -> Iterator[Shelf]:
    """Have the sandbox's with a list of referrers."""
    gitlab.registry.referrers, gitlab.registry.realm = True, realm(gitlab)
    yield Shelf(host=gitlab.registry_host, tells=True)


@contextmanager
def _running(service: Service) -> Iterator[None]:
    """Run a registry that is empty; one that an ended run left has other keys, and images."""
    supervisor.stop(service.name)
    supervisor.start(service)
    try:
        yield
    finally:
        supervisor.stop(service.name)


REGISTRIES: dict[str, Opened] = {
    "distribution 3.1.2": distribution,
    "go-containerregistry 0.22.1": go_containerregistry,
    "sandbox, as GitLab": as_gitlab,
    "sandbox, with referrers": with_referrers,
}
"""Every registry, by its name on the page."""


def realm(gitlab: Sandbox) -> str:
    """Return where tokens are: by a name, as cosign and crane take no address on loopback."""
    return f"{gitlab.gitlab_url}/jwt/auth".replace(HOST, "localhost")


def log_in(home: Path, gitlab: Sandbox, job: Job) -> None:
    """Log a job in to the registries that want it, as ``docker login`` does."""
    login = base64.b64encode(f"gitlab-ci-token:{job.job_token}".encode()).decode()
    hosts = (f"{HOST}:{Port.DISTRIBUTION.value}", gitlab.registry_host)
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text(
        json.dumps({"auths": {host: {"auth": login} for host in hosts}}), encoding="utf-8"
    )


@contextmanager
def client(home: Path, gitlab: Sandbox, shelf: Shelf) -> Iterator[ImageRegistry]:
    """Return our client, with what is in a home."""
    realms = {shelf.host: frozenset({realm(gitlab)})}
    with Transport() as transport:
        yield ImageRegistry(Wire(transport, RegistryCredentials(environ={"HOME": str(home)}), realms=realms))


def push(registry: ImageRegistry, repository: Repository, image: Image, tag: str | None = None) -> None:
    """Push an image, or an index with its images, with our client."""
    for platform in image.platforms:
        push(registry, repository, platform)
    for blob in image.blobs:
        described = Descriptor(media_type="a/b", digest=digest_of(blob), size=len(blob))
        registry.put_blob(repository, blob, described)
    registry.put_manifest(repository, image.manifest, image.media_type, tag=tag)
