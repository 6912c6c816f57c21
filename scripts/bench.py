"""Benchmarks, as ratios within one run: a machine's speed drifts, but less between neighbouring measurements.

Each figure is the median over several pairs that are measured in turn, A B A B. Nothing here passes or fails.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pip_warden.sandbox import Sandbox
from pip_warden.sandbox.example import Example, fill

BIN = Path(sys.executable).parent
PAIRS = 5


def main() -> None:
    """Measure everything and print a table."""
    with prepared() as (sandbox, example, directory, environment):
        rows = [_start_up(environment), *_installs(sandbox, example, directory, environment), _judging()]
    print(f"{'what':66} {'median':>10} {'beside':>10} {'ratio':>7}")
    for what, ours, other in rows:
        print(f"{what:66} {ours * 1e3:8.1f}ms {other * 1e3:8.1f}ms {ours / other:7.2f}")
    for what, megabytes in _large():
        print(f"{what:66} {megabytes:8.0f}MB at most")


@contextmanager
def prepared() -> Iterator[tuple[Sandbox, Example, Path, dict[str, str]]]:
    """Yield a sandbox with its example, and directory and environment of a user who has pinned it."""
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        example = fill(sandbox)
        sandbox.write_trust(directory)
        environment = _environment(sandbox, example, directory)
        _pin(sandbox, directory, environment)
        yield sandbox, example, directory, environment


def _environment(sandbox: Sandbox, example: Example, directory: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PIP_WARDEN_CACHE_DIR": str(directory / "cache"),
        "GITLAB_URL": sandbox.gitlab_url,
        "GITLAB_TOKEN": example.token,
        "PIP_CONFIG_FILE": os.devnull,
    }


def _pin(sandbox: Sandbox, directory: Path, environment: dict[str, str]) -> None:
    source = ["--source", sandbox.gitlab_url, "--trusted-root", "trusted_root.json"]
    for name in ("gears", "widgets"):
        words = [
            str(BIN / "pip-warden"),
            "trust",
            "add",
            f"acme-{name}",
            "--project",
            f"acme/{name}",
            "--yes",
            *source,
        ]
        _run(words, directory, environment)


def _run(words: list[str], directory: Path, environment: dict[str, str]) -> None:
    subprocess.run(words, cwd=directory, env=environment, check=True, capture_output=True)


def _paired(ours: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(PAIRS):
        for side, work in zip(times, (ours, other), strict=True):
            start = time.perf_counter()
            work()
            side.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def _start_up(environment: dict[str, str]) -> tuple[str, float, float]:
    here = Path.cwd()
    ours, other = _paired(
        lambda: _run([str(BIN / "safe-install"), "--help"], here, environment),
        lambda: _run([sys.executable, "-I", "-c", "pass"], here, environment),
    )
    return "safe-install --help, beside an empty Python", ours, other


def _installs(
    sandbox: Sandbox, example: Example, directory: Path, environment: dict[str, str]
) -> list[tuple[str, float, float]]:
    """Install both example packages through the gate (cold and warm vault), and with plain pip.

    Both take them from the same registry.
    """
    numbers = iter(range(1000))
    index = (
        f"{sandbox.gitlab_url.replace('://', f'://x:{example.token}@')}"
        "/api/v4/groups/acme/-/packages/pypi/simple"
    )

    def target() -> str:
        path = directory / f"target{next(numbers)}"
        path.mkdir()
        return str(path)

    def gate(*words: str) -> None:
        _run(
            [str(BIN / "safe-install"), "--target", target(), *words, "acme-widgets"], directory, environment
        )

    def cold() -> None:
        gate("--cache-dir", str(directory / f"cold{next(numbers)}"))

    def pip() -> None:
        words = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--isolated",
            "--no-cache-dir",
            "--target",
            target(),
            "--index-url",
            index,
        ]
        _run([*words, "--disable-pip-version-check", "acme-widgets"], directory, environment)

    gate()
    return [
        ("safe-install of 2 packages, empty vault, beside plain pip", *_paired(cold, pip)),
        ("safe-install of 2 packages, warm vault, beside plain pip", *_paired(gate, pip)),
    ]


def _judging() -> tuple[str, float, float]:
    """Verify one bundle, against hashing the ten megabytes of a typical wheel."""
    import hashlib

    from pip_warden._sigstore.root import load_root
    from pip_warden._sigstore.verify import verify_bundle
    from pip_warden.digests import digest_of_file
    from pip_warden.evidence.model import Item
    from pip_warden.evidence.pep740 import read_attestation

    data = Path(__file__).resolve().parent.parent / "tests" / "data" / "real"
    sdist = data / "gitlab_oidc_project-0.0.3.tar.gz"
    item = read_attestation("a", (data / f"{sdist.name}.publish.attestation").read_bytes())
    assert isinstance(item, Item)  # noqa: S101 -- the data is ours
    root, digest = load_root((data / "trusted_root.public-good.json").read_bytes()), digest_of_file(sdist)
    verify_bundle(item.wire, digest, root)
    noise = bytes(10_000_000)
    ours, other = _paired(
        lambda: _discard(verify_bundle(item.wire, digest, root)),
        lambda: _discard(hashlib.sha256(noise).digest()),
    )
    return "proving a bundle, beside hashing 10 MB", ours, other


def _large() -> list[tuple[str, float]]:
    """Sign and publish a wheel of 2 GB, and return the peak memory of each step, in megabytes."""
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        sandbox.write_trust(directory)
        project = sandbox.project("acme/large")
        job = sandbox.job(project, tag="v1.0")
        wheel = _large_wheel(directory)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            **job.variables(),
            "SIGSTORE_ID_TOKEN": job.id_token(),
        }
        sign = ["sign", "--trust-config", "trust_config.json", wheel.name]
        return [
            (
                f"pip-warden {words[0]} of 2 GB",
                _peak([str(BIN / "pip-warden"), *words], directory, environment),
            )
            for words in (sign, ["publish", wheel.name])
        ]


def _large_wheel(directory: Path) -> Path:
    """Make a wheel with 2 GB of zeros in it, stored."""
    import base64
    import hashlib
    import zipfile

    chunk, count = bytes(1 << 20), 2048
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(chunk)
    path, info = directory / "large-1.0-py3-none-any.whl", "large-1.0.dist-info"
    files = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: large\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = {"large/zeros": (digest.digest(), len(chunk) * count)}
    rows |= {name: (hashlib.sha256(data).digest(), len(data)) for name, data in files.items()}
    encoded = {
        name: base64.urlsafe_b64encode(value).rstrip(b"=").decode() for name, (value, _) in rows.items()
    }
    record = (
        "".join(f"{name},sha256={encoded[name]},{size}\n" for name, (_, size) in rows.items())
        + f"{info}/RECORD,,\n"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("large/zeros", "w", force_zip64=True) as member:
            for _ in range(count):
                member.write(chunk)
        for name, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(name, data)
    return path


def _peak(words: list[str], directory: Path, environment: dict[str, str]) -> float:
    process = subprocess.Popen(words, cwd=directory, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{words[1]} failed with exit code {process.returncode}")
    return usage.ru_maxrss / 1024


def _discard(_value: object) -> None:
    """Discard a result."""


if __name__ == "__main__":
    main()
