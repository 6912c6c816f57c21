"""The child's environment, built from nothing (design decision D2).

Dozens of variables and files can change what an installer does; only what it needs to find programs and
compile is passed on, and never a credential. What our own pip prints is untrusted and is shown escaped,
colours included; so colours are turned off. A command of the user's own prints to the user's terminal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import UsageError

_PASSED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|SYSTEMROOT|TERM|COLUMNS|SOURCE_DATE_EPOCH"
    r"|CC|CXX|CPP|FC|AR|LD|CFLAGS|CXXFLAGS|CPPFLAGS|FFLAGS|LDFLAGS|LDSHARED|ARFLAGS"
    r"|MAKEFLAGS|CPATH|LIBRARY_PATH|PKG_CONFIG_PATH"
    r"|MACOSX_DEPLOYMENT_TARGET|ARCHFLAGS|CMAKE_[A-Z_]+|VIRTUAL_ENV",
    re.ASCII,
)
_SHOWN = frozenset({"COLORTERM", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LINES", "CI"})
"""What a command of the user's own goes by when it prints and asks."""

_NEVER = re.compile(
    r".*(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|PRIVATE_KEY|API_KEY|ACCESS_KEY|JWT|AUTH(?!OR)).*"
    r"|.*_(PASS|PAT)"
    r"|(PIP|UV|PDM|POETRY|GIT|SSH|XDG|DYLD)_.*|.*_PROXY|NETRC|HOME|TMPDIR|TEMP|TMP|LD_PRELOAD|LD_AUDIT"
    r"|PYTHON(?!HASHSEED$).*|SSL_CERT_(FILE|DIR)",
    re.ASCII | re.IGNORECASE,
)
_LOGIN = re.compile(r"://[^/?#\s@]*:[^/?#\s@]+@")
"""A password in a URL, as in GitLab's ``CI_REPOSITORY_URL``, whose name does not show it."""

_MAKE_VARIABLES = re.compile(r"(^|\s+)(--(?!\S)|[^\s=-][^\s=]*=).*", re.ASCII | re.DOTALL)
"""In ``MAKEFLAGS``, behind the options: what was given to make on its command line (``make TOKEN=…``)."""


def child_environment(
    environ: Mapping[str, str], *, proxy_url: str, private: Path, pass_env: tuple[str, ...] = ()
) -> dict[str, str]:
    """Build the environment of an installer.

    Args:
        environ: Our own environment.
        proxy_url: The loopback server, with its password.
        private: An empty private directory for HOME, caches and temporary files.
        pass_env: Names that the user wants passed on (``--pass-env``).

    Raises:
        UsageError: ``secret-variable``: such a variable is or holds a credential, or would let the installer
            bypass the server. ``option-value``: one is no name.
    """
    kept = _kept(environ, pass_env)
    return kept | _private(private) | _proxies(proxy_url) | _neutral() | _OUR_OWN


def command_environment(
    environ: Mapping[str, str], *, proxy_url: str, private: Path, pass_env: tuple[str, ...] = ()
) -> dict[str, str]:
    """Build the environment of a command of the user's own: as an installer's, and what it shows itself by.

    Settings of one tool are none of it; they are :class:`~pip_warden.tools.model.Tool`'s.

    Args:
        environ: As for :func:`child_environment`.
        proxy_url: As there.
        private: As there.
        pass_env: As there.

    Raises:
        UsageError: As there.
    """
    kept = _kept(environ, pass_env) | {name: environ[name] for name in _SHOWN & environ.keys()}
    return kept | _private(private) | _proxies(proxy_url) | _neutral()


def _kept(environ: Mapping[str, str], pass_env: tuple[str, ...]) -> dict[str, str]:
    for name in pass_env:
        _check_name(name)
        if _NEVER.fullmatch(name) or _LOGIN.search(environ.get(name, "")):
            raise UsageError(
                "secret-variable",
                f"expected a harmless variable with --pass-env, found {name}",
                hint="Credentials and installer settings never reach a build: it could send them anywhere.",
            )
    kept = {name: value for name, value in environ.items() if _is_passed(name) or name in pass_env}
    if "MAKEFLAGS" in kept and "MAKEFLAGS" not in pass_env:
        kept["MAKEFLAGS"] = _MAKE_VARIABLES.sub("", kept["MAKEFLAGS"])
    return kept


def _check_name(name: str) -> None:
    given, equals, _ = name.partition("=")
    if equals or not given:
        # Not the value: it may be a secret.
        found = f"a value, too: {escape_text(given, 80)}=…" if equals else "none"
        raise UsageError(
            "option-value",
            f"expected the name of a variable with --pass-env, found {found}",
            hint="It is passed on with the value that it has here: set it before, and give its name alone.",
        )


def _is_passed(name: str) -> bool:
    return _PASSED.fullmatch(name) is not None and _NEVER.fullmatch(name) is None


def _private(private: Path) -> dict[str, str]:
    places = {
        "HOME": "home",
        "TMPDIR": "tmp",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
    }
    for folder in places.values():
        (private / folder).mkdir(mode=0o700, exist_ok=True)
    return {name: str(private / folder) for name, folder in places.items()}


def _proxies(url: str) -> dict[str, str]:
    """Set both spellings, since programs differ in which they read; an empty NO_PROXY exempts nothing."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    direct = {"no_proxy": "", "NO_PROXY": ""}
    return dict.fromkeys(names, url) | {name.upper(): url for name in names} | direct


def _neutral() -> dict[str, str]:
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NETRC": os.devnull,
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONUTF8": "1",
        "UV_HTTP_TIMEOUT": "1800",
    }


_OUR_OWN = {"NO_COLOR": "1", "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1", "UV_NO_SOURCES": "1"}
"""For what a pip of ours starts; in a project uv's own settings are the project's."""
