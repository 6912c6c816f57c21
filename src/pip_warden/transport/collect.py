"""Collects the credentials of a run from the environment, token files, netrc and a keyring."""

from __future__ import annotations

import netrc
import re
from collections.abc import Mapping
from pathlib import Path

from pip_warden.errors import NetworkError, UsageError
from pip_warden.transport.credentials import Credentials, Lookup
from pip_warden.transport.secret import Credential, CredentialKind, Secret
from pip_warden.transport.urls import Origin, origin_of

_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_IS_HOST = re.compile(r"[.:]")
_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)


def credentials_from_environment(
    environ: Mapping[str, str],
    *,
    sources: Mapping[str, str] | None = None,
    token_files: Mapping[str, Path] | None = None,
    use_keyring: bool = True,
) -> Credentials:
    """Collect the credentials of a run.

    A ``token_files`` entry takes precedence over ``GITLAB_TOKEN``, then ``CI_JOB_TOKEN``, netrc and the
    keyring.

    Args:
        environ: The environment, given by the caller.
        sources: URL of each source, by name.
        token_files: ``--token-file HOST=FILE``, by ``HOST``, ``HOST:PORT`` or a URL, which no change of the
            trust file can redirect.
        use_keyring: Whether to ask keyring, where it is installed.

    Raises:
        UsageError: ``bad-token``, ``token-file``, ``unreadable-token-file``, ``unknown-source``,
            ``bad-netrc`` or ``bad-server-url``.
    """
    sources = sources or {}
    held = _from_variables(environ)
    for host, path in (token_files or {}).items():
        origins = _token_origins(host, path, sources)
        held |= dict.fromkeys(origins, read_token(path))
    return Credentials(
        by_origin=held,
        by_host=_read_netrc(environ),
        lookup=_keyring() if use_keyring else None,
        known=frozenset(setting_origin(f"source {name}", url) for name, url in sources.items()),
    )


def _from_variables(environ: Mapping[str, str]) -> dict[Origin, Credential]:
    held: dict[Origin, Credential] = {}
    job, api = environ.get("CI_JOB_TOKEN"), environ.get("CI_API_V4_URL")
    if job and api:
        held[setting_origin("CI_API_V4_URL", api)] = Credential(
            kind=CredentialKind.JOB, secret=checked_token("CI_JOB_TOKEN", job), user="gitlab-ci-token"
        )
    personal = environ.get("GITLAB_TOKEN")
    if personal:
        named = next((name for name in ("GITLAB_URL", "CI_SERVER_URL") if environ.get(name)), None)
        origin = setting_origin(named, environ[named]) if named else Origin("https", "gitlab.com", 443)
        held[origin] = Credential(
            kind=CredentialKind.PERSONAL, secret=checked_token("GITLAB_TOKEN", personal)
        )
    return held


def checked_token(where: str, token: str) -> Secret:
    """Return a token that somebody has set.

    Args:
        where: The variable or file that has it.
        token: What was found there.

    Raises:
        UsageError: ``bad-token``: it is none.
    """
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            "bad-token", f"expected a token of printable ASCII characters in {where}, found something else"
        )
    return Secret(token)


def setting_origin(where: str, url: str) -> Origin:
    """Return the origin of a URL that somebody has set.

    Args:
        where: The variable or option that has it.
        url: What was found there.

    Raises:
        UsageError: ``bad-server-url``: it is none.
    """
    try:
        return origin_of(url)
    except NetworkError as err:
        raise UsageError("bad-server-url", f"{where}: {err.message}", hint=err.hint) from err


def _token_origins(text: str, path: Path, sources: Mapping[str, str]) -> frozenset[Origin]:
    """Return where the token of a file may be sent: the named host, if a source of this run is there.

    A trust file may be part of a merge request, and a source's name stands for whatever ``url`` it has there.
    So a name is never a host: text that could be both is read as a host if it has a dot or a port, and
    refused otherwise.
    """
    known = {name: setting_origin(f"source {name}", url) for name, url in sources.items()}
    if text in known and not _IS_HOST.search(text):
        raise UsageError(
            "token-file",
            f"expected --token-file HOST=FILE, found the name of a source, {text!r}; "
            f"the host of its url is spelled `--token-file {_host_of(known[text])}={path}`",
            hint="A token belongs to a host, and no change of the trust file moves it. "
            "Look whether the url is the one you mean.",
        )
    held = _named_origins(text) & set(known.values())
    if not held:
        hosts = ", ".join(sorted({_host_of(origin) for origin in known.values()})) or "none"
        raise UsageError(
            "unknown-source",
            f"--token-file: expected the host of a source ({hosts}), found {text!r}",
            hint="The token goes nowhere else. "
            "If a source's url was changed, find out why before you name its new host.",
        )
    return frozenset(held)


def _named_origins(text: str) -> set[Origin]:
    """Read ``HOST`` or ``HOST:PORT`` (https, or http to this machine) or a URL, which names its scheme."""
    if "://" in text:
        return {setting_origin("--token-file", text)}
    if not _HOST.fullmatch(text):
        raise UsageError(
            "token-file",
            "expected --token-file HOST=FILE, found no host before the equals sign",
            hint="The value is not shown, since it may hold a password.",
        )
    secure = setting_origin("--token-file", f"https://{text}")
    return {secure, setting_origin("--token-file", f"http://{text}")} if secure.is_loopback else {secure}


def _host_of(origin: Origin) -> str:
    return str(origin).partition("://")[2]


def read_token(path: Path) -> Credential:
    """Read a token file: ``TOKEN`` or ``USER:TOKEN``, in one line.

    Raises:
        UsageError: ``unreadable-token-file`` or ``bad-token``.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as err:
        raise UsageError(
            "unreadable-token-file",
            "expected --token-file HOST=FILE, found no such file",
            hint="What was given as FILE is not shown, since it may be the token.",
        ) from err
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(
            "unreadable-token-file", f"expected a readable token file, found {path}: {type(err).__name__}"
        ) from err
    if len(lines) != 1:
        raise UsageError("unreadable-token-file", f"expected one line in {path}, found {len(lines)}")
    user, colon, token = lines[0].strip().partition(":")
    if not colon:
        return Credential(kind=CredentialKind.TOKEN, secret=checked_token(str(path), user))
    return Credential(
        kind=CredentialKind.LOGIN,
        secret=checked_token(str(path), token),
        user=checked_token(str(path), user).reveal(),
    )


def _read_netrc(environ: Mapping[str, str]) -> dict[str, Credential]:
    """Read ``$NETRC``, else ``~/.netrc``. The ``default`` entry is for every host, and so is never used."""
    named, home = environ.get("NETRC"), environ.get("HOME")
    path = Path(named) if named else Path(home) / ".netrc" if home else None
    if path is None or not (named or path.is_file()):
        return {}
    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as err:
        # The parser's own message quotes the token it failed at, which may be a password.
        raise UsageError(
            "bad-netrc", f"expected a netrc file, found a fault in line {err.lineno} of {path}"
        ) from None
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(
            "bad-netrc", f"expected a readable netrc file, found {path}: {type(err).__name__}"
        ) from err
    return {
        host.lower(): Credential(kind=CredentialKind.LOGIN, secret=Secret(password), user=login or account)
        for host, (login, account, password) in hosts.items()
        if host != "default" and password
    }


def _keyring() -> Lookup:
    """Return a look-up in the keyring: once per host, only through calls that do not prompt by themselves."""
    known: dict[str, Credential | None] = {}

    def look_up(host: str) -> Credential | None:
        if host not in known:
            known[host] = _in_keyring(host)
        return known[host]

    return look_up


def _in_keyring(host: str) -> Credential | None:
    """Ask the keyring, which is loaded only now; None where it is not installed, too."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        found = keyring.get_credential(host, None)
    except (keyring.errors.KeyringError, OSError, RuntimeError, ValueError):
        # A locked or broken keyring has no credential; the registry's response says what is missing.
        return None
    if found is None or not found.password:
        return None
    return Credential(kind=CredentialKind.LOGIN, secret=Secret(found.password), user=found.username)
