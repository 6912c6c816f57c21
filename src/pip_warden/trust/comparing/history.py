"""The trust file as it was in an earlier revision: read from git, which is told nothing but what to show.

What a revision says about a name is asked of the revision's own tree, links in it included: a file that
became a link to another one, or whose directory did, is compared with what it was. Nothing of the working
tree, of an attribute or of a filter is applied, and nothing is fetched.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.trust.file import LARGEST_TRUST_FILE
from pip_warden.values import dataclass

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_IN_FULL = re.compile(rf"refs/.*|HEAD(?:[~^@].*)?|{_COMMIT.pattern}", re.ASCII)
"""What names one thing to git, whatever else is named so."""
_PATIENCE = 60
"""Seconds that git may take to read one object that it has."""
_FROM_FILE = "compare with a file that you have: `pip-warden trust diff --from FILE`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """What a revision has under the trust file's name.

    Attributes:
        commit: The commit, as hexadecimal digits.
        content: The file's bytes; None where the revision has no such file.
        problem: Why what it has is no trust file, ``""`` where it is one or nothing.
        is_submodule: Whether the repository is a submodule here.
    """

    commit: str
    content: bytes | None
    problem: str = ""
    is_submodule: bool = False


def read_revision(revision: str, path: Path, environment: Mapping[str, str]) -> Revision:
    """Read the trust file of a revision.

    Args:
        revision: What git calls a revision: a commit, branch, tag, ``HEAD~1``.
        path: The trust file as it was named or found; links in it are not followed.
        environment: The environment of this process. git's own variables are not passed on: they could name
            another repository.

    Raises:
        UsageError: ``git-needed``; ``no-repository``; ``no-such-revision``.
    """
    root, inside = _place(path, environment)
    git = _Git(root, environment)
    commit = git.commit(revision)
    content, problem = git.read(f"{commit}:{inside}")
    return Revision(commit=commit, content=content, problem=problem, is_submodule=git.is_submodule)


class _Git:
    """git in one directory, without a terminal, a pager, hooks or a network."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = {k: v for k, v in environment.items() if not k.startswith("GIT_")} | {
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def run(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git.

        Raises:
            UsageError: ``git-needed``: there is none; ``no-repository``: it does not answer.
        """
        try:
            return subprocess.run(  # noqa: S603 -- the words are ours, but for a revision, which is no option
                ["git", "--no-pager", "-C", str(self._directory), *words],  # noqa: S607 -- the user's git
                input=given,
                capture_output=True,
                env=self._environment,
                timeout=_PATIENCE,
                check=False,
            )
        except OSError as err:
            raise UsageError(
                "git-needed",
                f"expected git, to read an earlier trust file, found {err.strerror or type(err).__name__}",
                hint=f"Install git, or {_FROM_FILE}.",
            ) from err
        except subprocess.TimeoutExpired as err:
            raise _no_repository(self._directory, f"no answer of git in {_PATIENCE} seconds") from err

    def commit(self, revision: str) -> str:
        """Return the commit that a revision names.

        Raises:
            UsageError: ``no-such-revision``.
        """
        fault = UsageError(
            "no-such-revision",
            f"expected a revision of {self._directory}, found {escape_text(revision)!r}",
            hint="A shallow clone has one revision only: fetch the other first "
            f"(`git fetch origin BRANCH`), or {_FROM_FILE}.",
        )
        if not revision or revision.startswith("-") or not revision.isprintable():
            raise fault
        said = self.run(
            "-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify", f"{revision}^{{commit}}"
        )
        commit = said.stdout.decode("ascii", "replace").strip()
        if said.returncode != 0 or not _COMMIT.fullmatch(commit):
            raise fault
        if b"is ambiguous" in said.stderr and not _IN_FULL.fullmatch(revision):
            raise UsageError(
                "no-such-revision",
                f"expected a revision of one meaning, found {escape_text(revision)!r}, a name of several",
                hint="git prefers a tag to a branch of its name, and whoever pushes tags may have made one. "
                f"Name it in full (refs/remotes/origin/main), or {_FROM_FILE}.",
            )
        return commit

    @property
    def is_submodule(self) -> bool:
        """Return whether the directory is of a submodule; where that cannot be told, it may be one."""
        said = self.run("rev-parse", "--show-superproject-working-tree")
        return said.returncode != 0 or bool(said.stdout.strip())

    def read(self, name: str) -> tuple[bytes | None, str]:
        """Return the bytes of a file in a tree, None where there is none, and why they are no trust file."""
        kind, size, found = self.look(name)
        if kind == "missing":
            return None, ""
        if kind != "blob":
            return b"", f"it is no file there ({kind})"
        if size > LARGEST_TRUST_FILE:
            return b"", f"it has more than {LARGEST_TRUST_FILE} bytes there"
        return self.run("cat-file", "blob", found).stdout, ""

    def look(self, name: str) -> tuple[str, int, str]:
        """Return the kind of an object, its size and its id; links in the tree are followed within it."""
        said = self.run("cat-file", "--batch-check", "--follow-symlinks", given=os.fsencode(f"{name}\n"))
        answer = said.stdout.partition(b"\n")[0].decode("utf-8", "replace")
        found, _, rest = answer.partition(" ")
        kind, _, size = rest.partition(" ")
        if said.returncode == 0 and _COMMIT.fullmatch(found) and size.isdecimal():
            return kind, int(size), found
        if said.returncode == 0 and answer.endswith(" missing"):
            return "missing", 0, ""
        return found if found in {"symlink", "dangling", "loop", "notdir"} else "unreadable", 0, ""


def _place(path: Path, environment: Mapping[str, str]) -> tuple[Path, str]:
    """Return the repository's root, and the trust file's path in it, with the links that are in it.

    It is the working directory's repository if the file is in that, else that of the file's own directory.
    """
    absolute = Path(os.path.abspath(path))  # links stay
    is_one = os.path.exists(absolute) and os.path.samefile(absolute, path)
    if os.path.exists(path) and not is_one:
        raise _no_repository(path.parent, "a path that goes up behind a link")
    reason = "none"
    for directory in (Path.cwd(), absolute.parent):
        said = _Git(directory, environment).run("rev-parse", "--show-toplevel")
        root = Path(os.fsdecode(said.stdout.removesuffix(b"\n")))
        if said.returncode != 0 or not root.is_absolute():
            reason = _reason(said)
            continue
        if not os.path.lexists(root / ".git"):
            # A directory of the project that is laid out as a repository: whoever commits one says in it
            # what every revision has. No commit can hold a .git.
            reason = f"one without a .git ({escape_text(str(root))})"
            continue
        for above in reversed(absolute.parents):
            if above == root or above.resolve() == root:
                return root, _inside(absolute, above)
    raise _no_repository(absolute.parent, reason)


def _inside(path: Path, above: Path) -> str:
    inside = path.relative_to(above).as_posix()
    if not inside.isprintable():
        raise _no_repository(above, "a name that git cannot be asked for")
    return inside


def _reason(said: subprocess.CompletedProcess[bytes]) -> str:
    if b"dubious ownership" in said.stderr:
        return "one of another user, which git does not read (safe.directory in `git help config`)"
    return "none"


def _no_repository(directory: Path, found: str) -> UsageError:
    return UsageError(
        "no-repository",
        f"expected a git repository that has {directory}, found {found}",
        hint=f"Without one, {_FROM_FILE}.",
    )
