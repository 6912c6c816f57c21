"""``dist/*`` is taken alike by all commands of a release, one after the other."""

from __future__ import annotations

import pytest

from publication.conftest import code, ok
from publication.test_judged import pin
from publish.conftest import Publisher


def every(publisher: Publisher) -> list[str]:
    """Return what the shell makes of ``dist/*``."""
    return [f"dist/{path.name}" for path in sorted(publisher.dist.iterdir())]


def test_a_whole_release_with_the_same_words(publisher: Publisher) -> None:
    pin(publisher)
    ok(publisher.sign(*every(publisher)))
    ok(publisher.attest(*every(publisher)))
    ok(publisher.sign("--overwrite", *every(publisher)))
    for command in ("verify", "publish-evidence", "publish", "publish"):
        ok(publisher.run("pip-warden", command, *every(publisher)))


@pytest.mark.parametrize("command", ["sign", "attest", "verify", "publish", "publish-evidence"])
def test_a_file_that_is_none_of_a_release_stops_each_command(publisher: Publisher, command: str) -> None:
    pin(publisher)
    ok(publisher.sign(*publisher.files()))
    (publisher.dist / "notes.txt").write_bytes(b"x")
    before = sorted(publisher.dist.iterdir())
    publisher.sandbox.clear_requests()
    options = ["--trust-config", "trust_config.json"] if command in {"sign", "attest"} else []
    said = publisher.run("pip-warden", command, *options, *every(publisher))

    assert (said.returncode, code(said)) == (2, "invalid-filename"), said.stderr
    assert "notes.txt" in said.stderr
    assert (publisher.sandbox.requests, sorted(publisher.dist.iterdir())) == ((), before)
