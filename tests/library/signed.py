"""What a publisher has made, and a consumer has on their machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pip_warden
from pip_warden import Refused, TrustFile
from pip_warden.sandbox import File, Sandbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What a publisher has made, and a consumer has on their machine.

    Attributes:
        home: A directory with the trust file, `dist/` (evidence next to the file), `evidence/` (somewhere
            else) and `mirror/`.
        wheel: The wheel.
        bundle: Its evidence.
        sandbox: Where it is published.
        token: Reads everything.
    """

    home: Path
    wheel: File
    bundle: bytes
    sandbox: Sandbox
    token: str

    @property
    def path(self) -> Path:
        """The wheel, with its evidence next to it."""
        return self.home / "dist" / self.wheel.name

    @property
    def trust(self) -> TrustFile:
        return pip_warden.load_trust(self.home / "pytrust.toml")

    @property
    def environment(self) -> dict[str, str]:
        """What a user of the registry has in the environment."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PIP_WARDEN_CACHE_DIR": str(self.home / "cache"),
            "GITLAB_URL": self.sandbox.gitlab_url,
            "GITLAB_TOKEN": self.token,
        }


def names(target: Path) -> set[str]:
    """Return what a target's site-packages holds."""
    return {path.name for path in next(target.glob("lib/python*/site-packages")).iterdir()}


def refused(verdict: pip_warden.Verdict) -> str:
    assert isinstance(verdict, Refused), verdict
    return verdict.code
