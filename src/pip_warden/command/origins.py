"""Which origins the gate answers for: those of the pinned sources, and of where their files are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pip_warden.gate import Gate
from pip_warden.installer.routes import origin_in
from pip_warden.names import ProjectName
from pip_warden.trust.model import Source, TrustFile

_KNOWN_FILE_HOSTS = {"https://pypi.org/simple": "https://files.pythonhosted.org"}
_MOST_HOSTS = 16
"""That one page is believed to have its files on: each gets a certificate of its own."""

_MOST_TRIES = 3
"""Pages that are asked for, where the first cannot be fetched, to learn where an index has its files."""


def answered_origins(trust: TrustFile, gate: Gate) -> tuple[str, ...]:
    """Return the origins of every source, and of the separate hosts that its files are on.

    Such a host is learned from the page of a pinned project. One that cannot be fetched ends nothing here:
    that is told when it is asked for.

    Args:
        trust: The trust file.
        gate: Fetches the pages, each of which it fetches once.
    """
    found: dict[str, None] = {}
    for source in trust.sources:
        found.update(dict.fromkeys((origin_in(source.url), origin_in(source.home))))
        if source.type == "simple":
            found.update(dict.fromkeys(_file_hosts(source, trust, gate)))
    return tuple(found)


def unanswered_origins(urls: Iterable[str], answered: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of listed files that nobody answers for: what is asked of them is refused."""
    known = frozenset(answered)
    return tuple(sorted({origin_in(url) for url in urls} - known - {""}))


def _file_hosts(source: Source, trust: TrustFile, gate: Gate) -> Iterator[str]:
    known = _KNOWN_FILE_HOSTS.get(source.url)
    if known is not None:
        yield known
        if source.mirror is None:
            return
    for project in _projects_of(source, trust)[:_MOST_TRIES]:
        listing = gate.peek(project)
        if listing is not None and listing.page.candidates:
            # What may be asked for first: a page may name as many hosts as it likes.
            urls = (each.url for each in (*listing.allowed, *listing.page.candidates))
            hosts = dict.fromkeys(origin for url in urls if (origin := origin_in(url)))
            yield from islice(hosts, _MOST_HOSTS)
            return


def _projects_of(source: Source, trust: TrustFile) -> list[ProjectName]:
    return list(dict.fromkeys(entry.project for entry in trust.entries if entry.source == source.name))
