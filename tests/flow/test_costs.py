"""What a run may cost: counted, never timed, so that a slow or busy machine changes nothing.

Whoever raises a figure here makes every run of every user dearer; whoever lowers it keeps what was won.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from flow.user import User
from pip_warden._sigstore import verify
from pip_warden.digests import Hasher
from pip_warden.sandbox import File, Project

PACKAGES = 6

COLD, WARM = 3, 1
"""Requests for each package: its page, its file and its evidence; and its page alone."""

WRITTEN = {COLD: 2, WARM: 1}
"""How often a file's bytes are written by us: as it arrives, and into the cache; or from the cache."""

HASHED = {COLD: 5, WARM: 4}
"""How often they are hashed: whenever they are written, each of the two times that they are handed over, for
their metadata and for all of them, and before pip installs them.
"""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Packages of which the first needs all others, some of them through others."""

    projects: tuple[Project, ...]
    wheels: tuple[File, ...]

    @property
    def root(self) -> str:
        return self.projects[0].record.name

    @property
    def size(self) -> int:
        return sum(len(wheel.data) for wheel in self.wheels)


@pytest.fixture
def tree(user: User) -> Tree:
    """Two are needed by the root through another one, and one at once."""
    built: list[tuple[Project, File]] = []

    def publish(*needed: Project) -> Project:
        requires = tuple(each.record.name for each in needed)
        project = user.published(requires=requires)
        built.append((project, user.wheel(project, requires=requires)))
        return project

    publish(publish(), publish(publish()), publish(publish()))
    projects, wheels = zip(*reversed(built), strict=True)
    assert len(projects) == PACKAGES
    return Tree(projects=projects, wheels=wheels)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run has cost, as it was reported and as it was seen."""

    told: dict[str, Any]
    asked: tuple[str, ...]
    proved: int
    hashed: int

    def each(self) -> Counter[str]:
        """How many requests were about each package."""
        return Counter(match[0] for path in self.asked if (match := re.search(r"pkg\d+", path)))


@pytest.fixture
def run(user: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what installs a package into a directory of its own, and says what it has cost."""
    proved: list[object] = []
    hashed: list[int] = []
    prove, update = verify.verify_bundle, Hasher.update

    def proving(*args: Any) -> Any:
        proved.append(args)
        return prove(*args)

    def hashing(self: Hasher, data: bytes) -> None:
        hashed.append(len(data))
        update(self, data)

    monkeypatch.setattr(verify, "verify_bundle", proving)
    monkeypatch.setattr(Hasher, "update", hashing)

    def install(*words: str) -> Cost:
        user.sandbox.clear_requests()
        proved.clear()
        hashed.clear()
        result = user.type("--python", str(user.target), "--target", str(user.home / words[0]), *words[1:])
        assert result.code == 0, result.output
        assert len(result.accepted) == PACKAGES
        return Cost(
            told=result.document["measures"],
            asked=tuple(request.path for request in user.sandbox.requests),
            proved=len(proved),
            hashed=sum(hashed),
        )

    return install


def test_a_package_costs_three_requests_cold_and_one_warm(tree: Tree, run: Any) -> None:
    names = [project.record.name for project in tree.projects]
    for target, requests in (("cold", COLD), ("warm", WARM)):
        cost = run(target, tree.root)
        assert cost.each() == dict.fromkeys(names, requests), cost.asked
        assert len(cost.asked) == cost.told["requests"] == PACKAGES * requests, cost.asked
        assert cost.told["not_found"] == 0
    assert run("offline", "--offline", tree.root).asked == ()


@pytest.mark.interop
def test_a_file_is_judged_and_proved_once_cold_and_warm(tree: Tree, run: Any) -> None:
    for target, words, from_cache in (("cold", (), 0), ("warm", (), 6), ("offline", ("--offline",), 6)):
        cost = run(target, *words, tree.root)
        told = cost.told
        assert cost.proved == told["bundles_proved"] == PACKAGES
        assert told["files_judged"] == PACKAGES
        assert (told["files_from_cache"], told["files_fetched"]) == (from_cache, PACKAGES - from_cache)


@pytest.mark.interop
def test_a_file_is_written_and_hashed_a_few_times(tree: Tree, run: Any) -> None:
    for target, requests in (("cold", COLD), ("warm", WARM)):
        cost = run(target, tree.root)
        told = cost.told
        assert 0 < told["bytes_written"] <= WRITTEN[requests] * tree.size
        assert 0 < told["bytes_hashed"] <= HASHED[requests] * tree.size
        assert cost.hashed <= told["bytes_hashed"], "something was hashed that nobody counted"
        assert told["bytes_received"] > (tree.size if requests == COLD else 0)
        assert tree.size < told["bytes_sent"] < 2 * tree.size + PACKAGES * 2000
