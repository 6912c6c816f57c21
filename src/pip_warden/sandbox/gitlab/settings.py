"""Settings of the instance: versions and options in which real GitLabs differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Forwarding(StrEnum):
    """What happens to a name that no local package has (reference 1.7)."""

    OFF = "off"
    REDIRECT = "redirect"
    OWN_ORIGIN = "own-origin"
    UPSTREAM_URL = "upstream-url"


@dataclass(eq=False, kw_only=True, slots=True)
class InstanceSettings:
    """The settings; all may be changed while the sandbox runs.

    Attributes:
        pep691: Feature flag ``pypi_pep_691_json``.
        forwarding: Redirect to pypi.org's stand-in, or the two newer ways of a proxied index.
        firewall_blocked: Names that the dependency firewall refuses (with a proxied index only).
        guests_may_read: Whether guests may read packages of private projects (newer GitLab).
        generic_put_basic_job_token: Whether a generic PUT takes a job token by Basic (newest GitLab).
        project_api_job_token: Whether ``GET /projects/:id`` takes job tokens.
        checksum_header: Whether generic downloads carry ``X-Checksum-SHA256`` (18.x).
        package_file_download: Whether package files can be fetched by id (18.4).
        old_duplicate_text: Wording of older GitLab for a taken file name.
        too_large_status: 400 from Rails or 413 from the proxy in front.
        totals: Whether lists carry ``x-total``; they vanish over 10,000 rows.
        next_page_past_end: Whether the last page names a next one, as seen in GitLab issue 471566.
        leading_whitespace: Whether HTML pages start with blanks (older GitLab).
        registry_token_seconds: How long a token for the container registry is good for.
        external_url: What the instance believes its URL is; None for the truth.
        issuer: Another issuer for ID tokens; None for the instance's URL.
    """

    pep691: bool = False
    forwarding: Forwarding = Forwarding.REDIRECT
    firewall_blocked: set[str] = field(default_factory=set)
    guests_may_read: bool = True
    generic_put_basic_job_token: bool = False
    project_api_job_token: bool = False
    checksum_header: bool = True
    package_file_download: bool = True
    old_duplicate_text: bool = False
    fips: bool = False
    max_file_size: int | None = None
    too_large_status: int = 400
    packages_enabled: bool = True
    object_storage: bool = False
    signed_url_seconds: int = 600
    storage_writes_fail: bool = False
    totals: bool = True
    next_page_past_end: bool = False
    leading_whitespace: bool = False
    registry_token_seconds: int = 300
    external_url: str | None = None
    issuer: str | None = None
    version: str = "18.6.0-ee"
