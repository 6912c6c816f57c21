"""A pin of the trust file as data."""

from __future__ import annotations

from datetime import date

from pip_warden.strict_json import JSONValue
from pip_warden.trust.model import Entry, HashEntry, IdentityEntry, ImageEntry


def requirements_of(entry: Entry | ImageEntry) -> list[tuple[str, str]]:
    """Return what a pin requires beside its signer, by the names of the trust file."""
    if isinstance(entry, HashEntry):
        return []
    require = entry.require
    stated = {
        "build-trigger": ", ".join(sorted(require.build_trigger)),
        "runner-environment": require.runner_environment,
        "source-ref": require.source_ref.text if require.source_ref else None,
        "source-repository": require.source_repository,
        "environment": require.environment,
        "visibility": require.visibility,
        "provenance": require.provenance,
        "confirmed-build": "true" if require.confirmed_build else None,
        "annotations": ", ".join(f"{key}={value}" for key, value in require.annotations),
    }
    return [(name, value) for name, value in stated.items() if value]


def as_json(entry: Entry) -> dict[str, JSONValue]:
    """Return a pin as JSON."""
    shape: dict[str, JSONValue] = {
        "project": entry.project,
        "source": entry.source,
        "registry": entry.registry,
    }
    if isinstance(entry, HashEntry):
        files: JSONValue = {name: digest.hex for name, digest in entry.files}
        shape |= {"kind": "hash", "version": str(entry.version), "files": files, "reason": entry.reason}
        return shape if entry.expires is None else shape | {"expires": entry.expires.isoformat()}
    return shape | _signers(entry)


def image_as_json(entry: ImageEntry) -> dict[str, JSONValue]:
    """Return a pin of images as JSON."""
    return {"repository": str(entry.repository), "realm": entry.realm} | _signers(entry)


def _signers(entry: IdentityEntry | ImageEntry) -> dict[str, JSONValue]:
    identities: list[JSONValue] = [
        {
            "issuer": identity.issuer,
            "subject": identity.subject.text,
            "project_id": identity.project_id,
            "not_before": _day(identity.not_before),
            "not_after": _day(identity.not_after),
            "sigstore": identity.root,
        }
        for identity in entry.identities
    ]
    require: JSONValue = {name.replace("-", "_"): value for name, value in requirements_of(entry)}
    return {"kind": "identity", "identities": identities, "require": require}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
