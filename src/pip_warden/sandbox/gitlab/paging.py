"""Offset pagination with GitLab's headers (reference 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.responses import JSONResponse, Response

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.instance import Instance

_DEFAULT, _MOST = 20, 100


def page(request: Request, instance: Instance, entries: Sequence[object]) -> Response:
    """Return one page of a list, with the headers that lead to the others.

    Raises:
        Halt: 400 for an invalid page number, 405 for keyset pagination.
    """
    if request.query_params.get("pagination") == "keyset":
        raise Halt(
            answers.error("Keyset pagination is not yet available for this type of request", status=405)
        )
    number, size = _number(request, "page", 1), min(_number(request, "per_page", _DEFAULT), _MOST)
    last = max(1, -(-len(entries) // size))
    settings = instance.state.settings
    following = number + 1 if number < last or settings.next_page_past_end else None
    preceding = number - 1 if number > 1 else None
    links = {"prev": preceding, "next": following, "first": 1, "last": last if settings.totals else None}
    headers = {
        "x-page": str(number),
        "x-per-page": str(size),
        "x-next-page": str(following or ""),
        "x-prev-page": str(preceding or ""),
        "link": ", ".join(
            f'<{_url(request, instance, n, size)}>; rel="{rel}"' for rel, n in links.items() if n
        ),
    }
    if settings.totals:
        headers |= {"x-total": str(len(entries)), "x-total-pages": str(last)}
    return JSONResponse(list(entries[(number - 1) * size : number * size]), headers=headers)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise Halt(answers.error(f"{name} is invalid"))
    return int(text)


def _url(request: Request, instance: Instance, number: int, size: int) -> str:
    kept = [
        (key, value) for key, value in request.query_params.multi_items() if key not in {"page", "per_page"}
    ]
    query = urlencode([*kept, ("page", str(number)), ("per_page", str(size))])
    path = request.scope["path"].removeprefix(urlsplit(instance.url).path)
    return f"{instance.shown_url}{path}?{query}"
