"""Step 8 for the signatures of cosign 2: a simple signing payload, read as what cosign 3 signs in its stead.

It says the same as an in-toto statement of the type :data:`~.statement.COSIGN_SIGN`: the digest of the image
that is signed, and annotations. Source: cosign, ``specs/SIGNATURE_SPEC.md``.
"""

from __future__ import annotations

from pip_warden._sigstore.fields import Fields
from pip_warden._sigstore.result import Envelope
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.oci.names import parse_digest
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.verdict.judged import Judged, JudgedImage
from pip_warden.verdict.statement import COSIGN_SIGN, Statement, Subject

_TYPE = "cosign container image signature"
_LARGEST = 1 << 20


def read_payload(payload: bytes, envelope: Envelope | None, judged: Judged) -> Statement | Fault:
    """Read a payload over whose digest a signature was verified.

    Args:
        payload: The payload.
        envelope: What the same item proved as an envelope: then its signature covers no payload.
        judged: What is judged: an image, since files have no such signatures.
    """
    if not isinstance(judged, JudgedImage) or envelope is not None:
        return Fault(
            code="payload-type-refused",
            expected="a signature over the file, or a signed statement",
            found="a signed payload of an image" if envelope is None else "an envelope beside a payload",
        )
    try:
        return _read(payload)
    except (MalformedError, UsageError) as err:
        return Fault(
            code="bad-statement",
            expected=f"a payload of the type {_TYPE!r} that names the digest of an image",
            found=str(err),
            hint="What was signed cannot be read as an image's signature; the publisher's tool is at fault.",
        )


def _read(payload: bytes) -> Statement:
    """Read a payload.

    Raises:
        MalformedError: It is none.
        UsageError: It names the image by another digest than SHA-256.
    """
    whole = Fields(loads_object(payload, max_bytes=_LARGEST), "the payload")
    critical = whole.child("critical")
    image, identity = critical.child("image"), critical.child("identity")
    if (kind := critical.text("type")) != _TYPE:
        raise MalformedError(f"the type {kind[:80]!r}")
    digest = parse_digest(image.text("docker-manifest-digest"))
    # A claim of where it was signed: as in statements, no name of an image is compared.
    identity.text("docker-reference")
    whole.optional("optional")
    subject = Subject(name="", sha256=digest.hex, annotations=whole.take("optional"))
    for fields in (image, identity, critical, whole):
        fields.done()
    return Statement(predicate_type=COSIGN_SIGN, subjects=(subject,), predicate={})
