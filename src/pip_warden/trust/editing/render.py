"""Writes entries of a trust file as TOML text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import tomlkit

from pip_warden.trust.model import (
    HashEntry,
    Identity,
    IdentityEntry,
    ImageEntry,
    Requirements,
    RootPin,
    Source,
)
from pip_warden.trust.source import default_evidence

_INDENT = "  "

Value = str | int | bool | date | list[str] | dict[str, str] | None
"""None is left out."""


def root_keys(name: str) -> tuple[str, ...]:
    """Return the keys of a trusted root's table."""
    return ("sigstore",) if name == "default" else ("sigstore", name)


def render_root(pin: RootPin, directory: Path) -> str:
    """Write ``[sigstore]`` or ``[sigstore.X]``; a file in the trust file's directory as a relative path."""
    absolute = directory.absolute()
    place = pin.path.relative_to(absolute) if pin.path.is_relative_to(absolute) else pin.path
    header = f"[{'.'.join(root_keys(pin.name))}]"
    pairs: dict[str, Value] = {
        "trusted-root": str(place),
        "trusted-root-sha256": str(pin.sha256),
        "issuers": list(pin.issuers),
    }
    return _lines([header, *_pairs(pairs)])


def render_source(source: Source) -> str:
    """Write ``[source.X]``."""
    is_default = source.evidence == default_evidence(source.type, source.url)
    is_one = source.type == "simple" and bool(source.evidence)
    templates: Value = source.evidence[0] if is_one else list(source.evidence)
    pairs: dict[str, Value] = {
        "type": source.type,
        "url": source.url,
        "evidence": None if is_default else templates,
        "hash-reason": source.hash_reason or None,
    }
    return _lines([f"[source.{source.name}]", *_pairs(pairs)])


def render_identity_entry(entry: IdentityEntry) -> str:
    """Write ``[[package]]`` with its identities and requirements."""
    head = [*_package_head(entry), *_pairs({"evidence": list(entry.evidence) or None})]
    return _entry("package", head, entry)


def render_image(entry: ImageEntry) -> str:
    """Write ``[[image]]`` with its identities and requirements."""
    pairs: dict[str, Value] = {"repository": str(entry.repository), "realm": entry.realm}
    return _entry("image", ["[[image]]", *_pairs(pairs)], entry)


def _entry(key: str, head: Iterable[str], entry: IdentityEntry | ImageEntry) -> str:
    blocks = [_lines(head), *(render_identity(identity, key) for identity in entry.identities)]
    require = [_INDENT + line for line in _pairs(_require(entry.require))]
    if require:
        blocks.append(_lines([f"{_INDENT}[{key}.require]", *require]))
    return "\n".join(blocks)


def render_identity(identity: Identity, key: str = "package") -> str:
    """Write ``[[package.identity]]``, or that of another table."""
    pairs: dict[str, Value] = {
        "issuer": identity.issuer,
        "subject": identity.subject.text,
        "project-id": int(identity.project_id) if identity.project_id else None,
        "not-before": identity.not_before,
        "not-after": identity.not_after,
        "sigstore": None if identity.root == "default" else identity.root,
        "account": identity.is_account or None,
    }
    return _lines(_INDENT + line for line in (f"[[{key}.identity]]", *_pairs(pairs)))


def render_hash_entry(entry: HashEntry, default_reason: str, *, is_grouped: bool) -> str:
    """Write ``[[package]]`` for one version, with a line for each file.

    Args:
        entry: The version.
        default_reason: The reason that its source gives, which need not be said again.
        is_grouped: Other versions may join it, so only the file names say which one it is.
    """
    terms: dict[str, Value] = {
        "version": None if is_grouped else str(entry.version),
        "reason": None if entry.reason == default_reason else entry.reason,
        "expires": entry.expires,
    }
    head = [*_package_head(entry), *_pairs(terms)]
    files = [f"{_INDENT}{spelled(name)} = {spelled(str(digest))}" for name, digest in sorted(entry.files)]
    return _lines(head) + "\n" + _lines([f"{_INDENT}[package.sha256]", *files])


def spelled(value: Value) -> str:
    """Return a value as TOML, quoted and escaped."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{spelled(key)} = {spelled(item)}" for key, item in value.items()) + " }"
    return tomlkit.item(value).as_string()


def _package_head(entry: IdentityEntry | HashEntry) -> list[str]:
    pairs: dict[str, Value] = {
        "name": entry.project,
        "source": entry.source,
        "project": entry.registry,
        "registry-id": entry.registry_id if str(entry.registry_id) != entry.registry else None,
    }
    return ["[[package]]", *_pairs(pairs)]


def _require(require: Requirements) -> dict[str, Value]:
    trigger = None if require.build_trigger == Requirements().build_trigger else sorted(require.build_trigger)
    return {
        "build-trigger": trigger,
        "runner-environment": require.runner_environment,
        "source-ref": require.source_ref.text if require.source_ref else None,
        "source-repository": require.source_repository,
        "environment": require.environment,
        "visibility": require.visibility,
        "predicate-types": sorted(require.predicate_types) or None,
        "provenance": require.provenance,
        "confirmed-build": require.confirmed_build or None,
        "annotations": dict(require.annotations) or None,
    }


def _pairs(values: Mapping[str, Value]) -> Iterator[str]:
    return (f"{key} = {spelled(value)}" for key, value in values.items() if value is not None)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
