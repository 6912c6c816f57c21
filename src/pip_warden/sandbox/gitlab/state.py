"""The state behind every route: one lock, plain collections, look-ups as in GitLab."""

from __future__ import annotations

import itertools
import secrets
import threading
from typing import TYPE_CHECKING

from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.gitlab.model import (
    FileRow,
    JobContext,
    Namespace,
    PackageRow,
    PackageType,
    ProjectRecord,
    Role,
    Token,
    TokenKind,
    User,
)
from pip_warden.sandbox.gitlab.settings import InstanceSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_PREFIXES = {
    TokenKind.PERSONAL: "glpat-",
    TokenKind.PROJECT: "glpat-",
    TokenKind.GROUP: "glpat-",
    TokenKind.OAUTH: "gloas-",
    TokenKind.DEPLOY: "gldt-",
    TokenKind.JOB: "glcbt-64_",
}


class GitLabState:
    """Everything the instance knows; hold `lock` while reading or changing more than one thing."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.settings = InstanceSettings()
        self.users: list[User] = []
        self.namespaces: list[Namespace] = []
        self.projects: list[ProjectRecord] = []
        self.tokens: dict[str, Token] = {}
        self._ids = {
            kind: itertools.count(start)
            for kind, start in (("user", 31), ("namespace", 2001), ("project", 4711), ("package", 88001))
        }
        self._ids |= {
            kind: itertools.count(start)
            for kind, start in (("file", 512001), ("job", 11637492), ("pipeline", 90210))
        }

    def user(self, login: str) -> User:
        """Return the account of that login; create it, with its namespace, if there is none."""
        with self.lock:
            found = next((user for user in self.users if user.login == login), None)
            if found is None:
                found = User(id=next(self._ids["user"]), login=login)
                self.users.append(found)
                own = Namespace(id=next(self._ids["namespace"]), path=login, kind="user", visibility="public")
                own.members[found.id] = Role.OWNER
                self.namespaces.append(own)
            return found

    def group(self, path: str, *, visibility: str = "private") -> Namespace:
        """Return the namespace of that path; create it and its parents, as groups, if there is none."""
        with self.lock:
            found = self.find_namespace(path)
            if found is None:
                above = path.rpartition("/")[0]
                parent = self.group(above, visibility=visibility) if above else None
                found = Namespace(
                    id=next(self._ids["namespace"]), path=path, parent=parent, visibility=visibility
                )
                self.namespaces.append(found)
            if visibility == "public":  # a group cannot be less visible than what is in it
                for namespace in found.lineage():
                    namespace.visibility = "public"
            return found

    def project(
        self, path: str, *, visibility: str = "private", default_branch: str = "main"
    ) -> ProjectRecord:
        """Return the project of that path; create it, and the groups above it, if there is none.

        Raises:
            SandboxError: The path names no namespace.
        """
        with self.lock:
            found = self.find_project(path)
            if found is None:
                above = path.rpartition("/")[0]
                if not above:
                    msg = f"a project's path is group/project, not {path!r}"
                    raise SandboxError(msg)
                found = ProjectRecord(
                    id=next(self._ids["project"]),
                    path=path,
                    namespace=self.group(above, visibility=visibility),
                    created_at=self.now(),
                    visibility=visibility,
                    default_branch=default_branch,
                )
                self.projects.append(found)
            return found

    def find_project(self, reference: str) -> ProjectRecord | None:
        """Return the project with that id (digits) or full path."""
        with self.lock:
            if reference.isdecimal():
                return next((project for project in self.projects if project.id == int(reference)), None)
            wanted = reference.lower()
            return next((project for project in self.projects if project.path.lower() == wanted), None)

    def find_namespace(self, reference: str) -> Namespace | None:
        """Return the namespace with that id (digits) or full path."""
        with self.lock:
            if reference.isdecimal():
                return next((space for space in self.namespaces if space.id == int(reference)), None)
            wanted = reference.lower()
            return next((space for space in self.namespaces if space.path.lower() == wanted), None)

    def find_group(self, reference: str) -> Namespace | None:
        """Return the group with that id or full path; a user's namespace is not one."""
        found = self.find_namespace(reference)
        return found if found is not None and found.kind == "group" else None

    def projects_below(self, group: Namespace, *, subgroups: bool = True) -> Iterator[ProjectRecord]:
        """Yield the projects of a group, those of its subgroups included."""
        with self.lock:
            for project in self.projects:
                if project.namespace is group or (subgroups and group in project.namespace.lineage()):
                    yield project

    def issue(self, kind: TokenKind, **fields: object) -> Token:
        """Create a credential and store it."""
        token = Token(secret=_PREFIXES[kind] + secrets.token_urlsafe(20), kind=kind)
        for name, value in fields.items():
            setattr(token, name, value)
        with self.lock:
            self.tokens[token.secret] = token
        return token

    def next_job_ids(self) -> tuple[int, int]:
        """Return the ids of a new job and its pipeline."""
        with self.lock:
            return next(self._ids["job"]), next(self._ids["pipeline"])

    def package(self, project: ProjectRecord, type_: PackageType, name: str, version: str) -> PackageRow:
        """Return the row of exactly that name and version; add it if there is none."""
        with self.lock:
            for row in project.packages:
                if (row.type, row.name, row.version) == (type_, name, version):
                    return row
            row = PackageRow(
                id=next(self._ids["package"]),
                project=project,
                name=name,
                version=version,
                type=type_,
                created_at=self.now(),
            )
            project.packages.append(row)
            return row

    def add_file(
        self,
        package: PackageRow,
        name: str,
        data: bytes,
        *,
        claimed_sha256: str | None,
        job: JobContext | None = None,
    ) -> FileRow:
        """Add a file to a package, next to any of the same name."""
        with self.lock:
            row = FileRow(
                id=next(self._ids["file"]),
                name=name,
                data=data,
                claimed_sha256=claimed_sha256,
                created_at=self.now(),
                job=job,
            )
            package.files.append(row)
            return row

    def stored(self, key: str) -> bytes | None:
        """Return the bytes of a file row by its id, as object storage keeps them."""
        with self.lock:
            rows = (row for project in self.projects for package in project.packages for row in package.files)
            return next((row.data for row in rows if str(row.id) == key), None)
