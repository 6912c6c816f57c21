"""What a run will probably ask the gate for, and what is known of its target; it decides nothing."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from pip_warden.digests import digest_of
from pip_warden.errors import UsageError
from pip_warden.gate import Guess, TargetFacts, guess_of
from pip_warden.install.request import PreparedRequest
from pip_warden.installer.python import Target, marker_environment, supported_tags
from pip_warden.installer.wanted import NamedRequirement
from pip_warden.names import ProjectName, parse_project_name
from pip_warden.vault import Vault

_SHA256 = "sha256:"
_ELSEWHERE = frozenset({"--target", "--root", "--prefix", "--platform", "--python-version", "--abi"})
_ANEW = frozenset({"--force-reinstall", "--ignore-installed"})
_OTHER_TAGS = frozenset({"--platform", "--python-version", "--implementation", "--abi"})


def first_guesses(prepared: PreparedRequest) -> tuple[Guess, ...]:
    """Return a guess for every requirement by name."""
    return tuple(_guess(named) for named in prepared.wanted.named)


def recalled(vault: Vault, prepared: PreparedRequest) -> tuple[Guess, ...]:
    """Return a guess for every file that the last run with the same request took."""
    return tuple(
        Guess(project=name.project, filename=name.filename) for name in vault.recall(request_key(prepared))
    )


def request_key(prepared: PreparedRequest) -> str:
    """Return what identifies a request: a digest, in hexadecimal.

    Options and the place of the target are left out: a guess from another run is better than none.
    """
    wanted = prepared.wanted
    parts = (
        [item.rendered() for item in wanted.named],
        [item.rendered() for item in wanted.constraints],
        [str(file.path) for file in wanted.files],
        [str(project.path) for project in wanted.projects],
        prepared.target.version,
    )
    return digest_of(json.dumps(parts).encode()).hex


def find_target_facts(prepared: PreparedRequest) -> TargetFacts:
    """Find out what is known of the target without running pip.

    What cannot be found out is unknown: it is only used for guesses.
    """
    words = frozenset(prepared.every_option)
    return TargetFacts(
        markers=_markers(prepared.target),
        tags=_once(partial(_tags, prepared.target, prepared.options, bool(words & _OTHER_TAGS))),
        present=_present(prepared, words),
        limits=_limits((*prepared.wanted.named, *prepared.wanted.constraints)),
        with_dependencies="--no-deps" not in words,
        prereleases="--pre" in words,
        wheels=not _is_for_all("--no-binary", prepared),
        sdists=not _is_for_all("--only-binary", prepared),
    )


def _once(ask: Callable[[], frozenset[str]]) -> Callable[[], frozenset[str]]:
    """Ask once, whichever threads want to know at the same time: a target's pip is started for it."""
    lock, known = threading.Lock(), cache(ask)

    def answer() -> frozenset[str]:
        with lock:
            return known()

    return answer


def _guess(named: NamedRequirement) -> Guess:
    hashes = frozenset(h.removeprefix(_SHA256) for h in named.hashes if h.startswith(_SHA256))
    return replace(guess_of(Requirement(named.requirement)), hashes=hashes)


def _limits(named: Iterable[NamedRequirement]) -> dict[ProjectName, Guess]:
    """Return what the user asks of each project that is named: it holds whoever requires the project."""
    found: dict[ProjectName, Guess] = {}
    for guess in map(_guess, named):
        known = found.get(guess.project)
        found[guess.project] = guess if known is None else known.also(guess)
    return found


def _is_for_all(option: str, prepared: PreparedRequest) -> bool:
    return any(
        word == option and value == ":all:"
        for words in (prepared.wanted.options, prepared.options)
        for word, value in pairwise(words)
    )


def _markers(target: Target) -> Mapping[str, str] | None:
    """Ask the target for its marker variables, unless it is of exactly our own build."""
    if target.has_our_readers:
        return None
    try:
        return marker_environment(target)
    except UsageError:
        return None


def _tags(target: Target, options: tuple[str, ...], is_other: bool) -> frozenset[str]:
    if not target.has_our_readers or is_other:
        return frozenset(supported_tags(target, options))
    from packaging.tags import sys_tags

    return frozenset(str(tag) for tag in sys_tags())


def _present(prepared: PreparedRequest, words: frozenset[str]) -> dict[ProjectName, Version]:
    """Return what the target has, as far as the names of its ``.dist-info`` directories tell."""
    if prepared.download is not None or words & (_ELSEWHERE | _ANEW):
        return {}
    named = {named.project for named in prepared.wanted.named} if "--upgrade" in words else set()
    return {name: version for name, version in _installed(prepared.target) if name not in named}


def _installed(target: Target) -> Iterator[tuple[ProjectName, Version]]:
    own = target.executable.parent.parent
    root = own if (own / "pyvenv.cfg").is_file() else Path(target.prefix)
    for library in ("lib", "lib64"):
        try:
            names = os.listdir(root / library / f"python{target.version}" / "site-packages")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                project, _, version = name.removesuffix(".dist-info").partition("-")
                try:
                    yield parse_project_name(project), Version(version)
                except (UsageError, InvalidVersion):
                    continue
