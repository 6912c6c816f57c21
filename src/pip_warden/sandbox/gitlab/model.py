"""The data of a GitLab instance: accounts, namespaces, projects, tokens, packages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING

from pip_warden.sandbox.packages import normalized

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class Role(IntEnum):
    """Roles of a member, by GitLab's numbers."""

    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class TokenKind(Enum):
    """Kinds of credentials."""

    PERSONAL = "personal"
    PROJECT = "project"
    GROUP = "group"
    OAUTH = "oauth"
    DEPLOY = "deploy"
    JOB = "job"


class PackageType(StrEnum):
    """Registries of this sandbox."""

    PYPI = "pypi"
    GENERIC = "generic"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An account."""

    id: int
    login: str

    @property
    def name(self) -> str:
        """Return the displayed name."""
        return self.login.title()

    @property
    def email(self) -> str:
        """Return an address that does not exist."""
        return f"{self.login}@example.com"


@dataclass(eq=False, kw_only=True, slots=True)
class Namespace:
    """A group, a subgroup or a user's own namespace."""

    id: int
    path: str
    kind: str = "group"
    parent: Namespace | None = None
    visibility: str = "private"
    members: dict[int, Role] = field(default_factory=dict)
    generic_duplicates_allowed: bool = True
    generic_duplicates_exception: str = ""

    def lineage(self) -> tuple[Namespace, ...]:
        """Return this namespace and its parents, innermost first."""
        return (self, *(self.parent.lineage() if self.parent else ()))


@dataclass(eq=False, kw_only=True, slots=True)
class FileRow:
    """One file of a package.

    Attributes:
        claimed_sha256: For PyPI the uploader's claim (None: not sent), for generic files computed on upload.
        requires_python: What the JSON page says for this file; None if only the version row knows.
        job: The CI job that uploaded it, if one did.
        claimed_url: The URL the index links to instead of its own; no honest GitLab has it.
        path: Where the bytes of a file lie that is too large for memory; ``data`` is empty then.
    """

    id: int
    name: str
    data: bytes = field(repr=False)
    claimed_sha256: str | None
    created_at: datetime
    requires_python: str | None = None
    job: JobContext | None = None
    claimed_url: str | None = None
    path: Path | None = None

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the actual bytes."""
        if self.path is None:
            return hashlib.sha256(self.data).hexdigest()
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(eq=False, kw_only=True, slots=True)
class PackageRow:
    """One name and version of one registry."""

    id: int
    project: ProjectRecord
    name: str
    version: str
    type: PackageType
    created_at: datetime
    creator_id: int | None = None
    status: str = "default"
    requires_python: str = ""
    files: list[FileRow] = field(default_factory=list)

    @property
    def normalized_name(self) -> str:
        """Return the name as GitLab compares it: PEP 503."""
        return normalized(self.name)

    @property
    def displayable(self) -> bool:
        """Return whether lists and look-ups by id show it."""
        return self.status in {"default", "deprecated", "error"}

    @property
    def installable(self) -> bool:
        """Return whether its files can be downloaded from the registry."""
        return self.status in {"default", "hidden", "deprecated"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """Protection of package names: a pattern with ``*`` and the minimum role that may push them."""

    pattern: str
    minimum_role: Role = Role.MAINTAINER


@dataclass(eq=False, kw_only=True, slots=True)
class ProjectRecord:
    """A project.

    Attributes:
        allowlist: Ids of the projects, and negated ids of the groups, whose job tokens are accepted, each
            with the fine-grained permissions they have (None: all that the user has).
        anyone_can_pull: The setting "Allow anyone to pull from package registry".
    """

    id: int
    path: str
    namespace: Namespace
    created_at: datetime
    visibility: str = "private"
    default_branch: str = "main"
    members: dict[int, Role] = field(default_factory=dict)
    allowlist: dict[int, frozenset[str] | None] = field(default_factory=dict)
    enforce_allowlist: bool = True
    anyone_can_pull: bool = False
    packages_enabled: bool = True
    protections: list[Protection] = field(default_factory=list)
    packages: list[PackageRow] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the last segment of its path."""
        return self.path.rpartition("/")[2]

    def role_of(self, user: User | None) -> Role | None:
        """Return a user's highest role here, inherited ones included."""
        if user is None:
            return None
        tables = (self.members, *(namespace.members for namespace in self.namespace.lineage()))
        return max((table[user.id] for table in tables if user.id in table), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobContext:
    """One CI job: what its tokens and variables describe.

    Attributes:
        source_project: The project whose code runs; another one than ``project`` for a fork's merge request.
        ref: Short name of the branch or tag.
    """

    id: int
    pipeline_id: int
    project: ProjectRecord
    source_project: ProjectRecord
    user: User
    ref: str
    ref_type: str
    pipeline_source: str
    runner_environment: str
    started_at: datetime
    environment: str | None = None
    overrides: tuple[tuple[str, object], ...] = ()

    @property
    def full_ref(self) -> str:
        """Return the ref with ``refs/heads/`` or ``refs/tags/``."""
        return f"refs/{'tags' if self.ref_type == 'tag' else 'heads'}/{self.ref}"

    @property
    def sha(self) -> str:
        """Return the commit's id, the same for the same project and ref."""
        text = f"{self.source_project.id}:{self.full_ref}"
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(eq=False, kw_only=True, slots=True)
class Token:
    """One credential.

    Attributes:
        project: The project of a job, project or deploy token.
        namespace: The group of a group's access or deploy token.
        username: A deploy token's user name (ignored by GitLab when it authenticates).
    """

    secret: str
    kind: TokenKind
    user: User | None = None
    scopes: frozenset[str] = frozenset()
    project: ProjectRecord | None = None
    namespace: Namespace | None = None
    job: JobContext | None = None
    username: str = ""
    revoked: bool = False
    expires_at: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Return whether it is neither revoked nor expired."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)

    def belongs_to(self, project: ProjectRecord) -> bool:
        """Return whether it was made in this project or in a group above it."""
        return project is self.project or (
            self.namespace is not None and self.namespace in project.namespace.lineage()
        )
