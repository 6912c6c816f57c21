"""The sandbox as a process of its own, for it must not share an interpreter with what is measured.

It takes one order a line on standard input, answers each by a line of JSON, and ends with its input.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from pip_warden.sandbox import Delay, File, Project, Sandbox
from pip_warden.sandbox.packages import normalized
from pip_warden.sandbox.signing import EvidenceForm

FAN_OUT = 4
"""How many packages a package of the tree requires."""
WEIGHT = 100_000
"""Bytes of a wheel's content; they do not compress."""


class Desk:
    """Take orders: each method is one, with its arguments."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self._sandbox = sandbox
        self._directory = directory
        self._root = sandbox.write_trust(directory)

    def where(self) -> dict[str, str]:
        """Return URLs, a token that may do everything, and where the trust configuration lies."""
        token = self._sandbox.token(scopes=("api",))
        return {
            "gitlab": self._sandbox.gitlab_url,
            "fulcio": self._sandbox.fulcio_url,
            "rekor": self._sandbox.rekor_url,
            "issuer": self._sandbox.issuer,
            "token": token,
            "trust": str(self._directory),
        }

    def release(self, *, label: str, count: int, form: EvidenceForm, sdists: bool) -> dict[str, Any]:
        """Publish a tree of signed packages, each from a project of its own, and pin them in a trust file.

        They are signed by jobs of the default branch, as in GitLab's tutorial.
        """
        names = [f"{label}-{number:03}" for number in range(count)]
        projects = [self._sandbox.project(f"{label}/{name}") for name in names]
        for number, project in enumerate(projects):
            first = FAN_OUT * number + 1
            needs = tuple(names[first : first + FAN_OUT])
            self._publish(project, self._files(names[number], needs, sdists=sdists), form)
        return {
            "root": names[0],
            "names": names,
            "index": self._sandbox.group_simple_url(label),
            "trust_file": str(self._pin(label, projects)),
        }

    def delay(self, *, seconds: float) -> None:
        """Put every origin so far away; 0 for none."""
        self._sandbox.faults.clear()
        if seconds:
            self._sandbox.fault(Delay(round_trip=seconds), times=None)

    def asked(self) -> int:
        """Return how many requests there were since this was last asked."""
        counted = len(self._sandbox.requests)
        self._sandbox.clear_requests()
        return counted

    def job(self, *, project: str) -> dict[str, str]:
        """Return the variables of a new job on a project's default branch, its ID token included."""
        return self._sandbox.job(self._sandbox.project(project)).variables()

    def large(self, *, path: str, evidence: str) -> dict[str, Any]:
        """Publish a file that lies on the disk, with its bundle, and pin it."""
        file = Path(path)
        name = normalized(File(name=file.name, data=b"").distribution)
        project = self._sandbox.project(f"large/{name}")
        version = File(name=file.name, data=b"").version
        self._sandbox.put_evidence(project, version, {Path(evidence).name: Path(evidence).read_bytes()})
        self._sandbox.put_file_by_path(project, file)
        trust_file = str(self._pin(name, [project]))
        index = self._sandbox.group_simple_url("large")
        return {"root": name, "names": [name], "index": index, "trust_file": trust_file}

    def keys(self) -> dict[str, str]:
        """Write the trusted root as the separate PEM files that cosign 2 reads, by its variables' names."""
        root = json.loads(self._root.read_bytes())
        chain = root["certificateAuthorities"][0]["certChain"]["certificates"]
        pems = {
            "SIGSTORE_ROOT_FILE": b"".join(_certificate(item["rawBytes"]) for item in chain),
            "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": _key(root["ctlogs"][0]),
            "SIGSTORE_REKOR_PUBLIC_KEY": _key(root["tlogs"][0]),
        }
        for name, pem in pems.items():
            (self._directory / f"{name}.pem").write_bytes(pem)
        return {name: str(self._directory / f"{name}.pem") for name in pems}

    def _files(self, name: str, requires: tuple[str, ...], *, sdists: bool) -> Iterator[File]:
        noise = random.Random(name).randbytes(WEIGHT)  # noqa: S311 -- the same in every run
        module = name.replace("-", "_")
        content: dict[str, str | bytes] = {f"{module}/__init__.py": "", f"{module}/noise.bin": noise}
        yield self._sandbox.wheel(name, "1.0", requires=requires, files=content)
        if sdists:
            yield self._sandbox.sdist(name, "1.0", requires=requires, files={f"{module}/noise.bin": noise})

    def _publish(self, project: Project, files: Iterator[File], form: EvidenceForm) -> None:
        self._sandbox.publish(project, tuple(files), job=self._sandbox.job(project), forms=(form,))

    def _pin(self, label: str, projects: list[Project]) -> Path:
        path = self._directory / f"{label}.toml"
        path.write_text(
            _trust_text(
                self._root, self._sandbox.issuer, self._sandbox.gitlab_url, [_pin(each) for each in projects]
            ),
            encoding="utf-8",
        )
        return path


def main() -> None:
    """Serve until standard input ends; the only argument is the GitLab's port, 0 for any."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        Sandbox(ports={"gitlab": int(sys.argv[1])}) as sandbox,
    ):
        desk = Desk(sandbox, Path(name))
        for line in sys.stdin:
            order, arguments = json.loads(line)
            answer: Callable[..., object] = getattr(desk, order)
            print(json.dumps(answer(**arguments)), flush=True)


def _pin(project: Project) -> str:
    name = project.record.name
    return f"""[[package]]
name = "{name}"
source = "bench"
project = "{project.path}"
  [[package.identity]]
  issuer = "ISSUER"
  subject = "https://HOST/{project.path}//.gitlab-ci.yml@refs/heads/{project.record.default_branch}"
  project-id = {project.id}
"""


def _trust_text(root: Path, issuer: str, url: str, pins: list[str]) -> str:
    digest = hashlib.sha256(root.read_bytes()).hexdigest()
    text = f"""version = 1
[sigstore]
trusted-root = "{root.name}"
trusted-root-sha256 = "{digest}"
issuers = ["ISSUER"]
[source.bench]
type = "gitlab"
url = "{url}"
"""
    host = issuer.partition("://")[2]
    return (text + "".join(pins)).replace("ISSUER", issuer).replace("HOST", host)


def _certificate(raw: str) -> bytes:
    return load_der_x509_certificate(base64.b64decode(raw)).public_bytes(Encoding.PEM)


def _key(log: dict[str, Any]) -> bytes:
    key = load_der_public_key(base64.b64decode(log["publicKey"]["rawBytes"]))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


if __name__ == "__main__":
    main()
