"""What a Python program calls: the work that the commands do. ``pip_warden`` offers it.

A verdict is returned; what could not be decided raises :class:`~pip_warden.errors.UndecidedError`. Nothing
is printed, and nothing of the environment is read unless the settings say so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from pip_warden.errors import TrustFileError
from pip_warden.events import SILENT, Reporter
from pip_warden.session.settings import Settings

if TYPE_CHECKING:
    from pip_warden.install import InstallRequest
    from pip_warden.report.model import Report
    from pip_warden.session.parts import SessionParts
    from pip_warden.supply import Supply
    from pip_warden.trust.model import TrustFile
    from pip_warden.vault import Vault
    from pip_warden.verdict.model import Verdict

_NOTHING_SAID = Settings()


def find_trust() -> Path | None:
    """Look for the trust file from the working directory upwards; None where there is none."""
    from pip_warden.trust.file import find_trust_file

    try:
        home = Path.home()
    except RuntimeError:  # a user who has none, as in a container with a number for a user
        home = None
    return find_trust_file(Path.cwd(), home)


def load_trust(path: str | os.PathLike[str] | None = None, *, check_owner: bool = True) -> TrustFile:
    """Read and validate a trust file.

    Args:
        path: The file; None to look for ``pytrust.toml`` as the commands do: from the working directory
            upwards to the root of the repository; without one, strictly below the home directory.
        check_owner: Refuse a file that belongs neither to this user nor to root. The commands do so for a
            file that they found, and not for one that was named.

    Raises:
        UsageError: ``no-trust-file``, ``trust-file-owner``, ``trust-file-not-toml``, or
            ``trust-file-invalid`` with every fault.
    """
    from pip_warden.trust.file import load

    found = find_trust() if path is None else Path(path)
    if found is None:
        raise TrustFileError(
            "no-trust-file",
            "expected a trust file pytrust.toml here or above, found none",
            hint="The first `pip-warden trust add NAME --source URL --project GROUP/PROJECT` makes it; "
            "a simple index has no --project. For an image: `pip-warden trust add --image REF`.",
        )
    return load(found, check_owner=check_owner)


def judge_file(
    path: str | os.PathLike[str],
    *,
    trust: TrustFile | None = None,
    evidence: Iterable[bytes] | None = None,
) -> Verdict:
    """Judge a wheel or sdist, offline, and leave nothing behind.

    The file is copied first, and the copy is judged: the verdict is about the bytes whose digest is
    ``verdict.artifact.digest``. Whoever else can write to ``path`` may have changed it since; to use the
    very bytes that were judged, see :meth:`Session.judge_file`.

    Args:
        path: The file. Its name says which project and version it claims to be.
        trust: The trust file; None for :func:`load_trust`.
        evidence: What speaks for the file, each piece as its bytes: Sigstore bundles, PEP 740 attestations
            or provenance objects. It is read once, and no further than to the first good piece. None to look
            for files next to it, as ``pip-warden verify`` does. An empty one is no evidence: refused, unless
            the file is pinned by its hash.

    Returns:
        ``Accepted`` or ``Refused``.

    Raises:
        UndecidedError: It could not be decided: a trusted root cannot be used; a detached signature would
            need a look-up in a log.
        UsageError: The file cannot be read, or is none; the trust file is missing or faulty.
        TypeError: ``evidence`` is no iterable of bytes.
    """
    from pip_warden.vault import NoVault

    trust = load_trust() if trust is None else trust
    with _opened(trust, Settings(offline=True), SILENT, vault=NoVault()) as session:
        return session.judge_file(path, evidence=evidence)


@contextmanager
def open_session(
    trust: TrustFile,
    *,
    settings: Settings = _NOTHING_SAID,
    supply: Supply | None = None,
    reporter: Reporter = SILENT,
) -> Iterator[Session]:
    """Open a session: what several calls share, and what needs the network.

    Args:
        trust: The trust file.
        settings: How network, cache and credentials are used. The default reads nothing of the environment.
        supply: A source of files of your own, in place of all sources of the trust file.
        reporter: Receives progress, from any thread.

    Returns:
        A context manager; the session is closed when it is left.

    Raises:
        UsageError: A setting is no good.
        UndecidedError: ``cannot-store``: there is no room for temporary files.
    """
    with _opened(trust, settings, reporter, supply=supply) as session:
        yield session


class Session:
    """An open session, made by :func:`open_session`. Its methods may be called from several threads.

    Args:
        parts: What it works with.
        closed: Set when it is closed.
    """

    def __init__(self, parts: SessionParts, closed: Event) -> None:
        self._parts = parts
        self._closed = closed

    def judge_file(self, path: str | os.PathLike[str], *, evidence: Iterable[bytes] | None = None) -> Verdict:
        """Judge a wheel or sdist, as ``pip-warden verify`` does; an accepted one is kept in the cache.

        The copy that was judged is at ``verdict.artifact.path`` until the session is closed: a private file,
        which nobody else can exchange. It is gone at once where the file is refused.

        Args:
            path: The file.
            evidence: As for :func:`judge_file`. A detached signature next to the file is looked up in the
                log.

        Returns:
            ``Accepted`` or ``Refused``.

        Raises:
            UndecidedError: It could not be decided: a log did not answer, a trusted root cannot be used.
            UsageError: The file cannot be read, or is none.
            RefusedError: ``changed-after-verdict``: something else writes to the session's private directory.
            TypeError: ``evidence`` is no iterable of bytes.
            RuntimeError: The session is closed.
        """
        from pip_warden.verify import verify_file

        _check_evidence(evidence)
        return verify_file(self._open(), Path(path), evidence=evidence)

    def judge_release(self, name: str, version: str) -> Report:
        """Judge every wheel and sdist of a release, fetched anew, as ``pip-warden verify-release`` does.

        Args:
            name: The project.
            version: The release.

        Returns:
            A report. Only ``exit_code`` 0 is a success; 3 is that something could not be decided.

        Raises:
            UsageError: ``invalid-name`` or ``invalid-version``.
            RuntimeError: The session is closed.
        """
        from pip_warden.names import parse_project_name, parse_version
        from pip_warden.verify import verify_release

        return verify_release(self._open(), parse_project_name(name), parse_version(version))

    def install(self, request: InstallRequest, *, on_line: Callable[[str], None] | None = None) -> Report:
        """Run pip through the gate, as ``safe-install`` does: it sees accepted files and nothing else.

        Args:
            request: What is to be installed, and where.
            on_line: Called with each line that pip prints; by default they are dropped.

        Returns:
            A report. Only ``exit_code`` 0 is a success.

        Raises:
            UsageError: The request itself is wrong.
            RuntimeError: The session is closed.
        """
        from pip_warden.install import install, say_nothing

        return install(self._open(), request, on_line=on_line or say_nothing, where="the request")

    def _open(self) -> SessionParts:
        if self._closed.is_set():
            raise RuntimeError("the session is closed: use it within its `with` block")
        return self._parts


@contextmanager
def _opened(
    trust: TrustFile,
    settings: Settings,
    reporter: Reporter,
    *,
    supply: Supply | None = None,
    vault: Vault | None = None,
) -> Iterator[Session]:
    from pip_warden.session.opening import open_parts
    from pip_warden.trust.model import TrustFile

    if not isinstance(trust, TrustFile):
        raise TypeError(f"trust is a TrustFile, not {type(trust).__name__}; load_trust(path) reads one")
    with open_parts(trust, settings, reporter, supply=supply, vault=vault) as parts:
        closed = Event()
        try:
            yield Session(parts, closed)
        finally:
            closed.set()


def _check_evidence(evidence: object) -> None:
    """Tell one piece from several, and both from anything else, before any work is done."""
    if evidence is not None and (isinstance(evidence, str | bytes) or not isinstance(evidence, Iterable)):
        raise TypeError(
            f"evidence is an iterable of bytes, not {type(evidence).__name__}; for one piece write [data]"
        )
