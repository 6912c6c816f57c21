"""Two who sign at once, and `kill -9` at each request that changes something: the next run completes it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pip_warden.sandbox import Delay, Hold
from publish.conftest import BIN, Shop, code, ok

_DIGEST = re.compile(r"sha256[:-][0-9a-f]{64}")
_UPLOAD = re.compile(r"(/blobs/uploads/)[^/?]+")
WAIT = 60


@pytest.mark.parametrize("shop", [False], indirect=True, ids=["fallback-tag"])
def test_of_two_who_sign_at_once_both_are_kept(shop: Shop) -> None:
    """Both read the same list, before either writes: the one who writes last overwrites the other.

    Neither reads it back before both have written: who writes later than that goes unnoticed, as it is said.
    """
    tag = shop.image.digest.replace(":", "-")

    def held(method: str) -> list[Hold]:
        holds = [Hold(), Hold()]
        for hold in holds:
            shop.publisher.sandbox.fault(hold, f"/manifests/{tag}", method=method, origin="registry")
        return holds

    writing = held("PUT")
    job = shop.publisher.sandbox.job(shop.publisher.project, tag="v1.0")
    two = [
        replace(shop, publisher=replace(shop.publisher, job=each).apart())
        for each in (shop.publisher.job, job)
    ]
    with ThreadPoolExecutor() as threads:
        signing = [threads.submit(each.run, "sign") for each in two]
        assert all(hold.reached.wait(WAIT) for hold in writing)
        reading = held("GET")
        for holds in (writing, reading):
            assert all(hold.reached.wait(WAIT) for hold in holds)
            for hold in holds:
                hold.until.set()
        assert [code(each.result()) for each in signing] == [(0, ""), (0, "")]

    said = [one["subject"][0]["annotations"]["com.gitlab.ci.job.id"] for one in shop.statements()]
    assert sorted(said) == sorted(str(each.publisher.job.id) for each in two)
    assert shop.logged() == 2


Step = tuple[str, str, str, int]


def _steps(shop: Shop) -> list[Step]:
    """Return each request that changes something: origin, method, a pattern of its path, and its how-many-th.

    A server is at every other request as it is at the next of these.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found: list[Step] = []
    for request in shop.publisher.sandbox.requests:
        if request.method not in {"GET", "HEAD"}:
            image = shop.image.digest.partition(":")[2]
            step = (request.origin, request.method, _pattern(request.path, image))
            found.append((*step, seen[step]))
            seen[step] += 1
    return found


def _pattern(path: str, image: str) -> str:
    """Leave open what is another one each time: digests of what is made, and names of uploads."""

    def digest(found: re.Match[str]) -> str:
        return found[0] if image in found[0] else f"{found[0][:7]}[0-9a-f]{{64}}"

    return _UPLOAD.sub(r"\1[^/?]+", _DIGEST.sub(digest, path)) + r"(\?|$)"


def _kill_at(shop: Shop, step: Step) -> None:
    origin, method, path, earlier = step
    hold, fault = Hold(), shop.publisher.sandbox.fault
    if earlier:
        fault(Delay(round_trip=0), re.compile(path), method=method, origin=origin, times=earlier)
    fault(hold, re.compile(path), method=method, origin=origin)
    words = shop.words("sign")
    with subprocess.Popen(
        [str(BIN / words[0]), *words[1:]],
        cwd=shop.publisher.directory,
        env=shop.publisher.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert hold.reached.wait(WAIT), step
        process.kill()
    hold.until.set()


@pytest.mark.interop
def test_signing_is_killed_at_each_request_and_completed(shop: Shop) -> None:
    """What comes before the registry is the same for every registry: it is killed there once."""
    repository = shop.repository
    blobs, manifests, tags = dict(repository.blobs), dict(repository.manifests), dict(repository.tags)
    shop.publisher.sandbox.clear_requests()
    ok(shop.run("sign"))
    steps = _steps(shop)
    assert {origin for origin, *_ in steps} == {"registry", "fulcio", "rekor", "tsa"}
    has_referrers = shop.publisher.sandbox.registry.referrers
    assert len(steps) == 9 + (not has_referrers)
    if has_referrers:
        steps = [step for step in steps if step[0] == "registry"]

    for step in steps:
        repository.blobs, repository.manifests, repository.tags = dict(blobs), dict(manifests), dict(tags)
        _kill_at(shop, step)
        for manifest in shop.manifests():
            assert shop.bundle(manifest), step
        ok(shop.run("sign"))
        assert "already signed" in ok(shop.run("sign")).stdout, step
        assert 1 <= len(shop.manifests()) <= 2, step
