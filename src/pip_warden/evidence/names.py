"""The file names of evidence: the suffixes to a file's name, and the form of each (design decision D4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pip_warden.evidence.model import EvidenceForm

BUNDLE = ".sigstore.json"
OLD_BUNDLE = ".sigstore"
ATTESTATION = ".attestation"
SIGNATURE = ".sig"
CERTIFICATE = ".crt"

ATTESTATION_KINDS = ("publish", "slsa")
"""PEP 740 attestations are ``FILE.<kind>.attestation``."""

BUNDLE_KINDS = ("publish", "slsa", "provenance", "annotations")
"""Attestations as bundles: ``FILE.<kind>.sigstore.json``; other kinds are found where a store lists names."""

MOST_KINDS = 16
"""Further kinds of one file that are read, in alphabetical order."""

SUFFIXES = (
    (BUNDLE, EvidenceForm.BUNDLE),
    (OLD_BUNDLE, EvidenceForm.BUNDLE),
    *((f".{kind}{ATTESTATION}", EvidenceForm.PEP740) for kind in ATTESTATION_KINDS),
    *((f".{kind}{BUNDLE}", EvidenceForm.DSSE_BUNDLE) for kind in BUNDLE_KINDS),
    (SIGNATURE, EvidenceForm.DETACHED),
    (CERTIFICATE, EvidenceForm.DETACHED),
)
"""Each usual suffix with its form, best form first; within a form in the order of look-up."""

_ENDINGS = (BUNDLE, OLD_BUNDLE, ATTESTATION, SIGNATURE, CERTIFICATE)


_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


def is_kind(text: str) -> bool:
    """Return whether a text can be the short name of a kind: one that consumers and registries take."""
    return _KIND.fullmatch(text) is not None


def is_evidence(filename: str) -> bool:
    """Return whether a file is evidence by its name, of any file and kind."""
    return filename.endswith(_ENDINGS)


def evidence_of(filename: str, listed: Iterable[str]) -> tuple[str, ...]:
    """Return the listed names that are evidence of a file, in their order."""
    return tuple(name for name in listed if name.startswith(f"{filename}.") and is_evidence(name))


def usual_names(filename: str, form: EvidenceForm) -> tuple[str, ...]:
    """Return the names under which a file's evidence of one form is looked up."""
    return tuple(f"{filename}{suffix}" for suffix, its in SUFFIXES if its is form)


def attestation_bundles(filename: str, listed: Iterable[str]) -> tuple[str, ...]:
    """Return the listed names that are attestations of a file as bundles, of any kind, in their order."""
    found = []
    for name in listed:
        kind = name.removeprefix(f"{filename}.").removesuffix(BUNDLE)
        if name == f"{filename}.{kind}{BUNDLE}" and kind and "." not in kind:
            found.append(name)
    return tuple(found)
