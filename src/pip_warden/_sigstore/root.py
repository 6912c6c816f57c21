"""A trusted root: which authorities and logs may issue, log and time-stamp, and when.

The sigstore library reads a root whole or not at all, and does not check the end of the windows in which its
parts are valid. So the root is read here, part by part (:mod:`.root_reader`), and a verifier is built for
exactly the CA, CT log and transparency log that one bundle names (:mod:`.verifier`).
"""

from __future__ import annotations

import threading
from collections import Counter

from cryptography import x509
from sigstore.verify import Verifier

from pip_warden._sigstore.root_parts import Authority, Log, Parts
from pip_warden._sigstore.root_reader import MEDIA_TYPE, read_parts
from pip_warden._sigstore.verifier import build_verifier
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import TrustRootError
from pip_warden.strict_json import MalformedError


class Root:
    """A trusted root, read once. Safe to use from several threads.

    Attributes:
        sha256: Digest of the file.
        authorities: Its certificate authorities.
        ct_logs: Its CT logs.
        logs: Its transparency logs.
        timestamp_authorities: Its time-stamp authorities.
        dropped: What was left out, each with its path and why.
    """

    def __init__(self, *, sha256: Digest, parts: Parts) -> None:
        self.sha256 = sha256
        self.authorities = parts.authorities
        self.ct_logs = parts.ct_logs
        self.logs = parts.logs
        self.dropped = parts.dropped
        self.timestamp_authorities = parts.timestamp_authorities
        self._issuers = _alone(parts.authorities)
        self._verifiers: dict[tuple[int, ...], tuple[Verifier, tuple[Authority | Log, ...]]] = {}
        self._lock = threading.Lock()

    @property
    def rekor_v1_urls(self) -> tuple[str, ...]:
        """URLs of the Rekor v1 instances, the newest first, each once."""
        newest_first = sorted(self.logs, key=lambda log: log.window.start, reverse=True)
        return tuple(dict.fromkeys(log.url for log in newest_first if log.is_v1))

    def issuer(self, name: x509.Name) -> Authority | None:
        """Return the authority that issues under a name.

        None where none does, or where the name does not tell: another certificate of the root has it too.
        """
        return self._issuers.get(name)

    def verifier(
        self, authority: Authority, ct_log: Log, log: Log, timestamp_authorities: tuple[Authority, ...]
    ) -> Verifier:
        """Return a verifier that trusts only these three and, for time stamps, these authorities."""
        parts: tuple[Authority | Log, ...] = (authority, ct_log, log, *timestamp_authorities)
        # By identity, since comparing certificates takes longer; kept beside it, no other part becomes one.
        key = tuple(map(id, parts))
        with self._lock:
            if key not in self._verifiers:
                built = build_verifier(authority, ct_log, log, timestamp_authorities)
                self._verifiers[key] = (built, parts)
            return self._verifiers[key][0]


def _alone(authorities: tuple[Authority, ...]) -> dict[x509.Name, Authority]:
    """Return the authorities by the names of their issuing certificates that no other certificate has."""
    names = Counter(ca.subject for authority in authorities for ca in authority.certificates)
    first = {authority.certificates[0].subject: authority for authority in authorities}
    return {name: authority for name, authority in first.items() if names[name] == 1}


def load_root(raw: bytes) -> Root:
    """Read a trusted root from bytes whose digest was checked.

    Raises:
        TrustRootError: ``bad-trusted-root``: it is not a trusted root, or nothing can be verified with it.
    """
    try:
        parts = read_parts(raw)
    except MalformedError as err:
        raise TrustRootError(
            "bad-trusted-root",
            f"expected a Sigstore trusted root ({MEDIA_TYPE}), found: {err}",
            hint="Fetch it again with `pip-warden root update`, or restore the file that was pinned.",
        ) from err
    return Root(sha256=digest_of(raw), parts=parts)
