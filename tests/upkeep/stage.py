"""What scenarios play on: the releases that an index has, a lock or requirements, and a trust file.

Texts have placeholders: ``@alpha@`` is a package of the scenario's own, ``@alpha 1.0@`` the lines of its
files' digests (``w`` or ``s`` behind it: the wheel's or the sdist's alone), ``@DAY -1@`` yesterday,
``@SUBJECT alpha@`` who signs it (without the ref); ``@HEAD@`` begins each trust file.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from pip_warden.sandbox import File, Sandbox
from pip_warden.sandbox.faults import Answer
from pip_warden.sandbox.upstream import UpstreamFile
from scenario import play

USUAL = [{"name": "alpha", "version": "1.0", "age": 100}, {"name": "alpha", "version": "2.0", "age": 30}]
HEAD = """\
# Who may publish what.
version = 1

[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "@ROOTSHA256@"
issuers = ["@ISSUER@"]

[source.pypi]
type = "simple"
url = "@PYPI@"
evidence = "@INTEGRITY@"
hash-reason = "nobody signs it"
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scenario plays on: the words of its texts, and what was published."""

    sandbox: Sandbox
    home: Path
    name: str
    words: dict[str, str]
    files: dict[tuple[str, str], list[File]] = field(default_factory=dict)

    def project(self, name: str) -> str:
        return f"{name}-{self.name}"

    def filled(self, text: str) -> str:
        return re.sub(
            r"@([A-Za-z][A-Za-z0-9.-]*(?: [A-Za-z0-9.-]+)*)@", self._word, text.replace("@HEAD@", HEAD)
        )

    def _word(self, found: re.Match[str]) -> str:
        first, *rest = found[1].split()
        if first == "DAY":
            return str(datetime.now(UTC).date() + timedelta(days=int(rest[0])))
        if first in {"SUBJECT", "ID"}:
            project = self.sandbox.project(f"acme/{self.project(rest[0])}")
            return self.sandbox.job(project).san.partition("@")[0] if first == "SUBJECT" else str(project.id)
        if not rest:
            return self.words.get(first) or self.project(first)
        wanted = {"w": ".whl", "s": ".tar.gz"}.get((rest[1:] or [""])[0], "")
        files = [file for file in self.files[first, rest[0]] if file.name.endswith(wanted)]
        return "\n  ".join(f'"{file.name}" = "{file.sha256}"' for file in files)

    def run(self, command: list[str], answers: str | None) -> tuple[int, str]:
        code, said = play([self.filled(word) for word in command], answers)
        return code, " ".join(said.split())

    def publish(self, release: dict[str, Any]) -> list[UpstreamFile]:
        sandbox, project, version = self.sandbox, self.project(release["name"]), release["version"]
        requires = [self.filled(each) for each in release.get("requires", [])]
        files = [sandbox.wheel(project, version, requires=requires), sandbox.sdist(project, version)]
        self.files[release["name"], version] = files
        evidence = {}
        if release.get("signed"):
            extra = {"pipeline_source": release["trigger"]} if "trigger" in release else {}
            job = sandbox.job(sandbox.project(f"acme/{project}"), f"refs/tags/v{version}", **extra)
            evidence = {file.name: [*sandbox.sign(file, job, ("pep740",)).values()] for file in files}
        uploaded = datetime.now(UTC) - timedelta(days=release.get("age", 0))
        return sandbox.upstream.add(
            project, files, provenance=evidence, yanked=release.get("yanked", False), uploaded=uploaded
        )

    def lock(self, needs: dict[str, Any], *, form: str, changed: dict[str, str], has_digests: bool) -> None:
        """Write what is needed as a lock or requirements; ``changed`` is the digest that it has of a file."""
        heads = {"requirements.txt": [], "uv.lock": ["version = 1"]}
        lines = heads.get(form, ['lock-version = "1.0"', 'created-by = "test"'])
        for name, versions in needs.items():
            for version in [versions] if isinstance(versions, str) else versions:
                files = self.files.get((name, version)) or [self.sandbox.wheel(self.project(name), version)]
                digests = {file.name: changed.get(file.name, file.sha256) for file in files if has_digests}
                lines += self._locked(name, version, digests, form)
        if len(lines) == 2:
            lines.append("packages = []")
        (self.home / form).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _locked(self, name: str, version: str, digests: dict[str, str], form: str) -> Iterator[str]:
        if form == "requirements.txt":
            hashes = "".join(f" --hash=sha256:{digest}" for digest in digests.values())
            yield f"{self.project(name)}=={version}{hashes}"
            return
        if form == "uv.lock":  # the only one here that may name an index and no file
            yield f'[[package]]\nname = "{self.project(name)}"\nversion = "{version}"'
            yield f'source = {{ registry = "{self.words["INDEX"]}" }}'
            return
        yield f'[[packages]]\nname = "{self.project(name)}"\nversion = "{version}"'
        yield f'index = "{self.words["INDEX"]}"'
        for file, digest in digests.items():
            table = "[[packages.wheels]]" if file.endswith(".whl") else "[packages.sdist]"
            url = f"https://files.example/{file}"
            yield f'{table}\nname = "{file}"\nurl = "{url}"\nhashes = {{ sha256 = "{digest}" }}'


def _page(stage: Stage, scenario: dict[str, Any], added: dict[str, list[UpstreamFile]]) -> None:
    """Have the index answer with another page: in HTML, which says no times, maybe without digests."""
    for name in scenario.get("html", []):
        with_digest = scenario.get("digests", True)
        links = "".join(
            f'<a href="{stage.sandbox.upstream.files_url}{file.path}'
            f'{f"#sha256={file.claimed_sha256}" if with_digest else ""}">{file.name}</a>'
            for file in added[name]
        )
        body = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        answer = Answer(status=200, body=body, headers=(("content-type", "text/html"),))
        path = re.compile(f"^/simple/{stage.project(name)}/$")
        stage.sandbox.fault(answer, path, origin="pypi", times=None)


@contextlib.contextmanager
def staged(sandbox: Sandbox, home: Path, name: str, scenario: dict[str, Any]) -> Iterator[Stage]:
    """Publish the releases of a scenario, and write what is needed into its working directory.

    Args:
        sandbox: The sandbox.
        home: A directory, which holds all of the scenario.
        name: The scenario's name, which no other has.
        scenario: What its ``scenario.toml`` says.
    """
    (home / scenario.get("trust", "")).mkdir(parents=True, exist_ok=True)
    root = sandbox.write_trust(home / scenario.get("trust", ""))
    words = {
        "PYPI": sandbox.upstream.simple_url,
        "INTEGRITY": sandbox.upstream.integrity_url,
        "MIRROR": sandbox.upstream.mirror_url,
        "ISSUER": sandbox.issuer,
        "HOSTS": sandbox.gitlab_url.partition("://")[2],
        "ROOTSHA256": sha256(root.read_bytes()).hexdigest(),
    }
    words["INDEX"] = words.get(scenario.get("index", "PYPI"), scenario.get("index", ""))
    stage = Stage(sandbox=sandbox, home=home, name=name, words=words)
    added: dict[str, list[UpstreamFile]] = {}
    for release in scenario.get("release", USUAL):
        added.setdefault(release["name"], []).extend(stage.publish(release))
    _page(stage, scenario, added)
    for fault in scenario.get("fault", []):
        action = Answer(status=fault["status"], body=fault.get("body", "").encode())
        sandbox.fault(action, re.compile(stage.filled(fault["path"])), origin=fault["origin"], times=None)
    changed = {file.name: "0" * 64 for name in scenario.get("changed", []) for file in added[name]}
    if "needs" in scenario:
        has_digests = not scenario.get("locked-without-digests", False)
        form = scenario.get("form", "pylock.toml")
        stage.lock(scenario["needs"], form=form, changed=changed, has_digests=has_digests)
    yield stage
    sandbox.faults.clear()
