"""pip's options that are passed on, in uv's words.

An option that uv has not, or has with another meaning, is refused: nothing that was asked for is dropped. A
test compares this table with pip's (:mod:`~pip_warden.installer.options`) and its words with uv's own help.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pip_warden.errors import UsageError
from pip_warden.installer.passed import TAKING, pairs
from pip_warden.names import ProjectName

SAME = {
    "--no-deps": "--no-deps",
    "--target": "--target",
    "--prefix": "--prefix",
    "--force-reinstall": "--reinstall",
    "--no-build-isolation": "--no-build-isolation",
    "--break-system-packages": "--break-system-packages",
    "--config-settings": "--config-setting",
    "--compile": "--compile-bytecode",
    "--require-hashes": "--require-hashes",
    "--pre": "--prerelease=allow",
}
"""What uv has under the same name or another; a value follows where pip takes one."""

ANYWAY = frozenset(
    {
        "--no-user",
        "--use-pep517",
        "--no-compile",
        "--no-warn-script-location",
        "--no-warn-conflicts",
        "--progress-bar",
        "--root-user-action",
        "--no-color",
        "--no-python-version-warning",
    }
)
"""What uv does anyway, or never says: nothing is passed."""

TRANSLATED = frozenset(
    {"--upgrade", "--upgrade-strategy", "--no-binary", "--only-binary", "--uploaded-prior-to"}
)
"""What becomes other words, or none, depending on its value and on the rest."""

_ALL, _NONE = ":all:", ":none:"
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
"""RFC 3339, section 5.6: a date alone is its beginning to pip and its end to uv."""


def uv_options(options: Sequence[str], named: Iterable[ProjectName]) -> list[str]:
    """Return options of pip's in uv's words.

    Args:
        options: Options, spelled out, each value a word of its own (``Parsed.passed``).
        named: The projects that the user named: pip upgrades those alone.

    Raises:
        UsageError: ``refused-option``: uv has no such option; ``option-value``: it has no such value.
    """
    given = list(pairs(options))
    words: list[str] = []
    for name, value in given:
        if name in SAME:
            words += [SAME[name], value] if name in TAKING else [SAME[name]]
        elif name == "--uploaded-prior-to":
            words += ["--exclude-newer", _instant(value)]
        elif name not in ANYWAY | TRANSLATED:
            raise not_with_uv(name)
    return words + _upgrades(given, named) + _formats(given)


def not_with_uv(name: str, why: str = "which uv has not, or not with that meaning") -> UsageError:
    """Return the error for an option that is not passed to uv."""
    return UsageError(
        "refused-option",
        f"expected options that both pip and uv have, found {name}, {why}",
        hint="Leave it out, or install with `--installer pip`.",
    )


def _instant(value: str) -> str:
    if _INSTANT.fullmatch(value) is None:
        raise UsageError(
            "option-value",
            f"expected a time with its offset after --uploaded-prior-to (RFC 3339), found {value!r}",
            hint="pip and uv read a date alone differently. Write it so: 2026-05-01T00:00:00Z.",
        )
    return value


def _upgrades(given: Sequence[tuple[str, str]], named: Iterable[ProjectName]) -> list[str]:
    """Return words for ``--upgrade``: uv's is pip's with the strategy ``eager``.

    By default pip upgrades what was named.
    """
    if ("--upgrade", "") not in given:
        return []
    match [value for name, value in given if name == "--upgrade-strategy"][-1:]:
        case ["eager"]:
            return ["--upgrade"]
        case [] | ["only-if-needed"]:
            return [word for project in dict.fromkeys(named) for word in ("--upgrade-package", project)]
        case _:
            raise not_with_uv("--upgrade-strategy", "with a value that uv has no words for")


def _formats(given: Sequence[tuple[str, str]]) -> list[str]:
    """Return ``--no-binary`` and ``--only-binary``, whose lists exclude each other in pip and not in uv."""
    found: dict[str, list[str]] = {
        option: [part for name, value in given if name == option for part in value.split(",")]
        for option in ("--no-binary", "--only-binary")
    }
    if all(found.values()):
        raise not_with_uv("--no-binary together with --only-binary", "of which each limits the other in pip")
    return [word for option, parts in found.items() for part in parts for word in (option, part)]
