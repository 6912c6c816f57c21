"""The whole sandbox in one object: GitLab, registry, Sigstore and pypi.org, each on its own origins."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pip_warden.sandbox import dump, packages, signing
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.faults import Action, Faults, InjectedFault
from pip_warden.sandbox.gitlab.app import gitlab_app
from pip_warden.sandbox.gitlab.instance import Instance
from pip_warden.sandbox.gitlab.oidc import OidcIssuer
from pip_warden.sandbox.gitlab.state import GitLabState
from pip_warden.sandbox.image_edits import ImageEdits
from pip_warden.sandbox.origins import HOST, Origins
from pip_warden.sandbox.people import People
from pip_warden.sandbox.recorder import RecordedRequest, Recorder
from pip_warden.sandbox.registry.app import registry_app
from pip_warden.sandbox.registry.service import ContainerRegistry
from pip_warden.sandbox.registry.store import ImageStore
from pip_warden.sandbox.registry_edits import RegistryEdits
from pip_warden.sandbox.signing import EvidenceForm
from pip_warden.sandbox.sigstore import SigstoreService, Urls
from pip_warden.sandbox.sigstore.fulcio_app import fulcio_app
from pip_warden.sandbox.sigstore.rekor_app import rekor_app
from pip_warden.sandbox.sigstore.tsa_app import tsa_app
from pip_warden.sandbox.storage import ObjectStorage
from pip_warden.sandbox.tenants import Tenants
from pip_warden.sandbox.tls import make as make_tls
from pip_warden.sandbox.upstream import Upstream

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from starlette.types import ASGIApp

    from pip_warden.sandbox.gitlab.settings import InstanceSettings
    from pip_warden.sandbox.handles import Job, Project
    from pip_warden.sandbox.packages import File
    from pip_warden.sandbox.sigstore import Lie

ORIGINS = ("gitlab", "registry", "storage", "pypi", "files", "fulcio", "rekor", "tsa", "people")
"""Names of the origins, as in the log of requests and in ``ports``."""

_WITH_TLS = frozenset({"gitlab", "storage", "pypi", "files"})


class Sandbox(Tenants, RegistryEdits, ImageEdits):
    """Run everything on loopback from construction to `close`; also a context manager.

    Args:
        relative_url: Path under which GitLab is installed, such as ``/gitlab``; empty for none.
        tls: Whether the origins of GitLab, the storage, pypi.org and its files are https, with a CA of their
            own (`ca_file`). The registry's is not: clients speak http to any registry on loopback.
        host: The host in every URL, ``127.0.0.1`` or ``localhost``: a name is constrained otherwise than an
            address.
        ports: Fixed ports by origin; any free port for the others.
        clock: The clock; real time by default.
    """

    def __init__(
        self,
        *,
        relative_url: str = "",
        tls: bool = False,
        host: str = HOST,
        ports: Mapping[str, int] | None = None,
        clock: SandboxClock | None = None,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.state = GitLabState(self.clock.now)
        self.faults = Faults()
        self._recorder = Recorder(self.clock.now)
        self._directory = tempfile.TemporaryDirectory(prefix="sandbox-")
        self._origins = Origins(host)
        self.ca_file: Path | None = None
        try:
            urls = self._bind(dict(ports or {}), tls=tls)
            self.gitlab_url = urls["gitlab"] + relative_url
            self.storage_url, self.files_url = urls["storage"], urls["files"]
            self.fulcio_url, self.rekor_url, self.tsa_url = urls["fulcio"], urls["rekor"], urls["tsa"]
            self.upstream = Upstream(url=urls["pypi"], files_url=urls["files"], now=self.clock.now)
            self.instance, self.registry = self._instances(urls["registry"], ImageStore())
            self.people = People(urls["people"], self.clock.now)
            self.sigstore = SigstoreService(
                self.clock,
                jwks_for=self._jwks_for,
                issuers=[self.issuer, self.people.issuer],
                urls=Urls(
                    fulcio=self.fulcio_url, rekor=self.rekor_url, tsa=self.tsa_url, oidc=self.people.issuer
                ),
            )
            self._origins.start({name: self._wrapped(name, app) for name, app in self._apps().items()})
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all servers and discard the state.

        Raises:
            SandboxError: The servers had ended by themselves.
        """
        self.faults.close()
        try:
            self._origins.stop()
        finally:
            self._directory.cleanup()

    @property
    def settings(self) -> InstanceSettings:
        """Return GitLab's settings."""
        return self.state.settings

    @property
    def pypi_url(self) -> str:
        """Return the simple index of pypi.org's stand-in."""
        return self.upstream.simple_url

    @property
    def registry_url(self) -> str:
        """Return the container registry's origin."""
        return self.registry.url

    @property
    def registry_host(self) -> str:
        """Return host and port of the container registry: the first part of an image's name."""
        return self.registry.host

    @property
    def issuer(self) -> str:
        """Return the issuer of ID tokens."""
        return self.instance.oidc.issuer

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Return every request so far, to whichever origin."""
        return self._recorder.requests

    def clear_requests(self) -> None:
        """Clear the log of requests."""
        self._recorder.clear()

    wheel = staticmethod(packages.wheel)
    sdist = staticmethod(packages.sdist)

    def sign(
        self, file: File, job: Job, forms: Sequence[EvidenceForm] = ("bundle",), *, lie: Lie | None = None
    ) -> dict[str, bytes]:
        """Return evidence for a file, by file name; ``lie`` is what Sigstore does wrong meanwhile."""
        return signing.sign(self.sigstore, file, job, forms, lie=lie)

    def publish(
        self,
        project: Project,
        files: Sequence[File],
        *,
        job: Job | None = None,
        forms: Sequence[EvidenceForm] = ("bundle",),
        evidence_name: str | None = None,
    ) -> None:
        """Publish files with their evidence, as a good pipeline of the project would.

        Args:
            project: The project.
            files: Its files.
            job: The job that signs; by default one for the tag ``v{version}`` of each file.
            forms: Forms of evidence; empty for none.
            evidence_name: Name of the generic package; the project's name by default.
        """
        for file in files:
            signer = job or self.job(project, tag=f"v{file.version}")
            self.put_evidence(project, file.version, self.sign(file, signer, forms), package=evidence_name)
            self.put_files(project, [file], job=signer)

    def rotate(self, what: str, *, end: bool = True, forget: bool = False) -> None:
        """Rotate the key of ``ca``, ``rekor``, ``ct``, ``tsa`` or ``oidc``.

        Args:
            what: Whose key.
            end: Whether the trusted root ends the old one's validity now (not for ``oidc``).
            forget: Whether the trusted root drops the old one altogether (not for ``oidc``).

        Raises:
            SandboxError: There is no such key.
        """
        match what:
            case "ca":
                self.sigstore.rotate_ca(end=end, forget=forget)
            case "rekor":
                self.sigstore.rotate_rekor(end=end, forget=forget)
            case "ct":
                self.sigstore.rotate_ct(end=end, forget=forget)
            case "tsa":
                self.sigstore.rotate_tsa(end=end, forget=forget)
            case "oidc":
                self.instance.oidc.rotate()
            case _:
                msg = f"there is no key {what!r} to rotate; there are ca, ct, oidc, rekor and tsa"
                raise SandboxError(msg)

    def write_trust(self, directory: Path) -> Path:
        """Write trusted_root.json, signing_config.json and trust_config.json; return the first one's path."""
        documents = {
            "trusted_root": self.sigstore.trusted_root(),
            "signing_config": self.sigstore.signing_config(),
            "trust_config": self.sigstore.trust_config(),
        }
        dump.write(directory, documents)
        return directory / "trusted_root.json"

    def fault(
        self,
        action: Action,
        path: str | re.Pattern[str] = "",
        *,
        method: str | None = None,
        origin: str | None = None,
        times: int | None = 1,
    ) -> InjectedFault:
        """Apply an action to the next requests whose path and query match: `pip_warden.sandbox.faults`."""
        return self.faults.add(
            InjectedFault(action=action, path=path, method=method, origin=origin, times=times)
        )

    def dump(self, directory: Path) -> None:
        """Write the state as JSON files into a directory."""
        documents = {
            "projects": dump.projects(self.state),
            "registry": self.registry.store.state(),
            "requests": dump.requests(self.requests),
            "upstream": self.upstream.state(),
            "sigstore": self.sigstore.state(),
        }
        dump.write(directory, documents)

    def _bind(self, ports: dict[str, int], *, tls: bool) -> dict[str, str]:
        unknown = ports.keys() - set(ORIGINS)
        if unknown:
            msg = f"no origin is called {', '.join(sorted(unknown))}; there are {', '.join(ORIGINS)}"
            raise SandboxError(msg)
        files = None
        if tls:
            self.ca_file, files = make_tls(Path(self._directory.name))
        return {
            name: self._origins.bind(name, port=ports.get(name, 0), tls=files if name in _WITH_TLS else None)
            for name in ORIGINS
        }

    def _instances(self, registry_url: str, store: ImageStore) -> tuple[Instance, ContainerRegistry]:
        def stored(key: str) -> bytes | None:
            found = store.stored(key)
            return self.state.stored(key) if found is None else found

        issuer = OidcIssuer(lambda: "gitlab-issuer")
        instance = Instance(
            url=self.gitlab_url,
            state=self.state,
            storage=ObjectStorage(url=self.storage_url, now=self.clock.now, load=stored),
            upstream=self.upstream,
            ca_file=self.ca_file,
            oidc=OidcIssuer(lambda: self.settings.issuer or self.settings.external_url or self.gitlab_url),
            registry_host=urlsplit(registry_url).netloc,
            registry_issuer=issuer,
        )
        return instance, ContainerRegistry(
            url=registry_url,
            token_url=lambda: instance.registry_token_url,
            issuer=issuer,
            storage=instance.storage,
            now=self.clock.now,
            store=store,
        )

    def _apps(self) -> dict[str, ASGIApp]:
        return {
            "gitlab": gitlab_app(self.instance),
            "registry": registry_app(self.registry),
            "storage": self.instance.storage.app,
            "pypi": self.upstream.app,
            "files": self.upstream.files_app,
            "fulcio": fulcio_app(self.sigstore),
            "rekor": rekor_app(self.sigstore),
            "tsa": tsa_app(self.sigstore),
            "people": self.people.app(),
        }

    def _wrapped(self, name: str, app: ASGIApp) -> ASGIApp:
        return self._recorder.wrap(name, self.faults.wrap(name, app))

    def _jwks_for(self, issuer: str) -> dict[str, object] | None:
        if issuer == self.people.issuer:
            return self.people.jwks()
        return self.instance.oidc.jwks() if issuer == self.issuer else None
