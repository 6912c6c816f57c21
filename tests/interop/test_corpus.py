"""Real archives: each is accepted, or refused as ``corpus.toml`` says and explains."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from interop import corpus
from interop.corpus import Archive, CorpusError, fetch, read_corpus
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact
from pip_warden.digests import digest_of
from pip_warden.names import parse_artifact_name
from pip_warden.sandbox import File, Sandbox
from pip_warden.verdict.archive import check_archive

pytestmark = pytest.mark.interop

CORPUS = read_corpus()


@pytest.mark.parametrize("archive", CORPUS.archives, ids=lambda archive: archive.filename)
def test_a_real_archive_is_accepted_or_refused_as_the_list_says(archive: Archive) -> None:
    assert archive.is_here, f"{archive.path} is not there, or has other bytes; `make interop` fetches it"
    name = parse_artifact_name(archive.filename)
    fault = check_archive(
        Artifact(
            name=name,
            path=archive.path,
            digest=archive.digest,
            size=archive.path.stat().st_size,
            contents=inspect(archive.path, name),
        )
    )

    wanted = archive.refusal.code if archive.refusal else None
    found = fault.code if fault else None
    assert found == wanted, (
        f"{archive.filename}: {fault or 'accepted'}, where the list says {archive.refusal}"
    )


def test_every_dependency_of_this_project_is_in_the_list() -> None:
    ours = {str(canonicalize_name(found.metadata["Name"])) for found in distributions()} - {"pip-warden"}
    listed = {archive.project for archive in CORPUS.archives}

    assert len(ours) > 20
    assert ours - listed == set()


def test_every_release_is_there_as_wheel_and_as_sdist_or_the_list_says_why_not() -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for archive in CORPUS.archives:
        kinds[archive.release].add(parse_artifact_name(archive.filename).kind)

    assert {release for release, found in kinds.items() if len(found) == 1} == set(CORPUS.one_kind)


@pytest.mark.parametrize("wrong", ["the bytes", "the digest on the index", "no such file", "no such project"])
def test_what_is_not_the_file_of_the_list_is_not_fetched(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "DIRECTORY", tmp_path)
    with Sandbox() as sandbox:
        monkeypatch.setenv("PIP_INDEX_URL", f"{sandbox.pypi_url}")
        file = sandbox.wheel("acme-widgets", "1.0")
        sandbox.upstream.add("acme-widgets", [File(name=file.name, data=file.data)])
        good = Archive(project="acme-widgets", filename=file.name, digest=digest_of(file.data), refusal=None)
        fetch([good])
        assert good.is_here
        good.path.unlink()
        if wrong == "the bytes":
            sandbox.upstream.file(file.name).data = file.data[:-1] + b"\1"
        other = {
            "the bytes": good,
            "the digest on the index": replace(good, digest=digest_of(b"")),
            "no such file": replace(good, filename="acme_widgets-2.0-py3-none-any.whl"),
            "no such project": replace(good, project="acme-gadgets"),
        }
        with pytest.raises(CorpusError):
            fetch([other[wrong]])

        assert list(tmp_path.iterdir()) == []
