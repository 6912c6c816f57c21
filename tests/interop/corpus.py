"""Real archives, named in ``corpus.toml``, and how to fetch them to the cache: ``python -m interop.corpus``.

``pip download`` would run the build backend of every sdist, so they are fetched as by an index client that
builds nothing; the index is the one configured for pip.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import requests
from pypi_simple import DigestMismatchError, DistributionPackage, NoSuchProjectError, PyPISimple
from requests.adapters import HTTPAdapter

from interop.pip_index import PYPI, pip_index
from interop.stack.places import CACHE
from pip_warden.digests import Digest, digest_of_file
from pip_warden.names import parse_artifact_name

DIRECTORY = CACHE / "corpus"
LIST = Path(__file__).with_name("corpus.toml")
_SIDE_BY_SIDE = 8
_LONGEST_WAIT = 60.0
"""Seconds without a byte."""


class CorpusError(Exception):
    """A file of the list is not available, or differs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An expected refusal, and why it is right.

    Attributes:
        code: The refusal's code.
        reason: The reason in words.
    """

    code: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """A file of the list.

    Attributes:
        project: Its name on the index.
        filename: Its name on the index.
        digest: SHA-256 of its bytes.
        refusal: None where it is to be accepted.
    """

    project: str
    filename: str
    digest: Digest
    refusal: Refusal | None

    @property
    def path(self) -> Path:
        """Return its path in the cache."""
        return DIRECTORY / self.filename

    @property
    def is_here(self) -> bool:
        """Whether the cache has it, with these bytes."""
        return self.path.is_file() and digest_of_file(self.path).matches(self.digest)

    @property
    def release(self) -> str:
        """Return project and version, as ``corpus.toml`` writes a release."""
        return f"{self.project} {parse_artifact_name(self.filename).version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """The list.

    Attributes:
        archives: Every file, by project.
        one_kind: Releases of which only the wheel or only the sdist is here, each with the reason.
    """

    archives: tuple[Archive, ...]
    one_kind: dict[str, str]


def read_corpus() -> Corpus:
    """Read the list."""
    said = tomllib.loads(LIST.read_text(encoding="utf-8"))
    refused = {name: Refusal(**words) for name, words in said["refused"].items()}
    archives = tuple(
        Archive(project=project, filename=name, digest=Digest(digest), refusal=refused.pop(name, None))
        for project, files in said["files"].items()
        for name, digest in files.items()
    )
    if refused:
        raise CorpusError(f"refused, but no file of the list: {', '.join(refused)}")
    return Corpus(archives=archives, one_kind=said["one-kind"])


def fetch(archives: Iterable[Archive]) -> None:
    """Fetch the archives that the cache does not have.

    Raises:
        CorpusError: A file is not on the index, or is not the one of the list.
        requests.RequestException: The index does not respond.
        subprocess.CalledProcessError: pip cannot read its configuration.
    """
    wanted = [archive for archive in archives if not archive.is_here]
    index = (pip_index() or PYPI) if wanted else ""
    by_project = [list(files) for _, files in groupby(wanted, key=lambda archive: archive.project)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for _ in pool.map(lambda files: _fetch_project(index, files), by_project):
            pass


def _fetch_project(index: str, wanted: list[Archive]) -> None:
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=3))
        client = PyPISimple(index, session=session)
        try:
            page = client.get_project_page(wanted[0].project, timeout=_LONGEST_WAIT)
            listed = {package.filename: package for package in page.packages}
            for archive in wanted:
                _fetch_one(client, listed.get(archive.filename), archive)
        except (NoSuchProjectError, DigestMismatchError) as err:
            raise CorpusError(str(err)) from err


def _fetch_one(client: PyPISimple, package: DistributionPackage | None, archive: Archive) -> None:
    found = "none" if package is None else package.digests.get("sha256", "one without SHA-256")
    if package is None or found != archive.digest.hex:
        raise CorpusError(f"{archive.filename}: expected {archive.digest} on the index, found {found}")
    print(f"fetching {archive.filename}", file=sys.stderr, flush=True)
    part = DIRECTORY / f"{archive.filename}.part"
    client.download_package(package, part, timeout=_LONGEST_WAIT)
    part.replace(archive.path)


def main() -> int:
    """Fetch the corpus; return 1 where that fails."""
    try:
        fetch(read_corpus().archives)
    except (CorpusError, requests.RequestException) as err:
        print(f"corpus: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
