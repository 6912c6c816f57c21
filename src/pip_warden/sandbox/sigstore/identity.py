"""From GitLab's ID token claims to what Fulcio writes into a certificate.

Fulcio's `gitlab-pipeline` template (`config/identity/config.yaml`), with `url` set to the instance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from pip_warden.sandbox.sigstore import der, urls
from pip_warden.sandbox.sigstore.errors import SigstoreRefusal, TokenRefused
from pip_warden.sandbox.sigstore.lies import Lie

Claims = Mapping[str, object]
ARC = "1.3.6.1.4.1.57264.1"
_RAW = frozenset({1, 2, 3, 4, 5, 6})  # deprecated: plain bytes; all later ones are DER UTF8String


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateIdentity:
    """What a certificate says about its holder.

    Attributes:
        san: The subject alternative name.
        extensions: Fulcio's extensions by their last number, in ascending order.
    """

    san: str
    extensions: tuple[tuple[int, str], ...]

    def general_name(self) -> x509.GeneralName:
        """Return the subject as an X.509 name: a URI, or a mail address."""
        if "://" in self.san or self.san == urls.NOTHING:
            return x509.UniformResourceIdentifier(self.san)
        return x509.RFC822Name(self.san)

    def x509_extensions(self) -> list[x509.UnrecognizedExtension]:
        """Return the extensions as X.509 wants them."""
        return [
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier(f"{ARC}.{number}"),
                value.encode() if number in _RAW else der.utf8(value),
            )
            for number, value in self.extensions
        ]


def identify(claims: Claims, lie: Lie) -> CertificateIdentity:
    """Return what the CA writes for a token's claims, changed by a lie.

    A missing claim is refused, except `environment`; a null one is written as `<nil>`, as Go prints it.

    Raises:
        TokenRefused: There is no issuer.
        SigstoreRefusal: A claim is missing, as `ci_config_ref_uri` may be for pipelines whose configuration
            is not in the project; or its text is not a URL.
    """
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        reason = "no iss claim"
        raise TokenRefused(reason)
    mail = claims.get("email")
    if "ci_config_ref_uri" not in claims and isinstance(mail, str) and mail:
        san, values = mail, dict[int, str | None]()
    else:
        template = _Template(claims, issuer)
        san = urls.normal(f"https://{template.insert('ci_config_ref_uri', 11)}")
        values = _pipeline(template, claims)
    values |= {1: issuer, 8: issuer} | dict(lie.extensions)
    kept = sorted((number, value) for number, value in values.items() if value)
    return CertificateIdentity(san=lie.san or san, extensions=tuple(kept))


@dataclass(frozen=True, slots=True)
class _Template:
    """Go's templates over a token's claims.

    Attributes:
        claims: The claims.
        issuer: Their issuer, whose URL is GitLab's.
    """

    claims: Claims
    issuer: str

    def insert(self, name: str, column: int) -> str:
        """Return a claim that a template inserts; the column is its position, for Go's message."""
        if name not in self.claims:
            raise SigstoreRefusal(
                f'template: :1:{column}: executing "" at <.{name}>: map has no entry for key "{name}"'
            )
        return _text(self.claims[name])

    def replace(self, name: str, extension: str) -> str:
        """Return a claim that is a whole extension."""
        if name not in self.claims:
            where = json.dumps({"ExtensionName": extension, "Issuer": self.issuer}, indent="\t")
            raise SigstoreRefusal(f"value <{name}> not present in either claims or defaults. {where}")
        return _text(self.claims[name])


def _pipeline(template: _Template, claims: Claims) -> dict[int, str | None]:
    """Return the extensions, in the order in which Fulcio fills them: it stops at the first missing claim."""
    url, insert, replace = template.issuer.rstrip("/"), template.insert, template.replace
    return {
        9: f"https://{insert('ci_config_ref_uri', 11)}",
        10: replace("ci_config_sha", "BuildSignerDigest"),
        11: replace("runner_environment", "RunnerEnvironment"),
        12: f"{url}/{insert('project_path', 14)}",
        13: replace("sha", "SourceRepositoryDigest"),
        14: _ref(template),
        15: replace("project_id", "SourceRepositoryIdentifier"),
        16: f"{url}/{insert('namespace_path', 14)}",
        17: replace("namespace_id", "SourceRepositoryOwnerIdentifier"),
        18: f"https://{insert('ci_config_ref_uri', 11)}",
        19: replace("ci_config_sha", "BuildConfigDigest"),
        20: replace("pipeline_source", "BuildTrigger"),
        21: f"{url}/{insert('project_path', 14)}/-/jobs/{insert('job_id', 41)}",
        22: replace("project_visibility", "SourceRepositoryVisibilityAtSigning"),
        23: _text(claims.get("environment", "")),
        24: str(claims.get("sub") or ""),
    }


def _ref(template: _Template) -> str:
    kind = "heads" if template.insert("ref_type", 13) == "branch" else "tags"
    return f"refs/{kind}/{template.insert('ref', 64)}"


def _text(value: object) -> str:
    """Return a claim as Go prints it; GitLab's are texts, and null."""
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
