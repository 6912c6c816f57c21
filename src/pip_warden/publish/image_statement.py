"""What is signed of an image: in-toto statements about the digest of its manifest.

No statement names a repository: copied to another one, the image has the same digest and stays signed. The
name is empty, which is none to readers of protocol buffers (cosign's); sigstore-python signs and reads only
subjects that have one.

Sources: in-toto attestation framework, ``spec/v1/statement.md``; cosign 3 (``cosign sign``), whose signature
is a statement of a type of its own and whose annotations are the subject's.
"""

from __future__ import annotations

from collections.abc import Mapping

from pip_warden.digests import Digest
from pip_warden.publish.attest import spelled_statement
from pip_warden.publish.provenance import default_annotations
from pip_warden.strict_json import JSONValue

COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
"""The type of the statement that is an image's signature; its predicate is empty."""


def signature_statement(digest: Digest, annotations: Mapping[str, str]) -> bytes:
    """Return the statement that is the signature of an image, in one spelling.

    Args:
        digest: Digest of the manifest or index.
        annotations: What is said of the image beside, key by key.
    """
    subject = _subject(digest)
    if annotations:
        subject["annotations"] = dict(annotations)
    return spelled_statement(subject, COSIGN_SIGN, {})


def image_statement(digest: Digest, predicate_type: str, predicate: Mapping[str, JSONValue]) -> bytes:
    """Return a statement about an image, in one spelling.

    Args:
        digest: Digest of the manifest or index.
        predicate_type: URI of the predicate's type.
        predicate: What is said.
    """
    return spelled_statement(_subject(digest), predicate_type, predicate)


def _subject(digest: Digest) -> dict[str, JSONValue]:
    return {"name": "", "digest": {"sha256": digest.hex}}


def image_annotations(
    environ: Mapping[str, str], tag: str | None, given: Mapping[str, str]
) -> dict[str, str]:
    """Return the annotations of an image: those of the CI job, its tag, then those that the user gives.

    The pipeline's own tag is never said: of an image that is named otherwise it would be wrong, and could
    pass off an old image as the new one where a consumer demands ``tag = "{tag}"``.

    Args:
        environ: The job's variables; outside of a job there are no defaults.
        tag: The tag that is signed, None where only a digest is named.
        given: What the user says; it replaces what would be said otherwise.
    """
    said = default_annotations(environ)
    said.pop("tag", None)
    if tag is not None:
        said["tag"] = tag
    return said | dict(given)
