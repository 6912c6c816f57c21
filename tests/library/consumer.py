"""A program that uses the library and nothing else of ours; `make check` runs `mypy --strict` over it.

A test runs its :func:`main` and looks that it imports nothing but `pip_warden` and the standard library.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, assert_never

import pip_warden
from pip_warden import Accepted, Refused, Report, Reporter, Supply, TrustFile, Verdict


class Given:
    """Files and their evidence in memory."""

    def __init__(self, files: dict[str, bytes], evidence: dict[str, bytes]) -> None:
        self.files = files
        self.evidence_of = evidence
        self.asked: list[str] = []

    def page(self, project: str) -> Iterable[str]:
        self.asked.append(project)
        return list(self.files)

    def file(self, name: str) -> BinaryIO:
        return io.BytesIO(self.files[name])

    def evidence(self, name: str, sha256: str) -> Iterable[bytes]:
        self.asked.append(sha256)
        return [self.evidence_of[name]] if name in self.evidence_of else []


class Steps(Reporter):
    """Collects what is being done."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def step(self, message: str) -> None:
        self.seen.append(message)


def said(verdict: Verdict) -> str:
    """Say a verdict; there is no third one."""
    match verdict:
        case Accepted():
            return f"accepted {verdict.artifact.digest.hex} {verdict.signer}"
        case Refused():
            return f"refused {verdict.code} {verdict.fault.expected} {verdict.fault.found}"
        case _:
            assert_never(verdict)


def judged(
    trust: TrustFile, wheel: Path, supply: Supply, python: Path
) -> tuple[str, Report, Report, list[str]]:
    """Judge a file, judge a release and install it, in one session."""
    steps = Steps()
    settings = replace(pip_warden.Settings.from_environment(), offline=True)
    request = pip_warden.InstallRequest(packages=("acme-widgets",), python=python, options=("--no-deps",))
    with pip_warden.open_session(trust, settings=settings, supply=supply, reporter=steps) as session:
        verdict = session.judge_file(wheel, evidence=supply.evidence(wheel.name, ""))
        release = session.judge_release("acme-widgets", "1.0")
        installed = session.install(request)
    return said(verdict), release, installed, steps.seen


def code_of(path: Path, trust: TrustFile) -> str:
    """Return why a file was not accepted; ``""`` where it was."""
    try:
        verdict = pip_warden.judge_file(path, trust=trust)
    except pip_warden.UndecidedError as err:
        return err.code
    except pip_warden.WardenError as err:
        return f"{err.exit_code} {err.code}"
    return "" if isinstance(verdict, Accepted) else verdict.code
