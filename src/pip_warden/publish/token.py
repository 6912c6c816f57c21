"""Reads the identity token: what a signature with it will prove, and known pitfalls, before signing.

Nothing is verified here: the CA does that. All claims are ``claimed_*``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.strict_json import JSONValue, loads_object
from pip_warden.values import dataclass

AUDIENCE = "sigstore"
PUBLIC_GOOD_GITLABS = (
    "https://gitlab.com",
    "https://gitlab.archlinux.org",
    "https://dev.gitlab.org",
    "https://ops.gitlab.net",
)
"""The GitLab issuers that the public-good CA knows (fulcio ``config/identity/config.yaml``)."""

_LARGEST = 64 << 10
_HOW = "In .gitlab-ci.yml: id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenClaims:
    """What a token claims.

    Attributes:
        claimed_issuer: The OIDC issuer.
        claimed_subject: The subject that the certificate will have.
        claimed_project_id: The signer's project id.
        claimed_trigger: How the pipeline was started.
        claimed_runner: The runner environment.
        claimed_certificate_issuer: The issuer that the certificate will name: behind an identity provider
            for several, the one that it asked.
        claimed_place: Names and values of the certificate's claims about project and commit, where the token
            says them.
        is_person: Whether it is a person's, and no job's.
    """

    claimed_issuer: str
    claimed_subject: str
    claimed_project_id: str
    claimed_trigger: str
    claimed_runner: str
    claimed_certificate_issuer: str
    claimed_place: tuple[tuple[str, str], ...] = ()
    is_person: bool = False

    def in_words(self) -> str:
        """Return what consumers will pin, for people."""
        if self.is_person:
            return (
                f"signing as {escape_text(self.claimed_subject)}\n"
                f"  issued by {escape_text(self.claimed_certificate_issuer)}"
            )
        return (
            f"signing as {escape_text(self.claimed_subject)}\n"
            f"  issued by {escape_text(self.claimed_issuer)}, "
            f"project id {escape_text(self.claimed_project_id)}, "
            f"trigger {escape_text(self.claimed_trigger)}, runner {escape_text(self.claimed_runner)}"
        )


def find_token(given: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the identity token: given, else in ``SIGSTORE_ID_TOKEN``, else as the CI system offers it."""
    from pip_warden._sigstore.sign import ambient_token

    token = given or environ.get("SIGSTORE_ID_TOKEN") or environ.get("SIGSTORE_IDENTITY_TOKEN")
    token = (token or ambient_token() or "").strip()
    return token or None


def no_token() -> UsageError:
    """Return the error for a missing token."""
    return UsageError(
        "no-identity-token",
        "expected an identity token in SIGSTORE_ID_TOKEN or --identity-token, found none",
        hint=f"{_HOW}. Outside CI, at a terminal: --browser",
    )


def read_token(token: str, *, now: datetime, is_public_good: bool, audience: str = AUDIENCE) -> TokenClaims:
    """Read a token, and refuse it early where signing would fail or give a useless signature.

    Args:
        token: The JWT.
        now: The time, aware.
        is_public_good: Whether the public-good instance will sign.
        audience: For whom it must be.

    Raises:
        UsageError: ``bad-identity-token``, ``wrong-audience``, ``expired-token``, ``config-not-in-project``,
            ``fork-pipeline`` or ``unknown-issuer``.
    """
    claims = _payload(token)
    _check_audience(claims.get("aud"), audience)
    _check_time(claims.get("exp"), now)
    issuer = str(claims.get("iss", ""))
    if "project_path" not in claims:
        return _of_no_gitlab(claims, issuer)
    _check_issuer(issuer, is_public_good=is_public_good)
    config = _config(claims)
    _check_own_code(claims)
    return TokenClaims(
        claimed_issuer=issuer,
        claimed_subject=f"https://{config}",
        claimed_project_id=str(claims.get("project_id", "?")),
        claimed_trigger=str(claims.get("pipeline_source", "?")),
        claimed_runner=str(claims.get("runner_environment", "?")),
        claimed_certificate_issuer=issuer,
        claimed_place=_place(claims, {"project-id": "project_id", "source-digest": "sha"}),
    )


def _place(claims: dict[str, JSONValue], names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return claims by the names that they have in the certificate, where the token has them."""
    return tuple((ours, str(claims[theirs])) for ours, theirs in names.items() if claims.get(theirs))


def _check_issuer(issuer: str, *, is_public_good: bool) -> None:
    if is_public_good and issuer not in PUBLIC_GOOD_GITLABS:
        raise UsageError(
            "unknown-issuer",
            "expected a token of a GitLab that the public-good Sigstore knows "
            f"({', '.join(PUBLIC_GOOD_GITLABS)}), found {escape_text(issuer)}",
            hint="A self-managed GitLab needs a Sigstore of its own (--trust-config FILE). "
            "Until then its consumers can pin hashes.",
        )


def _config(claims: dict[str, JSONValue]) -> str:
    """Return the location of the CI configuration, which will be the certificate's subject."""
    config = claims.get("ci_config_ref_uri")
    if not isinstance(config, str) or not config:
        raise UsageError(
            "config-not-in-project",
            "expected a token with ci_config_ref_uri, found none",
            hint="The CI configuration must lie in the project itself: "
            "child pipelines, Auto DevOps and remote configuration have none.",
        )
    return config


def _check_own_code(claims: dict[str, JSONValue]) -> None:
    if claims.get("pipeline_source") == "merge_request_event" and claims.get(
        "job_project_id", claims.get("project_id")
    ) != claims.get("project_id"):
        raise UsageError(
            "fork-pipeline",
            "expected a pipeline of the project's own code, found a merge-request pipeline of a fork",
            hint="Sign in a push or tag pipeline: "
            "a merge-request pipeline of a fork builds the fork's code under this project's name.",
        )


def _of_no_gitlab(claims: dict[str, JSONValue], issuer: str) -> TokenClaims:
    """Read the token of another CI system or of a person; the CA decides whether it accepts it."""
    workflow = claims.get("job_workflow_ref")
    federated = claims.get("federated_claims")
    asked = federated.get("connector_id") if isinstance(federated, dict) else None
    subject = (
        f"https://github.com/{workflow}" if workflow else str(claims.get("email") or claims.get("sub") or "?")
    )
    return TokenClaims(
        claimed_issuer=issuer,
        claimed_subject=subject,
        claimed_project_id=str(claims.get("repository_id", "?")),
        claimed_trigger=str(claims.get("event_name", "?")),
        claimed_runner=str(claims.get("runner_environment", "?")),
        claimed_certificate_issuer=str(asked) if asked else issuer,
        claimed_place=_place(claims, {"project-id": "repository_id", "source-digest": "sha"}),
        is_person=not workflow and bool(claims.get("email")),
    )


def _payload(token: str) -> dict[str, JSONValue]:
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise UsageError(
                "bad-identity-token", "expected a JWT with three parts, found something else", hint=_HOW
            )
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        return loads_object(base64.b64decode(padded, altchars=b"-_", validate=True), max_bytes=_LARGEST)
    except ValueError as err:
        raise UsageError(
            "bad-identity-token", "expected a JWT, found something that cannot be decoded", hint=_HOW
        ) from err


def _check_audience(found: JSONValue, wanted: str) -> None:
    audiences = found if isinstance(found, list) else [found]
    if wanted not in audiences:
        raise UsageError(
            "wrong-audience",
            f"expected the audience {escape_text(wanted)}, found {escape_text(str(found))}",
            hint=_HOW,
        )


def _check_time(expires: JSONValue, now: datetime) -> None:
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise UsageError("bad-identity-token", "expected an expiry time in the token, found none", hint=_HOW)
    try:
        end = datetime.fromtimestamp(expires, UTC)
    except (ValueError, OverflowError, OSError) as err:
        raise UsageError(
            "bad-identity-token",
            "expected an expiry time in the token, found one that no calendar has",
            hint=_HOW,
        ) from err
    if now >= end:
        raise UsageError(
            "expired-token",
            f"expected a token that is still valid, found one that expired at {end:%H:%M:%S} UTC",
            hint="Sign earlier in the job, or raise its timeout: without one a token lives five minutes.",
        )
