"""What GitLab's tutorial does in shell, once for each package, beside our command for all of them."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from bench import tools
from bench.installs import BASE
from bench.measure import Command, Tool, in_turn
from bench.results import Row
from bench.world import Release, World
from interop import tutorial as theirs
from interop.stack import places

COSIGN = places.BIN / "cosign-2.2.3"
_LABEL = "tutorial"


def missing() -> str:
    """Return what is not there but needed; empty where nothing is."""
    absent = [name for name in ("git", "curl") if shutil.which(name) is None]
    return ", ".join([*absent, *([] if COSIGN.exists() else [COSIGN.name])])


def measure(world: World, *, repeat: int, packages: int = BASE.packages) -> Iterator[tuple[str, Row]]:
    """Yield the row: each package's wheel and sdist, downloaded and verified; and installing them with us."""
    world.ask("delay", seconds=0)
    release = world.release(packages, form="detached", sdists=True, label=_LABEL)
    download = ("--download", "files", "--with-sdist", "--no-deps")
    found = {
        "safe-install --download": tools.safe_install(world, release, *download),
        "safe-install": tools.safe_install(world, release),
        "the tutorial's shell": _shell(world, release),
    }
    world.ask("delay", seconds=BASE.milliseconds / 1000)
    facts = {"packages": packages, "milliseconds": BASE.milliseconds}
    yield (
        f"{packages} packages, wheel and sdist",
        Row(facts=facts, tools=in_turn(found, repeat=repeat, asked=world.asked)),
    )


def _shell(world: World, release: Release) -> Tool:
    """Run its job ``consumer_verification``, the text as it stands, for one project after the other."""
    keys = world.ask("keys") | {"COSIGN_REKOR_URL": world.where["rekor"]}

    def make(place: Path) -> Command:
        (place / "bin").mkdir()
        (place / "bin" / "cosign").symlink_to(COSIGN)
        jobs = [_job(world, name, place / name) for name in release.names]
        (place / "jobs.sh").write_text("set -e\n" + "".join(jobs), encoding="utf-8")
        environment = tools.environment(place, **keys)
        environment["PATH"] = f"{place / 'bin'}:{environment['PATH']}"
        return Command(words=("bash", "jobs.sh"), environment=environment, directory=place)

    return make


def _job(world: World, name: str, where: Path) -> str:
    """Return the lines that run the job as a runner does, with its variables."""
    given = world.ask("job", project=f"{_LABEL}/{name}") | {"CI_PROJECT_DIR": str(where)}
    for variable, value in (theirs.VARIABLES | {"PACKAGE_VERSION": "1.0"}).items():
        given[variable] = Template(_here(world, value)).substitute(given)
    assigned = [f"{variable}={value}" for variable, value in given.items()]
    script = theirs.BEFORE + _here(world, theirs.CONSUMER_VERIFICATION)
    where.mkdir()
    words = ("env", f"--chdir={where}", *assigned, "bash", "-eo", "pipefail", "-c", script)
    return f"{shlex.join(words)}\n"


def _here(world: World, text: str) -> str:
    """Return a piece of the text with the sandbox's hosts."""
    issuer = world.where["issuer"]
    host = urlsplit(issuer).netloc
    for old, new in {
        # Fulcio writes https into every subject, even if the GitLab has none.
        "https://gitlab.com/${CI_PROJECT_PATH}": f"https://{host}/${{CI_PROJECT_PATH}}",
        "@gitlab.com/api": f"@{host}/api",
        "https://gitlab-ci-token:": "http://gitlab-ci-token:",
        "https://gitlab.com": issuer,
    }.items():
        text = text.replace(old, new)
    return text
