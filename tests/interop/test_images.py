"""Which verifier accepts which producer's evidence of an image, in which registry."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from interop import image_clients as by
from interop.clients import Bench
from interop.image_clients import Stored, Verifier, trust_file
from interop.registries import REGISTRIES, Shelf, client, log_in, push, realm
from interop.tables import check_table
from pip_warden.sandbox import Job, Sandbox

pytestmark = pytest.mark.interop

Verifiers = dict[str, Verifier]
SIGNED: Verifiers = {"cosign 3.1.3 `verify -a`": by.by_cosign, "pip-warden": by.by_warden}
ATTESTED: Verifiers = {
    "cosign 3.1.3 `verify-attestation`": by.by_cosign_attested,
    "pip-warden": by.by_warden_attested,
}
SIGNED_BEFORE: Verifiers = {"cosign 3.1.3 `verify -a`": by.by_cosign_as_before, "pip-warden": by.by_warden}
ATTESTED_BEFORE: Verifiers = {
    "cosign 3.1.3 `verify-attestation`": by.by_cosign_attested_as_before,
    "pip-warden": by.by_warden_attested,
}
PRODUCERS: dict[str, tuple[Callable[[Stored], None], Verifiers]] = {
    "cosign 3.1.3 `sign -a`": (by.cosign_sign, SIGNED),
    "cosign 3.1.3 `sign -a`, Rekor v2": (by.cosign_sign_v2, SIGNED),
    "cosign 3.1.3 `attest`": (by.cosign_attest, ATTESTED),
    "cosign 3.1.3 `sign -a`, as cosign 2": (by.cosign_sign_as_before, SIGNED_BEFORE),
    "cosign 3.1.3 `attest`, as cosign 2": (by.cosign_attest_as_before, ATTESTED_BEFORE),
    "cosign 2.2.3 `sign -a`": (by.old_cosign_sign, SIGNED_BEFORE),
    "cosign 2.2.3 `attest`": (by.old_cosign_attest, ATTESTED_BEFORE),
    "pip-warden `image sign -a`": (by.warden_sign, SIGNED),
    "pip-warden `image sign -a`, Rekor v2": (by.warden_sign_v2, SIGNED),
    "pip-warden `image attest`": (by.warden_attest, ATTESTED),
    "pip-warden `image annotate`": (by.warden_annotate, SIGNED),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What was measured.

    Attributes:
        producer: Who made the evidence.
        verifier: Who was asked.
        word: What came of it.
        said: The output, where it was not ok.
        registry: Where the evidence was.
    """

    producer: str
    verifier: str
    word: str
    said: str
    registry: str = ""


def test_the_matrix_of_images_is_as_the_page_says(gitlab: Sandbox, tmp_path: Path) -> None:
    cells = _measured(gitlab, tmp_path)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for cell in cells:
        found.setdefault((cell.producer, cell.verifier), {})[cell.registry] = cell.word
    measured = [[*names, *(words[registry] for registry in REGISTRIES)] for names, words in found.items()]
    said = "\n".join(cell.said for cell in cells if cell.said)
    check_table("images", ["made by", "verified by", *REGISTRIES], measured, said=said)


def _measured(gitlab: Sandbox, directory: Path) -> list[Cell]:
    """Return every cell, in the order of the producers."""
    job = gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
    cells = []
    for number, (registry, opened) in enumerate(REGISTRIES.items()):
        place = directory / str(number)
        place.mkdir()
        with opened(gitlab, place) as shelf, ThreadPoolExecutor(3) as pool:
            row = partial(_row, gitlab, job, shelf, place)
            for found in pool.map(row, PRODUCERS):
                cells += [replace(cell, registry=registry) for cell in found]
    return sorted(cells, key=lambda cell: [*PRODUCERS].index(cell.producer))


def _row(gitlab: Sandbox, job: Job, shelf: Shelf, place: Path, producer: str) -> list[Cell]:
    """Let a producer say something of an image of its own, and ask every verifier."""
    produce, verifiers = PRODUCERS[producer]
    home = place / str([*PRODUCERS].index(producer))
    home.mkdir()
    image = _stored(gitlab, job, shelf, home)
    produce(image)
    cells = []
    for name, verifier in verifiers.items():
        word, said = _asked(image, verifier)
        cells.append(Cell(producer=producer, verifier=name, word=word, said=said))
    return cells


def _stored(gitlab: Sandbox, job: Job, shelf: Shelf, home: Path) -> Stored:
    """Push an image into a repository of its own, which is named as its home."""
    log_in(home, gitlab, job)
    image, repository = gitlab.image({"name": home.name}), shelf.repository(f"{home.parent.name}-{home.name}")
    with client(home, gitlab, shelf) as registry:
        push(registry, repository, image, "1.0")
    bench = Bench.of(gitlab, home, job=job)
    trust = trust_file(bench, repository, realm=realm(gitlab))
    return Stored(bench=bench, repository=repository, digest=image.digest, trust=trust)


def _asked(image: Stored, verifier: Verifier) -> tuple[str, str]:
    """Ask for what is there, which must be accepted, and for what is not, which must be refused."""
    right, wrong = verifier(image), verifier(image, wrong=True)
    if right.returncode:
        return "no", f"{right.args}: {right.stdout}{right.stderr}"
    if by.refuses(wrong):
        return "ok", ""
    return "no refusal", f"{wrong.args}: {wrong.returncode} {wrong.stdout}{wrong.stderr}"
