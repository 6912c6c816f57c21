"""Installing one file of up to four gigabytes, and the memory that signing and publishing one takes."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench import tools
from bench.measure import in_turn
from bench.results import Row
from bench.world import World

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

SIZES = {"10 kB": 10_000, "100 MB": 100_000_000, "1 GB": 1_000_000_000, "4 GB": 4_000_000_000}
_ZEROS = bytes(1 << 20)


def measure(world: World, sizes: tuple[str, ...], *, repeat: int) -> Iterator[tuple[str, Row]]:
    """Yield a row for each size: installing it from an empty vault, 0 ms away."""
    world.ask("delay", seconds=0)
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-large-") as name:
            wheel = make_wheel(Path(name), f"zeros-{size.replace(' ', '-').lower()}", SIZES[size])
            evidence = _signed(world, wheel)
            release = world.large(wheel, evidence)
            found = {
                "safe-install": tools.safe_install(world, release),
                "pip": tools.pip(release),
                "uv": tools.uv(release),
            }
            facts = {"bytes": wheel.stat().st_size}
            yield size, Row(facts=facts, tools=in_turn(found, repeat=repeat, asked=world.asked))


def memory(world: World, *, size: int = 2_000_000_000) -> Iterator[tuple[str, Row]]:
    """Yield the row of signing and publishing a large wheel, which the sandbox then keeps in memory."""
    world.ask("delay", seconds=0)
    with tempfile.TemporaryDirectory(prefix="bench-large-") as name:
        wheel = make_wheel(Path(name), "published", size)
        variables = world.ask("job", project="large/published")
        program, config = str(tools.BIN / "pip-warden"), f"{world.where['trust']}/trust_config.json"
        found = {
            "pip-warden sign": (program, "sign", "--overwrite", "--trust-config", config, str(wheel)),
            "pip-warden publish": (program, "publish", "--trust-config", config, str(wheel)),
        }
        runs = {each: tools.command(*words, variables=variables) for each, words in found.items()}
        yield (
            "a wheel of 2 GB",
            Row(facts={"bytes": wheel.stat().st_size}, tools=in_turn(runs, repeat=0, asked=world.asked)),
        )


def _signed(world: World, wheel: Path) -> Path:
    """Sign it as its project's job would; the sandbox itself signs only what fits into memory."""
    project = wheel.name.split("-")[0].replace("_", "-")
    variables = world.ask("job", project=f"large/{project}")
    config = f"{world.where['trust']}/trust_config.json"
    words = [str(tools.BIN / "pip-warden"), "sign", "--quiet", "--trust-config", config, str(wheel)]
    subprocess.run(words, check=True, env=tools.environment(wheel.parent, **variables))
    return wheel.with_name(f"{wheel.name}.sigstore.json")


class _Sparse(io.FileIO):
    """A file in which `_ZEROS` leaves a hole: four gigabytes that take no space on the disk."""

    def write(self, data: Buffer, /) -> int:
        if data is _ZEROS:
            self.seek(len(_ZEROS), io.SEEK_CUR)
            return len(_ZEROS)
        return super().write(data)


def make_wheel(directory: Path, name: str, size: int) -> Path:
    """Make a wheel with about so many bytes of zeros in it, stored."""
    module, whole = name.replace("-", "_"), size // len(_ZEROS)
    pieces = [_ZEROS] * whole + [bytes(size % len(_ZEROS))]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    path, info = directory / f"{module}-1.0-py3-none-any.whl", f"{module}-1.0.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = {f"{module}/zeros": (digest.digest(), size)}
    rows |= {each: (hashlib.sha256(data).digest(), len(data)) for each, data in files.items()}
    record = "".join(f"{each},sha256={_encoded(value)},{length}\n" for each, (value, length) in rows.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with _Sparse(path, "w") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(f"{module}/zeros", "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
        for each, data in files.items():
            archive.writestr(each, data)
    return path


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
