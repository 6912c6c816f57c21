"""The cost of reading against the size of the input: the exponent of a power law fitted to CPU times.

The sizes double. The publisher decides how long each input is and what is in it, so every reader must be
linear, also for input that it refuses. Nothing here passes or fails; ``python scripts/bench_readers.py WORD``
measures only the readers whose name contains the word.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import json
import math
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pip_warden._sigstore.root import load_root
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import digest_of
from pip_warden.errors import WardenError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem
from pip_warden.evidence.pep740 import read_provenance
from pip_warden.faults import Fault
from pip_warden.index.simple import parse_page
from pip_warden.installer.requirements import gather
from pip_warden.names import ProjectName, parse_artifact_name
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import SigstoreService
from pip_warden.session.settings import utc_now
from pip_warden.strict_json import MalformedError, loads
from pip_warden.trust.file import parse as parse_trust
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted

LINEAR = 1.4
"""The largest exponent that counts as linear.

Caches make larger inputs slightly costlier; a cost that grows with the square has 2.
"""
DOUBLINGS = 4
REPEATS = 3

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SDIST = "acme_widgets-1.0.tar.gz"
INFO = "acme_widgets-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n"
GITLAB = "https://gitlab.example.com"
CLAIMS: dict[str, object] = {
    "iss": GITLAB,
    "sub": "project_path:acme/widgets:ref_type:tag:ref:v1.0",
    "aud": "sigstore",
    "project_id": "4711",
    "project_path": "acme/widgets",
    "namespace_id": "42",
    "namespace_path": "acme",
    "project_visibility": "private",
    "job_id": "815",
    "pipeline_source": "push",
    "ref": "v1.0",
    "ref_type": "tag",
    "sha": "0" * 40,
    "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
    "ci_config_sha": "0" * 40,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A reader and its input.

    Attributes:
        name: The name in the table.
        smallest: How many of the counted items the smallest input has.
        make: Makes an input with a number of them.
        read: Reads it and returns the outcome as a word.
    """

    name: str
    smallest: int
    make: Callable[[int], bytes]
    read: Callable[[bytes], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """The measurement of a reader.

    Its largest input in bytes, the seconds for that, the exponent, and the outcome.
    """

    size: int
    seconds: float
    exponent: float
    outcome: str


def main() -> None:
    """Measure every reader and print a table."""
    gc.disable()
    words = sys.argv[1:]
    print(
        "| reader | largest input | CPU time | exponent | | outcome |\n| --- | --- | --- | --- | --- | --- |"
    )
    for reader in readers():
        if all(word in reader.name for word in words):
            figure = measure(reader)
            verdict = "linear" if figure.exponent < LINEAR else "**not linear**"
            print(
                f"| {reader.name} | {figure.size / 1e3:,.0f} kB | {figure.seconds * 1e3:,.0f} ms "
                f"| {figure.exponent:.2f} | {verdict} "
                f"| {figure.outcome} |",
                flush=True,
            )


def measure(reader: Reader) -> Figure:
    """Read inputs of doubling size and fit a power law to the CPU times (least squares of their logarithms).

    Garbage is collected between measurements, not within, as in :mod:`timeit`.
    """
    seconds: list[float] = []
    raw, outcome = b"", ""
    for doubling in range(DOUBLINGS):
        raw = reader.make(reader.smallest << doubling)
        times = []
        for _ in range(REPEATS):
            gc.collect()
            start = time.process_time()
            outcome = reader.read(raw)
            times.append(time.process_time() - start)
        seconds.append(max(min(times), 1e-6))
    return Figure(size=len(raw), seconds=seconds[-1], exponent=_slope(seconds), outcome=outcome)


def _slope(seconds: list[float]) -> float:
    """Return the exponent of times at doubling sizes."""
    middle = (len(seconds) - 1) / 2
    rise = sum((at - middle) * math.log2(each) for at, each in enumerate(seconds))
    return rise / sum((at - middle) ** 2 for at in range(len(seconds)))


def readers() -> Iterator[Reader]:
    """Yield every reader with good inputs, and with inputs that an attacker would make."""
    yield from _json_readers()
    yield from _evidence_readers()
    yield from _page_readers()
    yield from _archive_readers()
    yield from _file_readers()


def _json_readers() -> Iterator[Reader]:
    def read(raw: bytes) -> str:
        try:
            loads(raw, max_bytes=1 << 30)
        except MalformedError:
            return "refused"
        return "read"

    def keys(count: int, *more: str) -> bytes:
        members = [f'"key {number}": {number}' for number in range(count)]
        return ("{" + ", ".join([*members, *more]) + "}").encode()

    yield Reader(name="JSON, keys", smallest=100_000, make=keys, read=read)
    yield Reader(
        name="JSON, keys of which the last appears twice",
        smallest=100_000,
        make=lambda n: keys(n, '"key 0": 0'),
        read=read,
    )
    yield Reader(
        name="JSON, lists",
        smallest=25_000,
        make=lambda n: ("[" + ",".join(["[[1.5], []]"] * n) + "]").encode(),
        read=read,
    )
    yield Reader(
        name="JSON, a string of escapes",
        smallest=100_000,
        make=lambda n: b'"' + rb"\ud83d\ude00" * n + b'"',
        read=read,
    )


def _evidence_readers() -> Iterator[Reader]:
    sigstore = SigstoreService(SandboxClock(datetime(2026, 6, 1, tzinfo=UTC)), issuers=[GITLAB])
    statement: dict[str, object] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": WHEEL, "digest": {"sha256": digest_of(b"the wheel").hex}}],
        "predicateType": "https://docs.pypi.org/attestations/publish/v1",
        "predicate": None,
    }
    attestation = sigstore.pep740(statement, CLAIMS)

    def bundle(count: int) -> bytes:
        subjects = [{"name": f"file {number}", "digest": {"sha256": "0" * 64}} for number in range(count)]
        return json.dumps(sigstore.sign_statement(statement | {"subject": subjects}, CLAIMS)).encode()

    def provenance(count: int) -> bytes:
        each = {"publisher": {"kind": "GitLab"}, "attestations": [attestation] * 8}
        return json.dumps({"version": 1, "attestation_bundles": [each] * (count // 8)}).encode()

    def bundle_read(raw: bytes) -> str:
        return "refused" if isinstance(read_bundle("a", raw), BadItem) else "read"

    def provenance_read(raw: bytes) -> str:
        bad = any(isinstance(item, BadItem) for item in read_provenance("a", raw))
        return "refused" if bad else "read"

    yield Reader(name="bundle, subjects", smallest=500, make=bundle, read=bundle_read)
    yield Reader(name="provenance, attestations", smallest=32, make=provenance, read=provenance_read)
    yield _judging(sigstore, statement)


def _judging(sigstore: SigstoreService, statement: dict[str, object]) -> Reader:
    """Judge good attestations, where the pin requires provenance that none of them is."""
    root = load_root(json.dumps(sigstore.trusted_root()).encode())
    made = [sigstore.pep740(statement, CLAIMS) for _ in range(128)]
    trust = parse_trust(
        f'version = 1\n[sigstore]\ntrusted-root = "r"\ntrusted-root-sha256 = "{"0" * 64}"\n'
        f'issuers = ["{GITLAB}"]\n'
        f'[source.acme]\ntype = "gitlab"\nurl = "{GITLAB}"\n'
        '[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/widgets"\n'
        f'[[package.identity]]\nissuer = "{GITLAB}"\n'
        f'subject = "{GITLAB}/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"\n'
        '[package.require]\nprovenance = "https://slsa.dev/provenance/v1"\n',
        Path("/nowhere/pytrust.toml"),
    )
    name = parse_artifact_name(WHEEL)
    artifact = Artifact(
        name=name,
        path=Path("/nowhere"),
        digest=digest_of(b"the wheel"),
        size=9,
        contents=Contents(
            project=name.project, version=name.version, metadata=METADATA.encode(), tags=name.tags
        ),
    )

    def make(count: int) -> bytes:
        bundles = [
            {"publisher": {"kind": "GitLab"}, "attestations": made[start : min(start + 32, count)]}
            for start in range(0, count, 32)
        ]
        return json.dumps({"version": 1, "attestation_bundles": bundles}).encode()

    def read(raw: bytes) -> str:
        evidence = read_provenance("a", raw)
        verdict = judge(artifact, evidence, trust=trust, roots={"default": root}, today=utc_now().date())
        return "read" if isinstance(verdict, Accepted) else verdict.code

    return Reader(
        name="verdict, attestations where provenance is required", smallest=16, make=make, read=read
    )


def _page_readers() -> Iterator[Reader]:
    def reading(content_type: str) -> Callable[[bytes], str]:
        def read(raw: bytes) -> str:
            try:
                page = parse_page(
                    project=ProjectName("acme-widgets"),
                    source="acme",
                    url=f"{GITLAB}/simple/acme-widgets/",
                    content_type=content_type,
                    body=raw,
                )
            except WardenError as err:
                return err.code
            return "read" if page.candidates else "nothing listed"

        return read

    def names(count: int) -> Iterator[str]:
        return (f"acme_widgets-1.{number}-py3-none-any.whl" for number in range(count))

    def json_page(count: int) -> bytes:
        files = [
            {"filename": name, "url": f"../files/{name}", "hashes": {"sha256": "ab" * 32}}
            for name in names(count)
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": "acme-widgets", "files": files}).encode()

    def html_page(count: int) -> bytes:
        return "\n".join(
            f'<a href="../files/{name}#sha256={"ab" * 32}" data-requires-python="&gt;=3.11">{name}</a><br>'
            for name in names(count)
        ).encode()

    html = reading("text/html; charset=utf-8")
    yield Reader(
        name="JSON page, files",
        smallest=1000,
        make=json_page,
        read=reading("application/vnd.pypi.simple.v1+json"),
    )
    yield Reader(name="HTML page, links", smallest=1000, make=html_page, read=html)
    for what, piece, before in (
        ("tags without an end", "<a ", ""),
        ("values without an end", '<a href="x', ""),
        ("comments without an end", "<!--", ""),
        ("scripts without an end", "<script>", ""),
        ("links within links", "<a href=x>b", ""),
        ("tags within tags", "<p>x</q>", ""),
        ("attributes", "b='c' ", "<a "),
        ("references", "&#", "<a href=x>"),
    ):
        yield Reader(
            name=f"HTML page, {what}",
            smallest=9_000,
            make=lambda n, piece=piece, before=before: (before + piece * n).encode(),  # type: ignore[misc]
            read=html,
        )
    yield Reader(
        name="HTML page, wheels of too many tags",
        smallest=1000,
        make=lambda n: (
            f"<a href=x>a-1-{'.'.join('abcdefghijklmnopqrstuvwxyz' * 3)}-a-b.whl</a>" * n
        ).encode(),
        read=html,
    )


def _archive_readers() -> Iterator[Reader]:
    for what, smallest, files in (
        *_CONTENTS,
        ("entry points", 2_000, _entry_points),
        ("lines of one header", 5_000, _folded),
    ):
        yield Reader(
            name=f"wheel, {what}",
            smallest=smallest,
            make=lambda n, files=files: _wheel(files(n)),  # type: ignore[misc]
            read=_inspecting(WHEEL),
        )
    for what, smallest, files in (*_CONTENTS, ("build requirements", 1_000, _pyproject)):
        yield Reader(
            name=f"sdist, {what}",
            smallest=smallest,
            make=lambda n, files=files: _sdist(files(n)),  # type: ignore[misc]
            read=_inspecting(SDIST),
        )


def _members(count: int) -> dict[str, str]:
    """Make members; in a wheel as many lines of RECORD."""
    return {f"acme/m{number}.py": "x = 1\n" for number in range(count)}


def _deep(depth: int) -> dict[str, str]:
    return {f"acme/{'d/' * depth}m{number}.py": "" for number in range(100)}


def _described(count: int) -> dict[str, str]:
    return {"METADATA": METADATA + "\n" + "A line of the description.\n" * count}


def _required(count: int) -> dict[str, str]:
    lines = (f"Requires-Dist: gears{number}>=1.{number}; os_name == 'posix'\n" for number in range(count))
    return {"METADATA": METADATA + "".join(lines)}


def _folded(count: int) -> dict[str, str]:
    return {"METADATA": METADATA + "License: x\n" + "        x\n" * count}


def _entry_points(count: int) -> dict[str, str]:
    lines = (f"tool{number} = acme.tools:run{number}\n" for number in range(count))
    return {"entry_points.txt": "[console_scripts]\n" + "".join(lines)}


def _pyproject(count: int) -> dict[str, str]:
    wanted = ", ".join(f'"gears{number}>=1"' for number in range(count))
    return {"pyproject.toml": f'[build-system]\nrequires = [{wanted}]\nbuild-backend = "x"\n'}


_CONTENTS: tuple[tuple[str, int, Callable[[int], dict[str, str]]], ...] = (
    ("members", 1_000, _members),
    ("directories of each path", 125, _deep),
    ("lines of description", 20_000, _described),
    ("Requires-Dist", 1_000, _required),
)


def _inspecting(filename: str) -> Callable[[bytes], str]:
    name = parse_artifact_name(filename)

    def read(raw: bytes) -> str:
        with tempfile.NamedTemporaryFile() as file:
            file.write(raw)
            file.flush()
            found = inspect(Path(file.name), name)
        return found.code if isinstance(found, Fault) else "read"

    return read


def _wheel(files: dict[str, str]) -> bytes:
    """Build a wheel; a plain name goes to its ``.dist-info``.

    It is stored, not compressed, so that its size is that of the data to read.
    """
    wheel = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    whole = {"METADATA": METADATA, "WHEEL": wheel} | files
    placed = {name if "/" in name else f"{INFO}/{name}": text.encode() for name, text in whole.items()}
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},"
        f"{len(data)}\n"
        for name, data in placed.items()
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**placed, f"{INFO}/RECORD": f"{''.join(rows)}{INFO}/RECORD,,\n".encode()}.items():
            entry = zipfile.ZipInfo(name, (2026, 6, 30, 12, 0, 0))
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _sdist(files: dict[str, str]) -> bytes:
    """Build an sdist whose PKG-INFO is ``METADATA``; gzip without compression."""
    whole = {"METADATA": METADATA} | files
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0, format=tarfile.PAX_FORMAT) as archive:
        for name, text in whole.items():
            info = tarfile.TarInfo(f"acme_widgets-1.0/{'PKG-INFO' if name == 'METADATA' else name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _file_readers() -> Iterator[Reader]:
    def requirements(raw: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            file.write(raw)
            file.flush()
            try:
                gather(files=[file.name])
            except WardenError as err:
                return err.code
        return "read"

    def trust(raw: bytes) -> str:
        try:
            parse_trust(raw.decode(), Path("/nowhere/pytrust.toml"))
        except WardenError as err:
            return err.code
        return "read"

    def packages(count: int) -> bytes:
        head = 'version = 1\n[source.pypi]\ntype = "simple"\nurl = "https://pypi.org/simple"\n'
        return (head + "".join(_hash_entry(number) for number in range(count))).encode()

    yield Reader(
        name="requirements, lines",
        smallest=250,
        make=lambda n: "".join(f"gears{number}==1.{number}\n" for number in range(n)).encode(),
        read=requirements,
    )
    yield Reader(
        name="requirements, hashes of one",
        smallest=1000,
        make=lambda n: (
            "gears==1.0" + "".join(f" \\\n  --hash=sha256:{at:064x}" for at in range(n))
        ).encode(),
        read=requirements,
    )
    yield Reader(
        name="requirements, blanks", smallest=20_000, make=lambda n: b"a" + b" " * n + b"x", read=requirements
    )
    yield Reader(name="trust file, packages", smallest=250, make=packages, read=trust)


def _hash_entry(number: int) -> str:
    return (
        f'[[package]]\nname = "gears{number}"\nsource = "pypi"\nversion = "1.0"\nreason = "reviewed"\n'
        f'sha256 = {{ "gears{number}-1.0.tar.gz" = "{number:064x}" }}\n'
    )


if __name__ == "__main__":
    main()
