"""Renders simple-API pages exactly as GitLab's presenters do (reference 1.3 and 1.4)."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.model import PackageRow
    from pip_warden.sandbox.gitlab.settings import InstanceSettings

_JSON = "application/vnd.pypi.simple.v1+json"
_JSON_PREFIXES = (_JSON, "application/vnd.pypi.simple.latest+json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """One anchor of a page."""

    text: str
    url: str
    sha256: str | None = None
    requires_python: str = ""
    own_requires_python: str | None = None


def wants_json(request: Request, settings: InstanceSettings) -> bool:
    """Return whether to answer in JSON: any part of Accept that starts with it; q-values are ignored."""
    parts = request.headers.get("accept", "").split(",")
    return settings.pep691 and any(part.strip().startswith(_JSON_PREFIXES) for part in parts)


def package_links(rows: Sequence[PackageRow], base: str) -> list[Anchor]:
    """Return a link for each file of the rows, below ``base`` (the registry's URL)."""
    return [
        Anchor(
            text=file.name,
            url=file.claimed_url or f"{base}/files/{file.claimed_sha256 or ''}/{quote(file.name)}",
            sha256=file.claimed_sha256 or "",
            # The version row's value: the last upload decides for all its files.
            requires_python=row.requires_python,
            own_requires_python=file.requires_python,
        )
        for row in rows
        for file in row.files
    ]


def package_page(
    request: Request, settings: InstanceSettings, title: str, name: str, links: Sequence[Anchor]
) -> Response:
    """Return a project's page."""
    if not wants_json(request, settings):
        return _html(settings, title, links)
    files = [_json_file(link) for link in links]
    return _json({"meta": {"api-version": "1.0"}, "name": name, "files": files})


def root_page(
    request: Request, settings: InstanceSettings, title: str, rows: Sequence[PackageRow], base: str
) -> Response:
    """Return the root page: an anchor per version row in HTML, each name once in JSON."""
    if wants_json(request, settings):
        names = sorted({row.normalized_name for row in rows})
        return _json({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]})
    links = [
        Anchor(text=row.name, url=f"{base}/simple/{row.normalized_name}", requires_python=row.requires_python)
        for row in rows
    ]
    return _html(settings, title, links)


def _json_file(link: Anchor) -> dict[str, object]:
    requires_python = link.own_requires_python or link.requires_python
    entry: dict[str, object] = {
        "filename": link.text,
        "url": f"{link.url}#sha256={link.sha256 or ''}",
        "hashes": {"sha256": link.sha256} if link.sha256 else {},
    }
    return entry | ({"requires-python": requires_python} if requires_python else {})


def _json(content: dict[str, object]) -> Response:
    return JSONResponse(content, headers={"content-type": f"{_JSON}; charset=utf-8", "vary": "Accept"})


def _html(settings: InstanceSettings, title: str, links: Sequence[Anchor]) -> Response:
    anchors = "".join(_anchor(link) for link in links)
    text = (
        f"<!DOCTYPE html>\n<html>\n  <head>\n    <title>Links for {html.escape(title)}</title>\n  </head>\n"
        f"  <body>\n    <h1>Links for {html.escape(title)}</h1>\n    {anchors}\n  </body>\n</html>\n"
    )
    if settings.leading_whitespace:
        text = "        " + text
    headers = {"content-type": "text/html; charset=utf-8"} | ({"vary": "Accept"} if settings.pep691 else {})
    return Response(text, headers=headers)


def _anchor(link: Anchor) -> str:
    fragment = "" if link.sha256 is None else f"#sha256={link.sha256}"
    return (
        f'<a href="{link.url}{fragment}" data-requires-python="{html.escape(link.requires_python)}">'
        f"{link.text}</a>"
    )
