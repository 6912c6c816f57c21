"""The tables of a trust file, one model each; their fields hold parsed values.

Rules about one table alone are here; rules about two are in :mod:`pip_warden.trust.validate`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal, Self, TypeVar

from packaging.version import Version
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from pip_warden.digests import Digest
from pip_warden.errors import UsageError
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name, parse_project_name, parse_version
from pip_warden.oci.names import Repository, parse_repository
from pip_warden.trust.locations import (
    parse_evidence,
    parse_evidence_url,
    parse_issuer,
    parse_registry,
    parse_url,
)
from pip_warden.trust.messages import describe_value
from pip_warden.trust.subject import RefPattern, SubjectPattern, parse_ref, parse_subject

_T = TypeVar("_T")
_Item = TypeVar("_Item")
_LARGEST_ID = 2**63 - 1
_LONGEST = 4096


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, found {describe_value(value)}")  # noqa: TRY004 -- pydantic collects ValueErrors
    if not value.strip() or len(value) > _LONGEST:
        raise ValueError(f"expected 1 to {_LONGEST} characters, found {describe_value(value)}")
    return value


def _claim(value: object) -> str:
    """Read a value that is compared with a certificate's; an invisible character cannot be reviewed."""
    text = _text(value)
    if not text.isprintable() or text != text.strip():
        raise ValueError(
            f"expected visible characters and no space around them, found {describe_value(text)}"
        )
    return text


def _parsed(parse: Callable[[str], _T]) -> Callable[[object], _T]:
    """Return a parser that raises its error as one that pydantic collects."""

    def read(value: object) -> _T:
        try:
            return parse(_text(value))
        except UsageError as err:
            raise ValueError(f"{err.message}. {err.hint}" if err.hint else err.message) from err

    return read


def _number(value: object) -> int:
    """Read a numeric id, as TOML integer or as string of digits, without sign or leading zeros."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_LARGEST_ID)):
        if value.startswith("0"):
            raise ValueError(
                f"expected a positive number without leading zeros, found {describe_value(value)}"
            )
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST_ID:
        raise ValueError(f"expected a positive number, found {describe_value(value)}")
    return value


def _registry(value: object) -> str:
    if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
        return str(_number(value))
    return _parsed(parse_registry)(value)


def _date(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"expected a date such as 2027-06-30, without quotes, found {describe_value(value)}")  # noqa: TRY004 -- as above
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {describe_value(value)}")  # noqa: TRY004 -- as above
    return value


def _evidence(value: object) -> tuple[str, ...]:
    templates = value if isinstance(value, list) else [value]
    if not templates:
        raise ValueError("expected at least one template, found an empty list")
    return tuple(_parsed(parse_evidence)(template) for template in templates)


def _source_evidence(value: object) -> tuple[str, ...]:
    """Read a source's templates: one that begins as a URL does is a simple index's, and stands alone."""
    if isinstance(value, str) and "://" in value:
        return (_parsed(parse_evidence_url)(value),)
    return _evidence(value)


Text = Annotated[str, PlainValidator(_text)]
Claim = Annotated[str, PlainValidator(_claim)]
Name = Annotated[ProjectName, PlainValidator(_parsed(parse_project_name))]
Sha256 = Annotated[Digest, PlainValidator(_parsed(Digest))]
Issuer = Annotated[str, PlainValidator(_parsed(parse_issuer))]
Release = Annotated[Version, PlainValidator(_parsed(parse_version))]
Filename = Annotated[ArtifactName, PlainValidator(_parsed(parse_artifact_name))]
Images = Annotated[Repository, PlainValidator(_parsed(parse_repository))]
Registry = Annotated[str, PlainValidator(_registry)]
Number = Annotated[int, PlainValidator(_number)]
Day = Annotated[date, PlainValidator(_date)]
Flag = Annotated[bool, PlainValidator(_flag)]
Templates = Annotated[tuple[str, ...], PlainValidator(_evidence)]
SourceTemplates = Annotated[tuple[str, ...], PlainValidator(_source_evidence)]
SomeOf = Annotated[list[_Item], Field(min_length=1)]


class Table(BaseModel):
    """The base of every table: keys in kebab-case, and no unknown ones."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        arbitrary_types_allowed=True,
    )


class RootTable(Table):
    """``[sigstore]`` or ``[sigstore.X]``: a trusted root."""

    trusted_root: Claim
    trusted_root_sha256: Sha256
    issuers: SomeOf[Issuer]


class SourceTable(Table):
    """``[source.X]``: where files come from."""

    type: Literal["gitlab", "simple"]
    url: Annotated[str, PlainValidator(_parsed(parse_url))]
    evidence: SourceTemplates | None = None
    hash_reason: Text | None = None

    @model_validator(mode="after")
    def _keeps_evidence(self) -> Self:
        if self.evidence is None or (self.type == "simple") == ("://" in self.evidence[0]):
            return self
        if self.type == "simple":
            raise ValueError(
                "expected evidence of a simple index as one URL, https://HOST/…/{filename}/…, "
                "found the form of a GitLab's"
            )
        raise ValueError("expected evidence of a GitLab as PACKAGE/VERSION, found a URL")


class IdentityTable(Table):
    """``[[package.identity]]``, ``[[image.identity]]``: an allowed signer."""

    issuer: Issuer
    subject: Annotated[SubjectPattern, PlainValidator(_parsed(parse_subject))]
    project_id: Number | None = None
    not_before: Day | None = None
    not_after: Day | None = None
    sigstore: Claim = "default"
    account: Flag = False

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.not_before and self.not_after and self.not_before > self.not_after:
            raise ValueError(
                f"expected not-before on or before not-after, found {self.not_before} and {self.not_after}"
            )
        if self.account and (self.subject.project is not None or self.project_id is not None):
            raise ValueError(
                "expected account = true only for a subject without a project, "
                "found a project's subject or id"
            )
        if not self.account and self.subject.project is None:
            raise ValueError(
                "expected account = true, since the subject names no project "
                "(a mail address, a service account), found none"
            )
        return self


class RequireTable(Table):
    """``[package.require]``, ``[image.require]``: further requirements of the certificate."""

    build_trigger: SomeOf[Claim] | None = None
    runner_environment: Claim | None = None
    source_ref: Annotated[RefPattern, PlainValidator(_parsed(parse_ref))] | None = None
    source_repository: Issuer | None = None
    environment: Claim | None = None
    visibility: Claim | None = None
    predicate_types: SomeOf[Claim] | None = None
    provenance: Claim | None = None
    confirmed_build: Flag = False
    annotations: dict[Claim, Claim] | None = None

    @model_validator(mode="after")
    def _confirms_something(self) -> Self:
        if self.confirmed_build and self.provenance is None:
            raise ValueError(
                "expected confirmed-build = true only together with provenance, which names the build, "
                "found it alone"
            )
        return self


class PackageTable(Table):
    """The base of both forms of ``[[package]]``."""

    name: Name
    source: Claim
    project: Registry | None = None
    registry_id: Number | None = None

    @model_validator(mode="after")
    def _agrees_on_its_id(self) -> Self:
        if (
            self.project is not None
            and self.project.isdigit()
            and self.registry_id not in {None, int(self.project)}
        ):
            raise ValueError(
                f"expected registry-id to be the project's, {self.project}, found {self.registry_id}"
            )
        return self


class IdentityPackage(PackageTable):
    """A package pinned by identity."""

    identity: SomeOf[IdentityTable]
    require: RequireTable | None = None
    evidence: Templates | None = None


class HashPackage(PackageTable):
    """Files of a package pinned by hash: of one version, or of those that their names say."""

    version: Release | None = None
    sha256: Annotated[dict[Filename, Sha256], Field(min_length=1)]
    reason: Text | None = None
    expires: Day | None = None


class ImageTable(Table):
    """``[[image]]``: a repository of images, pinned by identity."""

    repository: Images
    realm: Issuer | None = None
    identity: SomeOf[IdentityTable]
    require: RequireTable | None = None

    @model_validator(mode="after")
    def _keeps_credentials_private(self) -> Self:
        if (self.realm or "").startswith("http:") and self.repository.url.startswith("https:"):
            raise ValueError(
                f"expected an https URL as the realm of {self.repository.registry}, found {self.realm}: "
                "only a registry on this machine may have one by http"
            )
        return self


class RevokedTable(Table):
    """``[[revoked]]``: what must not be installed any more."""

    sha256: Sha256 | None = None
    name: Name | None = None
    version: Release | None = None
    reason: Text

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.sha256 is None) == (self.name is None):
            raise ValueError("expected either sha256 or name, found both or neither")
        if self.version is not None and self.name is None:
            raise ValueError("expected version only together with a name, found it alone")
        return self
