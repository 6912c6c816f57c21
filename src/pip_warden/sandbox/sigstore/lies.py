"""The forms of a product, and the ways in which it may be dishonest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class MediaType(StrEnum):
    """The bundle formats in use."""

    V01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    V02 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
    V03_OLD = "application/vnd.dev.sigstore.bundle+json;version=0.3"


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleForm:
    """The contents of a bundle, and how it is written.

    Attributes:
        media_type: The bundle format; 0.1 and 0.2 carry a certificate chain.
        promise: Include the signed entry timestamp.
        proof: Include the inclusion proof.
        integrated_time: Include the log's (by itself unsigned) time.
        timestamp: Include an RFC 3161 time.
        omit_defaults: Leave out zeros and empty lists, as Go's protobuf JSON does.
    """

    media_type: MediaType = MediaType.V03
    promise: bool = True
    proof: bool = True
    integrated_time: bool = True
    timestamp: bool = False
    omit_defaults: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Lie:
    """What a service does that an honest one would not; nothing by default.

    Attributes:
        san: Another subject than the claims give (a URI if it contains `://`, else a mail address).
        extensions: Fulcio's extensions by their last number: another value, or None to leave it out.
        ca: `foreign`: the certificate is issued by a look-alike of the CA.
        sct: `foreign`: by an unknown log; `forged`: in the log's name by another key; `absent`.
        certificate_age: How long before its use the certificate was issued; an hour makes it expired.
        lifetime: How long the certificate is valid.
        entry: `another`: the log entry is of another signature over the same content.
        promise: `forged`: the signed entry timestamp is by another key, in the log's name.
        checkpoint: `forged`: the checkpoint is by another key, in the log's name.
        proof: `broken`: the inclusion proof leads to another root.
        signature: `foreign`: by another key than the certificate's.
        timestamp: `foreign`: the RFC 3161 time is by an unknown authority; `other`: over other bytes.
    """

    san: str | None = None
    extensions: Mapping[int, str | None] = field(default_factory=lambda: MappingProxyType({}))
    ca: Literal["honest", "foreign"] = "honest"
    sct: Literal["honest", "foreign", "forged", "absent"] = "honest"
    certificate_age: timedelta = timedelta()
    lifetime: timedelta = timedelta(minutes=10)
    entry: Literal["honest", "another"] = "honest"
    promise: Literal["honest", "forged"] = "honest"
    checkpoint: Literal["honest", "forged"] = "honest"
    proof: Literal["honest", "broken"] = "honest"
    signature: Literal["honest", "foreign"] = "honest"
    timestamp: Literal["honest", "foreign", "other"] = "honest"


HONEST = Lie()
