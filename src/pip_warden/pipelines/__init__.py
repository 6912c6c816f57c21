"""The pipeline files that ``pip-warden ci init`` writes: for those who want no component of ``templates/``.

They run the same commands, which a test compares.
"""

from __future__ import annotations

import io
import json
import re
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.resources import files
from pathlib import Path

from pip_warden.disk import draft_beside
from pip_warden.errors import UsageError

HOME = "https://gitlab.com/pip-warden/pip-warden.git"
"""The repository that pip-warden is fetched from, unless it was installed from another."""
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~+-]+)+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Kind(StrEnum):
    """What a pipeline is for."""

    PUBLISHER = "publisher"
    CONSUMER = "consumer"
    PROMOTION = "promotion"
    IMAGE = "image"


def pipeline(kind: Kind, *, source: str | None = None, commit: str | None = None) -> str:
    """Return a pipeline file.

    Args:
        kind: What it is for.
        source: The repository that its jobs fetch pip-warden from; None for the one that this pip-warden was
            installed from, else its home.
        commit: The commit that they install; None for the one that this pip-warden was installed from, else
            the tag of its version.

    Raises:
        UsageError: ``bad-pipeline-pin``: that is no https URL, or no commit; either becomes shell.
    """
    if source is not None and not _URL.fullmatch(source):
        raise UsageError("bad-pipeline-pin", "expected an https URL of a repository after --source")
    if commit is not None and not _COMMIT.fullmatch(commit):
        raise UsageError("bad-pipeline-pin", "expected 40 or 64 hexadecimal digits after --commit")
    own_source, own_commit = _installed_from()
    text = files(__name__).joinpath(f"{kind.value}.yml").read_text(encoding="utf-8")
    return text.replace("@SOURCE@", source or own_source).replace("@COMMIT@", commit or own_commit)


def write_pipeline(path: Path, text: str, *, force: bool) -> None:
    """Write a pipeline file, whole or not at all.

    Args:
        path: Its place.
        text: What :func:`pipeline` returned.
        force: Whether it may replace a file.

    Raises:
        UsageError: ``pipeline-exists``, or ``pipeline-unwritable``.
    """
    try:
        with draft_beside(path, io.BytesIO(text.encode()), is_new=not force) as put:
            put()
    except FileExistsError as err:
        raise UsageError(
            "pipeline-exists",
            f"expected no file {path}, found one",
            hint="--force replaces it; -o FILE writes another, which yours can include.",
        ) from err
    except OSError as err:
        raise UsageError(
            "pipeline-unwritable", f"expected to write {path}, found: {err.strerror or type(err).__name__}"
        ) from err


def _installed_from() -> tuple[str, str]:
    """Return repository and commit of this installation (PEP 610), else the home and the version's tag."""
    tag = f"v{version('pip-warden')}"
    try:
        noted = json.loads(distribution("pip-warden").read_text("direct_url.json") or "{}")
        commit, url = str(noted["vcs_info"]["commit_id"]), str(noted["url"])
    except (PackageNotFoundError, ValueError, TypeError, KeyError):
        return HOME, tag
    if not _COMMIT.fullmatch(commit):
        return HOME, tag
    return (url if _URL.fullmatch(url) else HOME), commit
