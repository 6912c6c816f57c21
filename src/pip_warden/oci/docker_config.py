"""Reads what ``docker login`` and ``podman login`` have left: ``config.json``, and the helpers it names.

Sources: docker's documentation of ``docker login``; containers-auth.json(5); the protocol of
docker-credential-helpers.
"""

from __future__ import annotations

import binascii
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import UndecidedError, UsageError
from pip_warden.oci.names import Repository, spelled_registry
from pip_warden.strict_json import JSONValue, MalformedError, loads_object
from pip_warden.transport import Credential, CredentialKind, Secret
from pip_warden.values import dataclass, field

_LARGEST = 1 << 20
_LARGEST_ANSWER = 64 << 10
_PATIENCE = 60
"""Seconds for a helper, which may ask its user to unlock a keyring."""
_HELPER = re.compile(r"[a-z0-9-]+", re.ASCII)
_USER = re.compile(r"[^\x00-\x1f\x7f:]{1,4096}")
_SECRET = re.compile(r"[^\x00-\x1f\x7f]{1,16384}")
_API = frozenset({"", "v1", "v2"})
_NOTHING_HELD = b"credentials not found in native keychain"
_IS_TOKEN = "<token>"  # noqa: S105 -- the user name that helpers give to what is no password
_AGAIN = "Run `docker login HOST` again, with a user and a password or access token."


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerConfig:
    """What one file says, none of it checked but its shape.

    Attributes:
        path: The file.
        auths: Its entries by place: ``HOST[:PORT]``, or that with the beginning of a path.
        helpers: Names of the helpers of single places.
        store: Name of the helper of all others, "" for none.
    """

    path: Path
    auths: Mapping[str, Mapping[str, JSONValue]] = field(repr=False, hash=False)
    helpers: Mapping[str, JSONValue] = field(repr=False, hash=False)
    store: JSONValue = ""

    def credential(self, repository: Repository, environ: Mapping[str, str]) -> Credential | None:
        """Return what is held for a repository, None where it is nothing.

        Args:
            repository: The repository; its registry's host and port must be those of the entry.
            environ: Environment variables: where helpers are found, and what they see.

        Raises:
            UsageError: ``docker-config``.
            UndecidedError: ``credential-helper``.
        """
        helper = self.helpers.get(repository.registry) or self.store
        if helper:
            found = _ask_helper(self._known(helper), repository.registry, environ)
            if found is not None:
                return found
        for place in _places(repository):
            if (entry := self.auths.get(place)) and (found := self._entry(entry)) is not None:
                return found
        return None

    def _known(self, helper: JSONValue) -> str:
        if isinstance(helper, str) and _HELPER.fullmatch(helper):
            return helper
        raise _faulty(self.path, "a helper whose name has other characters than a-z, 0-9 and `-`")

    def _entry(self, entry: Mapping[str, JSONValue]) -> Credential | None:
        if entry.get("identitytoken") or entry.get("registrytoken"):
            raise _faulty(self.path, "an identity token for this registry, which is not supported", _AGAIN)
        text = entry.get("auth")
        if not text:
            return None
        try:
            user, colon, secret = binascii.a2b_base64(str(text), strict_mode=True).decode().partition(":")
        except ValueError:  # its text could show what it failed at
            user = colon = secret = ""
        found = _login(user, secret.rstrip("\0")) if colon and isinstance(text, str) else None
        if found is None:
            raise _faulty(self.path, "an `auth` that is not user and password in base64", _AGAIN)
        return found


def read_docker_config(path: Path) -> DockerConfig | None:
    """Read a file, None where there is none.

    Raises:
        UsageError: ``docker-config``: it cannot be read, or is faulty. Its contents are not shown.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as err:
        raise _faulty(path, err.strerror or type(err).__name__) from err
    try:
        said = loads_object(raw, max_bytes=_LARGEST)
    except MalformedError:  # its text could show what it failed at
        raise _faulty(path, "something else") from None
    auths: dict[str, dict[str, JSONValue]] = {}
    for place, entry in _by_place(path, said, "auths"):
        if not isinstance(entry, dict):
            raise _faulty(path, "an entry of `auths` that is no object")
        if not any(auths.get(place, {}).values()):
            auths[place] = entry
    helpers = dict(_by_place(path, said, "credHelpers"))
    return DockerConfig(path=path, auths=auths, helpers=helpers, store=said.get("credsStore") or "")


def _by_place(path: Path, said: Mapping[str, JSONValue], key: str) -> Iterator[tuple[str, JSONValue]]:
    value = said.get(key)
    if value is not None and not isinstance(value, dict):
        raise _faulty(path, f"`{key}` that is no object")
    for name, entry in (value or {}).items():
        yield place_of(name), entry


def place_of(text: str) -> str:
    """Return what an entry is for: its host and port, as :class:`Repository` spells it, and perhaps a path.

    A URL's path says which programming interface is meant, and so do the paths ``v1`` and ``v2``.
    """
    before, is_url, after = text.partition("://")
    rest = after if is_url else before
    host, _, path = rest.partition("/")
    host, path = spelled_registry(host), path.strip("/")
    return host if is_url or path in _API else f"{host}/{path}"


def _places(repository: Repository) -> Iterator[str]:
    """Yield the places that a repository is in, the narrowest first."""
    place = str(repository)
    while place:
        yield place
        place = place.rpartition("/")[0]


def _ask_helper(name: str, registry: str, environ: Mapping[str, str]) -> Credential | None:
    program = shutil.which(f"docker-credential-{name}", path=environ.get("PATH", ""))
    if program is None or not Path(program).is_absolute():  # what lies in a working directory is not run
        raise _helper_failed(name, "no such program on PATH")
    try:
        said = subprocess.run(  # noqa: S603 -- the user's own configuration names it
            [program, "get"],
            input=registry.encode(),
            capture_output=True,
            env=dict(environ),
            timeout=_PATIENCE,
            check=False,
        )
    except OSError as err:
        raise _helper_failed(name, err.strerror or type(err).__name__) from err
    except subprocess.TimeoutExpired as err:
        raise _helper_failed(name, f"no answer in {_PATIENCE} seconds") from err
    if said.returncode != 0:
        if said.stdout.strip() == _NOTHING_HELD:
            return None
        raise _helper_failed(name, _complaint(said))
    return _answered(name, said.stdout)


def _answered(name: str, answer: bytes) -> Credential:
    try:
        said = loads_object(answer, max_bytes=_LARGEST_ANSWER)
    except MalformedError:  # its text could show what it failed at
        said = {}
    user, secret = said.get("Username"), said.get("Secret")
    if user == _IS_TOKEN:
        raise _helper_failed(name, "an identity token, which is not supported")
    found = _login(user, secret) if isinstance(user, str) and isinstance(secret, str) else None
    if found is None:
        raise _helper_failed(name, "another answer than user and password")
    return found


def _complaint(said: subprocess.CompletedProcess[bytes]) -> str:
    """Return what a helper that failed has said; helpers complain in the place of the answer."""
    texts = (said.stderr, b"" if b"{" in said.stdout else said.stdout)
    text = " ".join(part.decode("utf-8", "replace").strip() for part in texts).strip()
    return f"exit code {said.returncode}: {escape_text(text)}"


def _login(user: str, secret: str) -> Credential | None:
    if not _USER.fullmatch(user) or not _SECRET.fullmatch(secret):
        return None
    return Credential(kind=CredentialKind.LOGIN, user=user, secret=Secret(secret))


def _faulty(path: Path, found: str, hint: str = "") -> UsageError:
    return UsageError(
        "docker-config",
        f"expected docker's configuration in {escape_text(str(path))}, found {found}",
        hint=hint
        or "Correct the file, or name another directory in DOCKER_CONFIG. Its contents are not shown.",
    )


def _helper_failed(name: str, found: str) -> UndecidedError:
    return UndecidedError(
        "credential-helper",
        f"expected user and password from `docker-credential-{name} get`, found {found}",
        hint="Install or repair the helper, or take its name out of docker's config.json.",
    )
