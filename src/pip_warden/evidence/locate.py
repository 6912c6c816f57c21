"""Where evidence is stored, and in which order it is looked up (design decision D4).

Everything here is lazy: each form is fetched when it is iterated over, so that the caller can stop at the
first good one. Absent evidence is skipped; a failed request raises.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.errors import UndecidedError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import LARGEST_CERTIFICATE, LARGEST_SIGNATURE, Pair, complete, read_pair
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.names import MOST_KINDS, attestation_bundles, usual_names
from pip_warden.evidence.pep740 import LARGEST_PROVENANCE, read_attestation, read_provenance
from pip_warden.faults import Fault
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.names import ArtifactName
from pip_warden.values import dataclass

_MOST_ROWS = 32

LogEntryFinder = Callable[[Hashedrekord], LogEntry | None]
"""Looks up a detached signature's log entry, as :func:`pip_warden._sigstore.rekor.find_entry` does.

Raises UndecidedError where the log could not be reached.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenericPackage:
    """A package and version of a generic registry."""

    package: str
    version: str


class EvidenceStore(Protocol):
    """A place for evidence: a version of a generic package, or a directory."""

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        """Return the newest content of a name, None where there is none.

        A larger content may be cut after ``max_bytes + 1`` bytes: it is refused as too large.

        Raises:
            UndecidedError: The request failed.
        """
        ...

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Yield every row of a name but the newest, each with a label for people such as ``#2``.

        Raises:
            UndecidedError: The request failed.
        """
        ...

    def names(self, prefix: str) -> Sequence[str] | None:
        """Return every name with a prefix, or None where names cannot be listed.

        Raises:
            UndecidedError: The request failed.
        """
        ...


def generic_packages(
    templates: Sequence[str], name: ArtifactName, project_path: str
) -> tuple[GenericPackage, ...]:
    """Fill in the templates of the places of evidence.

    The version is tried as PEP 440 writes it, then as in the file name. A generic registry allows no ``!``:
    an epoch's is written ``__``.

    Args:
        templates: Each ``PACKAGE/VERSION`` with ``{project-name}``, ``{name}`` and ``{version}``.
        name: The file's name.
        project_path: Path of the registry project, such as ``acme/widgets``.
    """
    found = []
    for version in dict.fromkeys((str(name.version), _spelled_version(name))):
        values = {
            "{project-name}": project_path.rstrip("/").rpartition("/")[2],
            "{name}": str(name.project),
            "{version}": version,
        }
        for template in templates:
            package, _, folder = template.partition("/")
            found.append(
                GenericPackage(
                    package=_filled(package, values), version=without_epoch(_filled(folder, values))
                )
            )
    return tuple(dict.fromkeys(found))


def _filled(template: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return template


def _spelled_version(name: ArtifactName) -> str:
    if name.kind == "wheel":
        return name.filename.split("-")[1]
    return name.filename.removesuffix(".tar.gz").rpartition("-")[2]


def locate(
    filename: str, digest: Digest, stores: Sequence[EvidenceStore], find_entry: LogEntryFinder
) -> Iterator[Item | BadItem]:
    """Yield the evidence of a file from every store, best form first; of one name the newest row first.

    Args:
        filename: Name of the artifact, as the stores spell it (see
            :func:`~pip_warden.index.gitlab_urls.without_epoch`).
        digest: SHA-256 of the artifact, which a detached signature's log entry must have.
        stores: Where to look, the most likely first.
        find_entry: How a detached signature is looked up.

    Raises:
        UndecidedError: A request to a store or the transparency log failed.
    """
    yield from _bundles(filename, stores)
    for name in usual_names(filename, EvidenceForm.PEP740):
        for label, raw in _found(name, stores, LARGEST_BUNDLE):
            yield _capped(label, EvidenceForm.PEP740) if raw is None else read_attestation(label, raw)
    for name in _kind_names(filename, stores):
        for label, raw in _found(name, stores, LARGEST_BUNDLE):
            yield (
                _capped(label, EvidenceForm.DSSE_BUNDLE)
                if raw is None
                else read_bundle(label, raw, EvidenceForm.DSSE_BUNDLE)
            )
    for store in stores:
        yield from _detached(filename, digest, store, find_entry)


def locate_provenance(url: str, fetch: Callable[[str, int], bytes | None]) -> Iterator[Item | BadItem]:
    """Yield the attestations of the provenance object that an index names for a file.

    Args:
        url: The candidate's ``claimed_provenance``.
        fetch: Returns the content of a URL of at most so many bytes (cut one byte later), None where absent.

    Raises:
        UndecidedError: The request failed.
    """
    raw = fetch(url, LARGEST_PROVENANCE)
    if raw is not None:
        yield from read_provenance(url.rpartition("/")[2] or "provenance", raw)


def _bundles(filename: str, stores: Sequence[EvidenceStore]) -> Iterator[Item | BadItem]:
    name, old_name = usual_names(filename, EvidenceForm.BUNDLE)
    modern = 0
    for label, raw in _found(name, stores, LARGEST_BUNDLE):
        modern += 1
        yield _capped(label, EvidenceForm.BUNDLE) if raw is None else read_bundle(label, raw)
    for label, raw in _found(old_name, stores, LARGEST_BUNDLE):
        if modern:
            fault = Fault(
                code="two-bundles",
                expected=f"either {name} or {old_name}",
                found="both",
            )
            yield BadItem(label=label, form=EvidenceForm.BUNDLE, fault=fault)
            return
        yield _capped(label, EvidenceForm.BUNDLE) if raw is None else read_bundle(label, raw)


def _found(name: str, stores: Sequence[EvidenceStore], largest: int) -> Iterator[tuple[str, bytes | None]]:
    """Yield each content of a name; None stands for further rows that are not read."""
    for store in stores:
        newest = store.fetch(name, max_bytes=largest)
        if newest is None:
            continue
        yield name, newest
        rows = store.rows(name, max_bytes=largest)
        yield from ((f"{name}{label}", raw) for label, raw in islice(rows, _MOST_ROWS))
        if next(rows, None) is not None:
            yield name, None


def _capped(label: str, form: EvidenceForm) -> BadItem:
    fault = Fault(
        code="too-much-evidence",
        expected=f"at most {_MOST_ROWS + 1} rows of {label}",
        found="more; the others were not looked at",
    )
    return BadItem(label=label, form=form, fault=fault)


def _kind_names(filename: str, stores: Sequence[EvidenceStore]) -> list[str]:
    """Return possible names of attestations as bundles: the usual ones, then those that the stores list."""
    listed: list[str] = []
    for store in stores:
        listed += attestation_bundles(filename, store.names(f"{filename}.") or ())
    return list(
        dict.fromkeys([*usual_names(filename, EvidenceForm.DSSE_BUNDLE), *sorted(listed)[:MOST_KINDS]])
    )


def _detached(
    filename: str, digest: Digest, store: EvidenceStore, find_entry: LogEntryFinder
) -> Iterator[Item | BadItem]:
    sig_name, crt_name = usual_names(filename, EvidenceForm.DETACHED)
    signature = store.fetch(sig_name, max_bytes=LARGEST_SIGNATURE)
    certificate = store.fetch(crt_name, max_bytes=LARGEST_CERTIFICATE)
    if signature is None and certificate is None:
        return
    if signature is None or certificate is None:
        yield _incomplete(*((crt_name, sig_name) if signature is None else (sig_name, crt_name)))
        return
    yield _completed(sig_name, signature, certificate, digest, find_entry)
    # A row may have been added to either half: every older signature is tried with every certificate.
    signatures = [("", signature), *_some(store, sig_name, LARGEST_SIGNATURE)]
    certificates = [("", certificate), *_some(store, crt_name, LARGEST_CERTIFICATE)]
    pairs = [(sig, crt) for sig in signatures for crt in certificates][1:]
    for (sig_row, sig), (crt_row, crt) in pairs[:_MOST_ROWS]:
        row = f"{sig_row} + crt{crt_row}" if crt_row else sig_row
        yield _completed(f"{sig_name}{row}", sig, crt, digest, find_entry)
    if len(pairs) > _MOST_ROWS:
        yield _capped(sig_name, EvidenceForm.DETACHED)


def _incomplete(here: str, missing: str) -> BadItem:
    fault = Fault(code="incomplete-detached-signature", expected=f"{missing} beside {here}", found="none")
    return BadItem(label=here, form=EvidenceForm.DETACHED, fault=fault)


def _some(store: EvidenceStore, name: str, largest: int) -> Iterator[tuple[str, bytes]]:
    return islice(store.rows(name, max_bytes=largest), _MOST_ROWS)


def _completed(
    label: str, signature: bytes, certificate: bytes, digest: Digest, find_entry: LogEntryFinder
) -> Item | BadItem:
    pair = read_pair(label, signature, certificate)
    if isinstance(pair, Pair):
        return complete(pair, digest, find_entry(pair.wanted(digest)))
    return BadItem(label=label, form=EvidenceForm.DETACHED, fault=pair)


def unless_settled(
    artifact: Artifact, settled: Collection[Path], find_entry: LogEntryFinder
) -> LogEntryFinder:
    """Return a look-up that finds nothing for a file once it has a verdict.

    What is heard after that is heard for what it says, and a detached signature says nothing.

    Args:
        artifact: The file.
        settled: Paths of the files that have a verdict by now.
        find_entry: How an entry is looked up before.
    """
    return lambda wanted: None if artifact.path in settled else find_entry(wanted)


def refuse_lookup(_wanted: Hashedrekord) -> LogEntry | None:
    """Replace the log's look-up with ``--offline``.

    Raises:
        UndecidedError: ``log-lookup-offline``, always.
    """
    raise UndecidedError(
        "log-lookup-offline",
        "expected evidence that verifies offline, found a detached signature, "
        "whose log entry would have to be looked up",
        hint="Verify once without --offline, or ask the publisher for a bundle (FILE.sigstore.json).",
    )
