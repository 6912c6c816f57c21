"""Evidence for the files of a simple index: provenance objects (PEP 740).

They are taken from the source's own template, else from where the index's page says that they are. Wherever
they come from they prove themselves, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from urllib.parse import quote

from pip_warden.errors import NetworkError, RegistryError, UndecidedError
from pip_warden.evidence.locate import locate_provenance
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.pep740 import LARGEST_PROVENANCE
from pip_warden.index.candidate import Candidate
from pip_warden.names import ArtifactName
from pip_warden.supply.ahead import Background, EvidenceAhead
from pip_warden.supply.generic import at_most
from pip_warden.transport import Response, Transport, error_for, is_api, origin_of, redacted_url
from pip_warden.trust.model import Source

_ACCEPT = "application/vnd.pypi.integrity.v1+json"
_INTEGRITY = "/integrity/{name}/{version}/{filename}/provenance"
"""The path of PyPI's integrity API, and of those that follow it."""
_PLACEHOLDER = re.compile(r"\{(name|version|filename)\}")


class Provenances:
    """The provenance objects of simple indexes.

    Args:
        transport: The HTTP client.
        ahead: What is requested before its turn.
    """

    def __init__(self, transport: Transport, ahead: EvidenceAhead) -> None:
        self._transport = transport
        self._ahead = ahead

    def expect(self, candidate: Candidate, source: Source, background: Background) -> None:
        """Start to fetch what :meth:`find` will ask for."""
        with suppress(UndecidedError):  # said when it is its turn
            if (url := _place(candidate, source)) is not None:
                fetch = partial(self._fetch, source, url, LARGEST_PROVENANCE)
                self._ahead.start((source.name, url), fetch, background)

    def find(self, candidate: Candidate, source: Source) -> Iterator[Item | BadItem]:
        """Yield the attestations of a file; none where the service says that there are none.

        Raises:
            UndecidedError: It could not be told whether there are any.
        """
        url = _place(candidate, source)
        if url is not None:
            yield from locate_provenance(url, partial(self._expected, source))

    def _expected(self, source: Source, url: str, max_bytes: int) -> bytes | None:
        # Another source's page may name the same URL, and would be answered otherwise: without credentials.
        return self._ahead.take((source.name, url), partial(self._fetch, source, url, max_bytes))

    def _fetch(self, source: Source, url: str, max_bytes: int) -> bytes | None:
        """Fetch a provenance object.

        A template is the trust file's, as the source's URL is; what a page names gets no credentials but in
        the source's own origin (T31).
        """
        is_named_by_page = not source.evidence
        reply = at_most(
            max_bytes,
            lambda: self._transport.get(
                url,
                max_bytes=max_bytes,
                accept=_ACCEPT,
                anonymous=is_named_by_page and is_foreign(url, source.url),
            ),
        )
        if isinstance(reply, bytes):
            return reply
        if is_named_by_page:
            return _named_by_page(reply)
        return _answered(reply, is_integrity=source.evidence[0].endswith(_INTEGRITY))


def provenance_url(template: str, name: ArtifactName) -> str:
    """Fill in the template of a simple source.

    Args:
        template: A URL with ``{name}``, ``{version}`` and ``{filename}``.
        name: The file's name.
    """
    values = {"name": str(name.project), "version": str(name.version), "filename": name.filename}
    return _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), template)


def is_foreign(url: str, home: str) -> bool:
    """Return whether a URL has another origin, or one that cannot be determined."""
    try:
        return origin_of(url) != origin_of(home)
    except NetworkError:
        return True


def _place(candidate: Candidate, source: Source) -> str | None:
    """Return where a file's provenance is; None where the source's own page names none.

    Raises:
        UndecidedError: ``evidence-behind-mirror``: only the source's own page could say it.
    """
    if source.evidence:
        return provenance_url(source.evidence[0], candidate.name)
    claimed = candidate.claimed_provenance
    if source.mirror is None:
        return claimed
    if claimed is not None and not is_foreign(claimed, source.url):
        return claimed
    raise UndecidedError(
        "evidence-behind-mirror",
        f"expected to learn where {source.name} has the evidence of {candidate.name}, "
        "found only the page of a mirror, and no template in the trust file",
        hint=f'Give [source.{source.name}] evidence = "https://HOST/…/{{filename}}/…", '
        "or take its pages from the source itself.",
    )


def _named_by_page(reply: Response) -> bytes | None:
    if reply.status == 404:
        return None
    if reply.status != 200:
        raise error_for(reply, "the provenance that the index names")
    return reply.body


def _answered(reply: Response, *, is_integrity: bool) -> bytes | None:
    """Return what a service of evidence answered: only its own 404 says that there is none.

    A GitLab's says it only to whom it knows: others get it for what they may not see. PyPI's integrity API
    says it in JSON; any other 404 is of a proxy that does not pass it on, or of a file that PyPI does not
    know. Nothing but a JSON object is an answer of such a service: not a sign-in page, nor a proxy's that
    blocks it.
    """
    is_known = reply.sent_credentials or not is_api(reply.url)
    is_object = reply.body.lstrip().startswith(b"{")
    if reply.status == 404 and is_known and not reply.left_origin:
        if is_object or not is_integrity:
            return None
        raise _no_answer(reply, "404 in JSON")
    if reply.status != 200:
        raise error_for(reply, "an answer of the source's service of evidence")
    if not is_object:
        raise _no_answer(reply, "404")
    return reply.body


def _no_answer(reply: Response, missing: str) -> RegistryError:
    return RegistryError(
        "no-evidence-answer",
        f"expected a provenance object, or {missing}, from {redacted_url(reply.url)}, found neither",
        status=reply.status,
        hint="A proxy or a sign-in page may answer for the service; nothing was decided. "
        "Check the source's `evidence`, and that this machine may reach it.",
    )
