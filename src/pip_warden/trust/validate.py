"""Validates a trust file: its tables one by one, then the rules between them, collecting every fault.

A faulty table is left out of the rules between tables, but its name is not: one mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from packaging.version import Version
from pydantic import ValidationError

from pip_warden.digests import Digest
from pip_warden.trust.messages import FaultLine, describe_value, faults_of, faults_of_unknown, joined
from pip_warden.trust.model import (
    Entry,
    HashEntry,
    Identity,
    IdentityEntry,
    ImageEntry,
    Requirements,
    Revocation,
    RootPin,
    Source,
    TrustFile,
)
from pip_warden.trust.rules import check_images, check_whole
from pip_warden.trust.schema import (
    HashPackage,
    IdentityPackage,
    IdentityTable,
    ImageTable,
    PackageTable,
    RequireTable,
    RevokedTable,
    RootTable,
    SourceTable,
    Table,
)

_KEYS = frozenset({"version", "sigstore", "source", "package", "image", "revoked"})
_ROOT_KEYS = frozenset({"trusted-root", "trusted-root-sha256", "issuers"})
_DEFAULT_ROOT = "default"
_HASH_FORM = frozenset({"version", "sha256"})
_NO_REASON = "is required, since neither it nor hash-reason of its source is given, found nothing"

_TableT = TypeVar("_TableT", bound=Table)


class Reading:
    """Reads a document once: turns tables into values and collects their faults.

    Attributes:
        faults: The faults so far, each with its path.
    """

    def __init__(self, document: Mapping[str, object], path: Path) -> None:
        self._document = document
        self._path = path
        self.faults: list[FaultLine] = []

    def read(self) -> TrustFile:
        """Return what could be read; it is valid only if :attr:`faults` is empty afterwards."""
        self._check_version()
        self.faults.extend(faults_of_unknown(sorted(self._document.keys() - _KEYS), ""))
        roots = dict(self._named_roots())
        sources = dict(self._named_sources())
        packages = list(self._packages(sources))
        images = list(self._images())
        revoked = tuple(self._revocations())
        # Versions that share a table share its mistakes: each is reported once.
        self.faults.extend(dict.fromkeys(check_whole([(_path(at), e) for at, e in packages], sources, roots)))
        self.faults.extend(check_images(images, roots))
        return TrustFile(
            path=self._path,
            roots=tuple(pin for pin in roots.values() if pin),
            sources=tuple(source for source in sources.values() if source),
            entries=tuple(entry for _, entry in packages),
            revoked=revoked,
            images=tuple(entry for _, entry in images),
            tables=tuple(at for at, _ in packages),
        )

    def _check_version(self) -> None:
        version = self._document.get("version")
        if isinstance(version, bool) or version != 1 or not isinstance(version, int):
            problem = (
                "is required, found nothing"
                if version is None
                else f"expected 1, found {describe_value(version)}"
            )
            if isinstance(version, int) and version > 1:
                problem += ": it needs a newer pip-warden"
            self.faults.append(("version", problem))

    def _named_roots(self) -> Iterator[tuple[str, RootPin | None]]:
        table = self._table("sigstore")
        own = {key: value for key, value in table.items() if key in _ROOT_KEYS or not isinstance(value, dict)}
        if own:
            yield _DEFAULT_ROOT, self._root(_DEFAULT_ROOT, own, "sigstore")
        for name in [key for key in table if key not in own]:
            path = joined("sigstore", name)
            if name == _DEFAULT_ROOT:
                self.faults.append(
                    (path, "expected the default root's keys in [sigstore] itself, found this table")
                )
                yield name, None
            elif self._is_name(name, path):
                yield name, self._root(name, table[name], path)

    def _root(self, name: str, raw: object, path: str) -> RootPin | None:
        table = self._read(RootTable, raw, path)
        return (
            None
            if table is None
            else RootPin(
                name=name,
                path=self._path.parent.absolute() / table.trusted_root,
                sha256=table.trusted_root_sha256,
                issuers=tuple(table.issuers),
            )
        )

    def _named_sources(self) -> Iterator[tuple[str, Source | None]]:
        for name, raw in self._table("source").items():
            path = joined("source", name)
            if self._is_name(name, path):
                table = self._read(SourceTable, raw, path)
                if table is None:
                    yield name, None
                    continue
                yield (
                    name,
                    Source(
                        name=name,
                        type=table.type,
                        url=table.url,
                        evidence=table.evidence or (),
                        hash_reason=table.hash_reason or "",
                    ),
                )

    def _packages(self, sources: Mapping[str, Source | None]) -> Iterator[tuple[int, Entry]]:
        for position, raw in enumerate(self._tables("package")):
            path = _path(position)
            keys: frozenset[str] = frozenset(raw) if isinstance(raw, dict) else frozenset()
            by_hash, by_identity = bool(keys & _HASH_FORM), "identity" in keys
            if keys and by_hash == by_identity:
                self.faults.append(
                    (path, "expected either identity, or sha256 and reason, found both or neither")
                )
                continue
            if by_hash:
                yield from ((position, entry) for entry in self._hash_entries(raw, path, sources))
            elif (entry := self._identity_entry(raw, path)) is not None:
                yield position, entry

    def _hash_entries(
        self, raw: object, path: str, sources: Mapping[str, Source | None]
    ) -> Iterator[HashEntry]:
        """Yield an entry for each version that a table pins."""
        table = self._read(HashPackage, raw, path)
        if table is None:
            return
        source = sources.get(table.source)
        reason = table.reason or (source.hash_reason if source is not None else "")
        if not reason and source is not None:
            self.faults.append((f"{path}.reason", _NO_REASON))
        for version, files in _releases(table).items():
            yield HashEntry(
                project=table.name,
                version=version,
                source=table.source,
                files=files,
                reason=reason,
                registry=table.project,
                registry_id=_registry_id(table),
                expires=table.expires,
            )

    def _identity_entry(self, raw: object, path: str) -> IdentityEntry | None:
        table = self._read(IdentityPackage, raw, path)
        return (
            None
            if table is None
            else IdentityEntry(
                project=table.name,
                source=table.source,
                identities=tuple(_identity(identity) for identity in table.identity),
                registry=table.project,
                registry_id=_registry_id(table),
                evidence=table.evidence or (),
                require=_requirements(table.require) if table.require else Requirements(),
            )
        )

    def _images(self) -> Iterator[tuple[str, ImageEntry]]:
        for position, raw in enumerate(self._tables("image")):
            path = f"image[{position}]"
            table = self._read(ImageTable, raw, path)
            if table is not None:
                yield (
                    path,
                    ImageEntry(
                        repository=table.repository,
                        identities=tuple(_identity(identity) for identity in table.identity),
                        require=_requirements(table.require) if table.require else Requirements(),
                        realm=table.realm,
                    ),
                )

    def _revocations(self) -> Iterator[Revocation]:
        for position, raw in enumerate(self._tables("revoked")):
            table = self._read(RevokedTable, raw, f"revoked[{position}]")
            if table is not None:
                yield Revocation(
                    reason=table.reason, sha256=table.sha256, project=table.name, version=table.version
                )

    def _read(self, model: type[_TableT], raw: object, path: str) -> _TableT | None:
        try:
            return model.model_validate(raw)
        except ValidationError as err:
            self.faults.extend(faults_of(err, path))
            return None

    def _table(self, key: str) -> dict[str, object]:
        value = self._document.get(key, {})
        if isinstance(value, dict):
            return value
        self.faults.append((key, f"expected a table, found {describe_value(value)}"))
        return {}

    def _tables(self, key: str) -> list[object]:
        value = self._document.get(key, [])
        if isinstance(value, list):
            return value
        self.faults.append((key, f"expected tables written [[{key}]], found {describe_value(value)}"))
        return []

    def _is_name(self, name: str, path: str) -> bool:
        plain = bool(name) and name.isascii() and all(char.isalnum() or char in "-_" for char in name)
        if not plain:
            self.faults.append((path, "expected a name made of letters, digits, - and _, found another"))
        return plain


def _path(position: int) -> str:
    return f"package[{position}]"


def _releases(table: HashPackage) -> dict[Version, tuple[tuple[str, Digest], ...]]:
    """Return the files of each version: the table's, else the one that a file's name says."""
    found: dict[Version, list[tuple[str, Digest]]] = {}
    for file, digest in table.sha256.items():
        found.setdefault(table.version or file.version, []).append((file.filename, digest))
    return {version: tuple(files) for version, files in found.items()}


def _identity(table: IdentityTable) -> Identity:
    return Identity(
        issuer=table.issuer,
        subject=table.subject,
        project_id=None if table.project_id is None else str(table.project_id),
        not_before=table.not_before,
        not_after=table.not_after,
        root=table.sigstore,
        is_account=table.account,
    )


def _requirements(table: RequireTable) -> Requirements:
    defaults = Requirements()
    return Requirements(
        build_trigger=frozenset(table.build_trigger or defaults.build_trigger),
        runner_environment=table.runner_environment,
        source_ref=table.source_ref,
        source_repository=table.source_repository,
        environment=table.environment,
        visibility=table.visibility,
        predicate_types=frozenset(table.predicate_types or ()),
        provenance=table.provenance,
        confirmed_build=table.confirmed_build,
        annotations=tuple(sorted((table.annotations or {}).items())),
    )


def _registry_id(table: PackageTable) -> int | None:
    """Return the project id, which a numeric registry states itself."""
    if table.registry_id is None and table.project is not None and table.project.isdigit():
        return int(table.project)
    return table.registry_id
