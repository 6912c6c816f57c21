"""Builds the library's verifier for exactly the parts of a trusted root that one bundle names.

It then has no other key to try.
"""

from __future__ import annotations

import json
import logging

from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from pip_warden._sigstore.root_parts import Authority, Log
from pip_warden._sigstore.root_reader import MEDIA_TYPE

# The library warns through logging, which prints where nothing is configured; this package prints nothing.
logging.getLogger("sigstore").addHandler(logging.NullHandler())


def build_verifier(
    authority: Authority, ct_log: Log, log: Log, timestamp_authorities: tuple[Authority, ...]
) -> Verifier:
    """Return a verifier that trusts only these three and, for time stamps, these authorities."""
    root = {
        "mediaType": MEDIA_TYPE,
        "tlogs": [log.part],
        "certificateAuthorities": [authority.part],
        "ctlogs": [ct_log.part],
        "timestampAuthorities": [stamper.part for stamper in timestamp_authorities],
    }
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root,
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)
