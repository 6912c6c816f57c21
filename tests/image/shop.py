"""A repository of images in the sandbox's registry, who publishes there, and who verifies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Said, typed
from pip_warden.digests import Digest
from pip_warden.digests import digest_of as bytes_digest
from pip_warden.oci.names import parse_digest
from pip_warden.publish.image_statement import image_statement, signature_statement
from pip_warden.sandbox import Job, Project, Sandbox
from pip_warden.sandbox.images import Image
from pip_warden.sandbox.signing import PROVENANCE, provenance

AMD = ("amd64", {"app": b"amd"})
ARM = ("arm64", {"app": b"arm"})


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A repository, its publisher's job at the tag ``v1.0``, and a directory with a trust file.

    Attributes:
        sandbox: The sandbox.
        project: The project whose registry it is.
        name: The image's name below the project's path.
        job: The job that signs.
        home: The verifier's directory.
        patch: Sets the environment.
    """

    sandbox: Sandbox
    project: Project
    name: str
    job: Job
    home: Path
    patch: pytest.MonkeyPatch

    @property
    def repository(self) -> str:
        """Registry and path."""
        return f"{self.project.image}/{self.name}"

    def platform(self, machine: str, content: Mapping[str, bytes]) -> Image:
        """Build an image of one layer for a platform."""
        return self.sandbox.image(content, platform=f"linux/{machine}")

    def index(self) -> Image:
        """Build an index of two platforms."""
        return self.sandbox.image_index([self.platform(*AMD), self.platform(*ARM)])

    def push(self, image: Image, tag: str | None = "1.0") -> Image:
        """Push an image, unsigned."""
        self.sandbox.push_image(self.project, image, tag, name=self.name)
        return image

    def pushed(self, tag: str = "1.0", text: bytes = b"one") -> Image:
        """Build, push and sign an image."""
        image = self.push(self.platform("amd64", {"app": text}), tag)
        self.sign(image)
        return image

    def sign(self, image: Image, *, job: Job | None = None, **annotations: str) -> str:
        """Sign an image; return the digest of the artifact."""
        statement = signature_statement(digest_of(image), annotations)
        return self.attach(image, self.bundle(statement, job))

    def attest(self, image: Image, *, job: Job | None = None) -> str:
        """Attest how an image was built."""
        made: Any = provenance(job or self.job)
        return self.attach(image, self.bundle(image_statement(digest_of(image), PROVENANCE, made), job))

    def bundle(self, statement: bytes, job: Job | None = None) -> bytes:
        """Sign a statement."""
        signed = self.sandbox.sigstore.sign_statement(statement, (job or self.job).claims())
        return json.dumps(signed).encode()

    def attach(self, image: Image, content: bytes, *, about: Image | None = None) -> str:
        """List an artifact with an image, as one about it, or about another one."""
        artifact = self.sandbox.artifact(content, subject=about or image)
        return self.sandbox.attach(self.project, image.digest, artifact, name=self.name)

    def sign_as_cosign_2(self, image: Image, payload: bytes) -> None:
        """Sign a payload and put it under the tag that cosign 2 uses for the image."""
        signature, certificate = self.sandbox.sigstore.sign_detached(payload, self.job.claims())
        layer = "application/vnd.dev.cosign.simplesigning.v1+json"
        made = self.sandbox.artifact(payload, layer_type=layer)
        document = json.loads(made.manifest)
        document["layers"][0]["annotations"] = {
            "dev.cosignproject.cosign/signature": signature.decode().strip(),
            "dev.sigstore.cosign/certificate": certificate.decode(),
        }
        tag = f"{image.digest.replace(':', '-')}.sig"
        self.push(replace(made, manifest=json.dumps(document).encode()), tag)

    def pin(self, *, subject: str = "", require: str = "", revoked: tuple[Image, ...] = ()) -> None:
        """Write the trust file."""
        subject = subject or self.job.san.replace("v1.0", "v{tag}")
        (self.home / "pytrust.toml").write_text(
            self._root()
            + f'[[image]]\nrepository = "{self.repository}"\n'
            + f'[[image.identity]]\nissuer = "{self.sandbox.issuer}"\nsubject = "{subject}"\n'
            + f"project-id = {self.project.id}\n[image.require]\n{require}\n"
            + "".join(f'[[revoked]]\nsha256 = "{digest_of(each)}"\nreason = "a leak"\n' for each in revoked)
        )

    def pin_another(self) -> None:
        """Write a trust file that pins another repository of the registry."""
        replace(self, name="another").pin()

    def verify(self, what: str = ":1.0", *words: str) -> Said:
        """Type ``image verify``."""
        return typed("image", "verify", f"{self.repository}{what}", *words)

    def inspect(self, what: str = ":1.0", *words: str) -> Said:
        """Type ``image inspect``."""
        return typed("image", "inspect", f"{self.repository}{what}", *words)

    def answered(self, text: str = "") -> list[str]:
        """Return the paths with a text in them that the registry answered with what is there."""
        return [
            each.path
            for each in self.sandbox.requests
            if each.origin == "registry" and each.status == 200 and text in each.path
        ]

    @contextmanager
    def setting(self, **values: object) -> Iterator[None]:
        """Change the registry's settings for a while."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in values.items():
                patch.setattr(self.sandbox.registry, name, value)
            yield

    def _root(self) -> str:
        path = self.sandbox.write_trust(self.home)
        digest = bytes_digest(path.read_bytes())
        return (
            f'version = 1\n[sigstore]\ntrusted-root = "{path.name}"\ntrusted-root-sha256 = "{digest}"\n'
            f'issuers = ["{self.sandbox.issuer}"]\n'
        )


def digest_of(image: Image) -> Digest:
    """Return the digest of an image."""
    return parse_digest(image.digest)
