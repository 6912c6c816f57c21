"""Indexes that crane made, signed whole or one by one; images promoted with the evidence of everybody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from interop import image_clients as by
from interop.clients import VENV, Bench
from interop.image_clients import Stored, trust_file
from interop.registries import (
    as_gitlab,
    client,
    distribution,
    go_containerregistry,
    log_in,
    push,
    realm,
)
from interop.stack.places import BIN
from pip_warden.oci.names import Repository
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop
MACHINES = ("amd64", "arm64")


@pytest.fixture
def bench(gitlab: Sandbox, tmp_path: Path) -> Bench:
    job = gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
    log_in(tmp_path, gitlab, job)
    return Bench.of(gitlab, tmp_path, job=job)


@pytest.fixture(params=[distribution, go_containerregistry])
def index(request: pytest.FixtureRequest, gitlab: Sandbox, bench: Bench) -> Iterator[Stored]:
    """An index that crane made, of Docker's media types."""
    with request.param(gitlab, bench.directory) as shelf:
        repository = shelf.repository("index")
        for machine in MACHINES:
            _append(bench, repository, machine)
        parts = [word for machine in MACHINES for word in ("-m", f"{repository}:{machine}")]
        bench.must(BIN / "crane", "index", "append", "--docker-empty-base", *parts, "-t", f"{repository}:1.0")
        digest = bench.must(BIN / "crane", "digest", f"{repository}:1.0").strip()
        places = (repository, shelf.repository("promoted"))
        trust = trust_file(bench, *places, realm=realm(gitlab), ref="v1.0")  # platforms have no tag
        yield Stored(bench=bench, repository=repository, digest=digest, trust=trust)


def _append(bench: Bench, repository: Repository, machine: str) -> None:
    name = f"{repository}:{machine}"
    bench.path(machine).write_text(machine, encoding="utf-8")
    bench.must("tar", "cf", f"{machine}.tar", machine)
    bench.must(BIN / "crane", "append", "--new_layer", f"{machine}.tar", "-t", name)
    bench.must(BIN / "crane", "mutate", f"--set-platform=linux/{machine}", "-t", name, name)


def _platforms(index: Stored) -> list[Stored]:
    """Return the images of an index, each named by its digest alone."""
    listed = json.loads(index.bench.must(BIN / "crane", "manifest", index.name))
    assert listed["mediaType"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    return [replace(index, digest=entry["digest"], tag=None) for entry in listed["manifests"]]


@pytest.mark.parametrize("sign", [by.cosign_sign, by.warden_sign])
def test_platforms_that_were_signed_one_by_one(index: Stored, sign: Callable[..., None]) -> None:
    sign(index, "--recursive")

    promoted = replace(index, repository=replace(index.repository, path="acme/widgets/promoted"))
    _promote(index, promoted)
    for image in (index, *_platforms(index), promoted, *_platforms(promoted)):
        _accepted(by.by_cosign(image), by.by_warden(image))
    _accepted(by.by_warden(promoted, "--recursive"))


def test_platforms_that_only_the_index_covers(index: Stored) -> None:
    by.warden_sign(index)

    _accepted(by.by_cosign(index), by.by_warden(index), by.by_warden(index, "--platform=linux/arm64"))
    for image in _platforms(index):
        _refused(by.by_cosign(image), by.by_warden(image))
    _refused(by.by_warden(index, "--recursive"))


def test_an_image_promoted_with_the_evidence_of_everybody(gitlab: Sandbox, bench: Bench) -> None:
    with ExitStack() as stack:
        shelves = [
            stack.enter_context(opened(gitlab, bench.directory))
            for opened in (as_gitlab, go_containerregistry, distribution)
        ]
        places = [shelf.repository("app") for shelf in shelves]
        trust = trust_file(bench, *places, realm=realm(gitlab))
        made = gitlab.image({"a": "b"})
        with client(bench.directory, gitlab, shelves[0]) as registry:
            push(registry, places[0], made, "1.0")
        images = [Stored(bench=bench, repository=place, digest=made.digest, trust=trust) for place in places]
        for produce in (
            by.cosign_sign, by.cosign_attest, by.cosign_sign_as_before, by.cosign_attest_as_before,
            by.warden_sign, by.warden_attest, by.warden_annotate,
        ):  # fmt: skip
            produce(images[0])
        made_there = _judged(images[0])

        # To annotate is to sign: what was said before in the same words is not said again.
        assert sorted(kind for kind, _ in made_there) == ["provenance"] * 3 + ["signature"] * 3
        for source, target in pairwise(images):
            _promote(source, target)
            assert _judged(target) == made_there
            _promote(source, target)  # nothing is left to do


def _promote(source: Stored, target: Stored) -> None:
    words = (f"--trust={source.trust}", source.name, "--to", target.name)
    source.bench.must(VENV / "pip-warden", "image", "promote", *words)


def _judged(image: Stored) -> set[tuple[str, str]]:
    """Ask everybody in every way; return the kind and log index of what we found."""
    _accepted(
        by.by_cosign(image),
        by.by_cosign_attested(image),
        by.by_cosign_as_before(image),
        by.by_cosign_attested_as_before(image),
        by.by_warden_attested(image),
    )
    result = by.by_warden(image, "--show-successes")
    _accepted(result)
    return set(re.findall(r"^ *verified (\w+), .* log index (\d+)", result.stdout, re.MULTILINE))


def _accepted(*results: CompletedProcess[str]) -> None:
    for result in results:
        assert result.returncode == 0, (result.args, result.stdout, result.stderr)


def _refused(*results: CompletedProcess[str]) -> None:
    for result in results:
        assert by.refuses(result), (result.args, result.stdout, result.stderr)
