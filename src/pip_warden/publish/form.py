"""The form fields of an upload to a PyPI registry, as twine makes them (PyPI legacy upload API)."""

from __future__ import annotations

from pathlib import Path

from pip_warden.digests import Digest
from pip_warden.errors import UsageError

_NOT_SENT = {"gpg_signature", "attestations", "md5_digest", "blake2_256_digest", "content"}


def form_fields(path: Path, digest: Digest) -> tuple[tuple[str, str], ...]:
    """Return the fields for a wheel or sdist.

    Args:
        path: The file.
        digest: Its SHA-256, computed by us: GitLab stores what the form says.

    Raises:
        UsageError: ``bad-distribution``: its metadata cannot be read.
    """
    from twine.exceptions import TwineException
    from twine.package import PackageFile

    try:
        metadata = PackageFile.from_filename(str(path), None).metadata_dictionary()
    except (TwineException, ValueError, OSError) as err:
        raise UsageError(
            "bad-distribution", f"expected a wheel or sdist with readable metadata, found {path.name}: {err}"
        ) from err
    fields = [(":action", "file_upload"), ("protocol_version", "1")]
    for name, value in metadata.items():
        if name in _NOT_SENT or value is None:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        fields += [(name, str(item)) for item in values]
    return tuple([field for field in fields if field[0] != "sha256_digest"] + [("sha256_digest", digest.hex)])
