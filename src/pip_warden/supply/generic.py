"""Evidence in a GitLab project's generic registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from pip_warden.errors import CredentialsError, NetworkError
from pip_warden.evidence.locate import GenericPackage
from pip_warden.index.gitlab import GitLab
from pip_warden.index.rows import PackageFile
from pip_warden.supply.ahead import Background, EvidenceAhead

T = TypeVar("T")


class GenericStore:
    """A version of a generic package as a store of evidence.

    The newest row of a name wins, and any Developer can add one. The project's index page was read before,
    with the same credentials, so a 404 here means that there is no such file.

    Args:
        gitlab: The instance.
        registry: The project whose registry it is.
        place: The version of the package.
        ahead: What was requested before its turn.

    Attributes:
        on_fetch: Called with each name that is fetched, and how large it may be.
    """

    def __init__(
        self, gitlab: GitLab, registry: str, place: GenericPackage, ahead: EvidenceAhead | None = None
    ) -> None:
        self._gitlab = gitlab
        self._registry = registry
        self._place = place
        self._ahead = ahead or EvidenceAhead()
        self.on_fetch: Callable[[str, int], None] = lambda _name, _max_bytes: None

    def expect(self, name: str, max_bytes: int, background: Background) -> None:
        """Start to fetch a name that will probably be asked for."""
        self._ahead.start(self._key(name), partial(self._newest, name, max_bytes), background)

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        """Return the newest content of a name."""
        self.on_fetch(name, max_bytes)
        return self._ahead.take(self._key(name), partial(self._newest, name, max_bytes))

    def _key(self, name: str) -> tuple[str, GenericPackage, str]:
        return self._registry, self._place, name

    def _newest(self, name: str, max_bytes: int) -> bytes | None:
        place = self._place
        return at_most(
            max_bytes,
            lambda: self._gitlab.generic_get(
                self._registry, place.package, place.version, name, max_bytes=max_bytes, known_readable=True
            ),
        )

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Yield every older row, by its id; none before GitLab 18.4, or where the API denies access."""
        place = self._place
        try:
            rows = (
                self._gitlab.package_files(self._registry, place.package, place.version, known_readable=True)
                or ()
            )
        except CredentialsError:
            return
        for number, row in enumerate([row for row in rows if row.file_name == name][1:], start=2):
            content = at_most(max_bytes, partial(self._row, row, max_bytes))
            if content is None:
                return
            yield f"#{number}", content

    def names(self, prefix: str) -> Sequence[str] | None:  # noqa: ARG002 -- only known names are requested
        """Return None: a listing costs more requests than requesting the known names."""
        return None

    def _row(self, row: PackageFile, max_bytes: int) -> bytes | None:
        return self._gitlab.file_by_id(self._registry, row, max_bytes=max_bytes, known_readable=True)


def at_most(max_bytes: int, fetch: Callable[[], T]) -> T | bytes:
    """Fetch, and replace content that is too large by bytes of a size that every reader refuses.

    Evidence that is too large is bad evidence, but there may be a good item too: it must not end the search.
    """
    try:
        return fetch()
    except NetworkError as err:
        if err.code != "too-large":
            raise
        return bytes(max_bytes + 1)
