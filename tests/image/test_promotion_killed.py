"""A promotion ends at each of its requests, and the same command completes it.

However it ends, the target's tag is of what it was before, or of an image that is judged and proved there.
What is there changes with a request that writes, and a promotion remembers nothing: so an end at one that
reads is an end at the next that writes, or after the last.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from image.promoting import BOTH, ONE, WRITES, World, cosign_world, world_of
from oci.fake import PROD, Asked, Shelf, image
from ordinary import parametrized
from pip_warden.oci.names import spelled
from stored_images import DIGEST

OTHER = image("other")


class Killed(BaseException):
    """Nothing catches it, as nothing catches a signal that ends a process."""


def attempt(world: World, number: int) -> bool:
    """Promote, and end at the request with a number; return whether there was one."""

    def kill(_asked: Asked) -> None:
        if len(world.fake.log) == number:
            raise Killed

    world.fake.before = kill
    try:
        world.promote()
    except Killed:
        return True
    finally:
        world.fake.before = lambda _asked: None
    return False


def check_each(world: World, wanted: str) -> int:
    """End at each request that writes, look at the target, and run again; return how many there were."""
    start: dict[str, Shelf] = copy.deepcopy(world.fake.shelves)
    old = world.tag()
    assert world.promote().report.exit_code == 0
    whole = world.fake.shelves[str(PROD)]
    writing = [at for at, short in enumerate(world.fake.log, 1) if short.startswith(WRITES)]
    for number in (*writing, len(world.fake.log)):
        world.fake.shelves = copy.deepcopy(start)
        assert attempt(world, number)
        assert world.tag() in {old, wanted}, number
        assert world.tag() == old or not world.is_met_unproved(), number
        assert world.promote().report.exit_code == 0, number
        now = world.fake.shelves[str(PROD)]
        assert (now.tags, set(now.blobs)) == (whole.tags, set(whole.blobs)), number
        assert set(now.manifests) >= set(whole.manifests), number
    return len(writing)


@parametrized("lists", [False, True], ordinary={0})
def test_c13_it_ends_at_each_request(lists: bool, tmp_path: Path) -> None:
    world = world_of(tmp_path, referrers=lists)
    world.sign(ONE.manifest)
    world.fake.push(PROD, OTHER, "1.0")
    assert check_each(world, spelled(BOTH.manifest.digest)) > 10


@pytest.mark.interop
def test_c13_it_ends_at_each_request_with_what_cosign_left(tmp_path: Path) -> None:
    assert check_each(cosign_world(tmp_path), spelled(DIGEST)) > 10
