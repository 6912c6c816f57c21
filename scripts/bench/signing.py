"""Signing with the real Sigstore of ``tests/interop/stack``, where it is built: ours and what else signs."""

from __future__ import annotations

import fcntl
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import tools
from bench.measure import Command, Tool, in_turn
from bench.results import Row
from bench.world import World, started
from interop.stack import keys, places, supervisor
from interop.stack.services import services

COUNTS = (1, 50)
_PROJECT = "acme/widgets"


def missing() -> str:
    """Return what is not there but needed; empty where nothing is."""
    programs = [
        places.BIN / name for name in ("cosign", "fulcio", "rekor-server", "posix", "timestamp-server")
    ]
    absent = [path.name for path in programs if not path.exists()]
    return ", ".join([*absent, *([] if shutil.which("mariadbd") else ["mariadbd"])])


def measure(counts: tuple[int, ...], *, repeat: int) -> Iterator[tuple[str, Row]]:
    """Yield a row for each number of files and each Rekor; starts what does not run, and ends that."""
    with _stack(), started(port=places.Port.GITLAB.value) as world:
        for log in ("v1", "v2"):
            for count in counts:
                found = {
                    "pip-warden sign": _warden(world, log, count),
                    "sigstore sign": _python(world, log, count),
                    "cosign sign-blob, one after the other": _cosign(world, log, count),
                }
                name = f"{count} file{'s' * (count != 1)}, Rekor {log}"
                yield name, Row(facts={"files": count, "log": log}, tools=in_turn(found, repeat=repeat))


@contextmanager
def _stack() -> Iterator[None]:
    """Run every service but the GitLab, whose place is free then; one at a time, as the tests do."""
    keys.make(places.STATE)
    begun: list[str] = []
    with (places.STATE / "gitlab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            for service in services():
                begun += [service.name] if supervisor.start(service) else []
            supervisor.stop("gitlab")
            yield
        finally:
            for name in reversed(begun):
                supervisor.stop(name)


def _files(place: Path, count: int) -> tuple[str, ...]:
    names = tuple(f"acme_widgets-1.{number}-py3-none-any.whl" for number in range(count))
    for name in names:
        (place / name).write_bytes(name.encode())
    return names


def _warden(world: World, log: str, count: int) -> Tool:
    def make(place: Path) -> Command:
        config = str(places.TRUST / log / "trust_config.json")
        words = (str(tools.BIN / "pip-warden"), "sign", "--trust-config", config, *_files(place, count))
        variables = world.ask("job", project=_PROJECT)
        return Command(words=words, environment=tools.environment(place, **variables), directory=place)

    return make


def _python(world: World, log: str, count: int) -> Tool:
    def make(place: Path) -> Command:
        token = world.ask("job", project=_PROJECT)["SIGSTORE_ID_TOKEN"]
        config = str(places.TRUST / log / "trust_config.json")
        words = (str(tools.BIN / "sigstore"), "--trust-config", config, "sign", "--identity-token", token)
        return Command(
            words=(*words, *_files(place, count)), environment=tools.environment(place), directory=place
        )

    return make


def _cosign(world: World, log: str, count: int) -> Tool:
    def make(place: Path) -> Command:
        token = world.ask("job", project=_PROJECT)["SIGSTORE_ID_TOKEN"]
        trust = places.TRUST / log
        words = (str(places.BIN / "cosign"), "sign-blob", "--yes", f"--identity-token={token}")
        config = (
            f"--trusted-root={trust / 'trusted_root.json'}",
            f"--signing-config={trust / 'signing_config.json'}",
        )
        lines = [
            shlex.join([*words, *config, f"--bundle={name}.sigstore.json", name])
            for name in _files(place, count)
        ]
        return Command(
            words=("bash", "-ec", "\n".join(lines)), environment=tools.environment(place), directory=place
        )

    return make
