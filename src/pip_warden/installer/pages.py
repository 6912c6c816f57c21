"""What the loopback server answers with: project pages in both forms, JSON documents and short texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from pip_warden.installer.connection import Response
from pip_warden.installer.model import ListedFile
from pip_warden.names import ProjectName

JSON_PAGE = "application/vnd.pypi.simple.v1+json"
TEXT = "text/plain; charset=utf-8"


def page(
    project: ProjectName, files: tuple[ListedFile, ...], url_of: Callable[[ListedFile], str], *, accept: str
) -> Response:
    """Return a project's page.

    ``requires-python`` is left off: an installer must not pass over a newer release for what its index says,
    without having been denied it (design decision D2).

    Args:
        project: The project.
        files: What it lists.
        url_of: Says where a file is, without a fragment.
        accept: The request's header field ``Accept``: JSON where it names that (PEP 691), else HTML.
    """
    return (_json_page if JSON_PAGE in accept else _html_page)(project, files, url_of)


def json_answer(document: object, media_type: str = "application/json") -> Response:
    """Return a JSON document."""
    return Response(content=json.dumps(document).encode(), media_type=media_type)


def text_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a line for people."""
    content = f"pip-warden: {message}\n".encode()
    return Response(status=status, content=content, media_type=TEXT, headers=headers or {})


def _json_page(
    project: ProjectName, files: tuple[ListedFile, ...], url_of: Callable[[ListedFile], str]
) -> Response:
    """Return a PEP 691 page, with the upload time and size of PEP 700 where upstream has them."""
    document = {
        "meta": {"api-version": "1.0"},
        "name": project,
        "files": [_json_file(file, url_of(file)) for file in files],
    }
    return json_answer(document, JSON_PAGE)


def _json_file(file: ListedFile, url: str) -> dict[str, object]:
    shape: dict[str, object] = {
        "filename": file.filename,
        "url": url,  # with a fragment, uv would write it into a pylock.toml
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
        "core-metadata": has_metadata(file),
        "yanked": file.yanked or file.yanked is not None,
    }
    if file.upload_time is not None:
        shape["upload-time"] = file.upload_time
    if file.size is not None:
        shape["size"] = file.size
    return shape


def _html_page(
    project: ProjectName, files: tuple[ListedFile, ...], url_of: Callable[[ListedFile], str]
) -> Response:
    """Return a PEP 503 page, with PEP 592 and PEP 658 attributes."""
    import html

    anchors = []
    for file in files:
        attributes = f' data-yanked="{html.escape(file.yanked)}"' if file.yanked is not None else ""
        attributes += ' data-core-metadata="true"' if has_metadata(file) else ""
        url, name = html.escape(url_of(file) + _fragment(file)), html.escape(file.filename)
        anchors.append(f'<a href="{url}"{attributes}>{name}</a><br>')
    body = "\n".join(["<!DOCTYPE html>", f"<title>{project}</title>", *anchors])
    return Response(content=body.encode(), media_type="text/html; charset=utf-8")


def _fragment(file: ListedFile) -> str:
    return f"#sha256={file.sha256}" if file.sha256 else ""


def has_metadata(file: ListedFile) -> bool:
    """Return whether a file's metadata is offered separately.

    pip then writes its report before it has the file, with the digest of the page: without one, it could not
    be compared with what was accepted.
    """
    return file.filename.endswith(".whl") and bool(file.sha256)
