"""The rows of evidence in a source's generic registry, each fetched by its file id.

Of several rows with one name a download answers the newest, and any Developer can add one. So rows are
listed, and each is fetched by its id. Before GitLab 18.4 only the newest of a name can be fetched, by that
name: then it must have the digest that the list says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError
from pip_warden.evidence.locate import GenericPackage
from pip_warden.faults import Fault
from pip_warden.index.gitlab import GitLab
from pip_warden.index.rows import PackageFile
from pip_warden.supply.generic import at_most
from pip_warden.values import dataclass

MOST_ROWS = 33
"""Rows of one name that are looked at, as many as a consumer looks at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceRow:
    """One row of evidence.

    Attributes:
        label: For people: its name, with ``#2`` and so on for older rows.
        content: Its bytes; a fault where it is there and cannot be had.
    """

    label: str
    content: bytes | Fault


class SourceRows:
    """Every row of evidence of one registry project; a package is listed once.

    Args:
        gitlab: The instance.
        registry: Path of the project.

    Attributes:
        denied: Something was there that the list does not show: only what a name answers is known.
    """

    def __init__(self, gitlab: GitLab, registry: str) -> None:
        self._gitlab = gitlab
        self._registry = registry
        self._lists: dict[GenericPackage, tuple[PackageFile, ...]] = {}
        self.denied = False

    def names(self, places: Sequence[GenericPackage]) -> tuple[str, ...]:
        """Return every name that is listed.

        Raises:
            UndecidedError: The request failed.
        """
        return tuple(dict.fromkeys(row.file_name for place in places for row in self._listed(place)))

    def of(self, name: str, places: Sequence[GenericPackage], *, max_bytes: int) -> Iterator[EvidenceRow]:
        """Yield every row of a name, place by place, the newest first.

        Args:
            name: The name, as the registry stores it.
            places: The packages that are looked at.
            max_bytes: Larger content is cut one byte later, and so refused by every reader.

        Raises:
            UndecidedError: A request failed.
        """
        for place in places:
            if self._listed(place):
                yield from self._by_id(name, place, max_bytes)
            elif (content := self._by_name(name, place, max_bytes)) is not None:
                self.denied = True
                yield EvidenceRow(label=name, content=content)

    def _by_id(self, name: str, place: GenericPackage, max_bytes: int) -> Iterator[EvidenceRow]:
        rows = (row for row in self._listed(place) if row.file_name == name)
        for number, row in enumerate(islice(rows, MOST_ROWS), start=1):
            content = self._row(row, max_bytes)
            if content is None and number == 1:
                newest = self._by_name(name, place, max_bytes)
                content = newest if newest is not None and _is_listed(newest, row) else None
            label = name if number == 1 else f"{name}#{number}"
            yield EvidenceRow(label=label, content=_not_served() if content is None else content)
        if next(rows, None) is not None:
            yield EvidenceRow(label=name, content=_capped(name))

    def _row(self, row: PackageFile, max_bytes: int) -> bytes | None:
        return at_most(
            max_bytes,
            lambda: self._gitlab.file_by_id(self._registry, row, max_bytes=max_bytes, known_readable=True),
        )

    def _by_name(self, name: str, place: GenericPackage, max_bytes: int) -> bytes | None:
        return at_most(
            max_bytes,
            lambda: self._gitlab.generic_get(
                self._registry, place.package, place.version, name, max_bytes=max_bytes, known_readable=True
            ),
        )

    def _listed(self, place: GenericPackage) -> tuple[PackageFile, ...]:
        """Return the rows of a package, the newest first; none where it is hidden, or the list is denied."""
        if place not in self._lists:
            try:
                found = self._gitlab.package_files(
                    self._registry, place.package, place.version, known_readable=True
                )
            except CredentialsError:
                found = None
            self._lists[place] = found or ()
        return self._lists[place]


def _is_listed(content: bytes, row: PackageFile) -> bool:
    """Return whether content that was fetched by name is that of a row: it may have a newer one by now."""
    return row.claimed_sha256 is not None and digest_of(content).matches(row.claimed_sha256)


def _not_served() -> Fault:
    return Fault(
        code="row-not-served",
        expected="the row by its file id",
        found="none",
        hint="It was deleted meanwhile, or this GitLab is older than 18.4.",
    )


def _capped(name: str) -> Fault:
    return Fault(
        code="too-much-evidence",
        expected=f"at most {MOST_ROWS} rows of {name}",
        found="more; the others were not looked at",
    )
