"""What a verification summary says of a promotion: by what policy it was judged, and who verified."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pip_warden.cli.output import Console
from pip_warden.display import escape_text, without_userinfo
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden._sigstore.sign import Signatory
    from pip_warden.promote.plan import Policy, SummarySigner
    from pip_warden.trust.model import TrustFile

_DEMANDS = (
    ("source_repository", "--source-repository"),
    ("source_revision", "--source-revision"),
    ("annotations", "--require-annotation"),
    ("more_annotations", "--require-annotation"),
)


def typed_demands(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the command line demands besides the trust file, as options (before they are taken out)."""
    values = [f"{option} {value}" for name, option in _DEMANDS for value in options[name]]
    if options["require_provenance"] or "provenance" in options["required"]:
        values.append("--require-provenance")
    return tuple(values)


def policy_of(trusted: TrustFile, uri: str | None, demanded: tuple[str, ...]) -> Policy:
    """Return the trust file as a summary names it, with what the command line demands besides."""
    from pip_warden.digests import digest_of_file
    from pip_warden.promote.plan import Policy

    digest = digest_of_file(trusted.path)
    uri = _checked(uri) if uri else _committed(trusted.path, os.environ)
    if uri is None:
        name = base64.urlsafe_b64encode(digest.raw()).decode("ascii").rstrip("=")
        uri = f"ni:///sha-256;{name}"
    return Policy(uri=uri, digest=digest, demanded=demanded)


def _checked(uri: str) -> str:
    """Return ``--policy-uri``: everybody will read it, so it has no user name or password.

    Raises:
        UsageError: ``bad-policy-uri``.
    """
    if not _is_public(uri):
        raise UsageError(
            "bad-policy-uri",
            "expected --policy-uri with a URI (RFC 3986) that names no user, "
            f"found {escape_text(without_userinfo(uri), 200)!r}",
        )
    return uri


def _is_public(uri: str) -> bool:
    """Return whether a text is a URI without user name or password."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", uri) is not None and uri == without_userinfo(uri)


def _committed(path: Path, environ: Mapping[str, str]) -> str | None:
    """Return the URL of a file in a job's checkout, as its project's repository shows it; None if unknown."""
    url, commit, checkout = (
        environ.get(name) for name in ("CI_PROJECT_URL", "CI_COMMIT_SHA", "CI_PROJECT_DIR")
    )
    if not (url and commit and checkout):
        return None
    try:
        inside = path.resolve().relative_to(Path(checkout).resolve())
    except ValueError:
        return None
    committed = f"{url}/-/blob/{commit}/{quote(inside.as_posix())}"
    return committed if _is_public(committed) else None


def signer_of(trust_config: Path | None, console: Console) -> SummarySigner | None:
    """Return who signs the summaries: whoever SIGSTORE_ID_TOKEN names; None, and it is said, without one."""
    from pip_warden.promote.plan import SummarySigner
    from pip_warden.publish.token import read_token

    token = os.environ.get("SIGSTORE_ID_TOKEN")
    if not token:
        console.note("the verification summary is not signed: SIGSTORE_ID_TOKEN is not set")
        return None
    try:
        claimed = read_token(token, now=datetime.now(UTC), is_public_good=trust_config is None)
    except UsageError as err:
        if err.code != "unknown-issuer":
            raise
        console.note(f"the verification summary is not signed: {escape_text(err.message)}")
        console.note("--trust-config FILE names the Sigstore of this GitLab")
        return None
    return SummarySigner(
        claimed_subject=claimed.claimed_subject,
        opens=partial(_opened, trust_config, console),
    )


@contextmanager
def _opened(trust_config: Path | None, console: Console) -> Iterator[Signatory]:
    from pip_warden.cli.signing import Access, open_signatory
    from pip_warden.publish.token import AUDIENCE

    access = Access(
        identity_token=None,
        trust_config=trust_config,
        allow_no_timestamp=False,
        browser=False,
        oidc_issuer=None,
        oidc_client_id=AUDIENCE,
    )
    with open_signatory(access, console) as (by, _claimed):
        yield by
