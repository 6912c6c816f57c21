"""The vault: a cache of accepted files with their evidence, by content (design decision D6).

It saves fetching, never judging: a file taken out is hashed and judged again, from the stored evidence. So a
poisoned or shared cache can waste time, but never let a bad file through. Only an
:class:`~pip_warden.verdict.model.Accepted` is stored in it.

A path in it may have other bytes the next time, since other programs run as the same user. So it is opened
once: the file is copied into the run's private directory, hashed on the way, and that copy is inspected,
judged and handed over. A large file that was fetched is moved here from there when the run has ended.

::

    v1/ab/abcdef…/NAME-VERSION….whl     the bytes; the directory's name is their SHA-256
    v1/ab/abcdef…/evidence.json         their evidence
    v1/ab/.draft-…/                     being written; renamed when complete
    v1/runs/….json                      what the last run with a request took, for guesses
"""

from pip_warden.vault.kept import evidence_digest
from pip_warden.vault.nothing import NoVault
from pip_warden.vault.postponed import Postponed
from pip_warden.vault.sealed import Sealed, hand_over, sealed_as
from pip_warden.vault.store import StoredFile, Vault

__all__ = [
    "NoVault",
    "Postponed",
    "Sealed",
    "StoredFile",
    "Vault",
    "evidence_digest",
    "hand_over",
    "sealed_as",
]
