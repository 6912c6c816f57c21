"""The vault: accepted files with the evidence that spoke for them, by content (design decision D6).

It saves fetching, never judging: whoever takes a file out has it hashed and judged again, from the stored evidence. So a poisoned or shared cache
can waste time and never let anything in. Only an :class:`~pip_warden.verdict.model.Accepted` opens it.

A path in it may lead to other bytes the next time, whoever else runs as the same user. So it is opened once: the file is copied into the run's
private directory, hashed on the way, and that copy is inspected, judged and handed over.

::

    v1/ab/abcdef…/NAME-VERSION….whl     the bytes; the directory's name is their SHA-256
    v1/ab/abcdef…/evidence.json         what spoke for them
    v1/ab/.draft-…/                     being written; renamed when whole
"""

from pip_warden.vault.sealed import Sealed, hand_over, sealed_as
from pip_warden.vault.store import StoredFile, Vault

__all__ = ["Sealed", "StoredFile", "Vault", "hand_over", "sealed_as"]
