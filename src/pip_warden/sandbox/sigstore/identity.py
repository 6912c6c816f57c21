"""From GitLab's ID token claims to what Fulcio writes into a certificate.

Fulcio's `gitlab-pipeline` template (`config/identity/config.yaml`), with `url` set to the instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from cryptography import x509

from pip_warden.sandbox.sigstore import der
from pip_warden.sandbox.sigstore.errors import TokenRefused
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
        if "://" in self.san:
            return x509.UniformResourceIdentifier(quote(self.san, safe=_PRINTABLE))
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


_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def identify(claims: Claims, lie: Lie) -> CertificateIdentity:
    """Return what the CA writes for a token's claims, bent by a lie.

    Raises:
        TokenRefused: The claims name no subject: `ci_config_ref_uri` is missing, as it is for pipelines whose
            configuration is not in the project.
    """
    config = _text(claims, "ci_config_ref_uri")
    mail = _text(claims, "email")
    issuer = _text(claims, "iss")
    if not issuer:
        reason = "no iss claim"
        raise TokenRefused(reason)
    if config:
        san, values = f"https://{config}", _pipeline(claims, issuer, config)
    elif mail:
        san, values = mail, {}
    else:
        reason = "no ci_config_ref_uri claim"
        raise TokenRefused(reason)
    values |= {1: issuer, 8: issuer} | dict(lie.extensions)
    kept = sorted((number, value) for number, value in values.items() if value)
    return CertificateIdentity(san=lie.san or san, extensions=tuple(kept))


def _pipeline(claims: Claims, issuer: str, config: str) -> dict[int, str | None]:
    url = issuer.rstrip("/")
    project, namespace = _text(claims, "project_path"), _text(claims, "namespace_path")
    ref, job = _text(claims, "ref"), _text(claims, "job_id")
    kind = "heads" if _text(claims, "ref_type") == "branch" else "tags"
    return {
        9: f"https://{config}",
        10: _text(claims, "ci_config_sha"),
        11: _text(claims, "runner_environment"),
        12: project and f"{url}/{project}",
        13: _text(claims, "sha"),
        14: ref and f"refs/{kind}/{ref}",
        15: _text(claims, "project_id"),
        16: namespace and f"{url}/{namespace}",
        17: _text(claims, "namespace_id"),
        18: f"https://{config}",
        19: _text(claims, "ci_config_sha"),
        20: _text(claims, "pipeline_source"),
        21: project and job and f"{url}/{project}/-/jobs/{job}",
        22: _text(claims, "project_visibility"),
        23: _text(claims, "environment"),
        24: _text(claims, "sub"),
    }


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
