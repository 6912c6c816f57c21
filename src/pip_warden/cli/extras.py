"""What only some commands need is an extra of the distribution (``[project.optional-dependencies]``)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from pip_warden.errors import UsageError

Extra = Literal["publish", "sandbox"]

_MODULES: dict[Extra, tuple[str, ...]] = {
    "publish": ("requests_toolbelt", "twine"),
    "sandbox": ("python_multipart", "starlette", "uvicorn"),
}
"""What each extra brings, by the name that is imported."""


def need_extra(extra: Extra, command: str) -> None:
    """Check that an extra is installed, before a command does anything. Nothing is imported for it.

    Args:
        extra: The extra.
        command: What the user typed, without ``pip-warden``.

    Raises:
        UsageError: ``extra-missing``.
    """
    missing = [name for name in _MODULES[extra] if not _is_there(name)]
    if missing:
        raise UsageError(
            "extra-missing",
            f"expected the extra `{extra}`, which `pip-warden {command}` needs, "
            f"found no {' and no '.join(missing)}",
            hint=f"`pip install 'pip-warden[{extra}]'` installs it.",
        )


def has_extra(extra: Extra) -> bool:
    """Return whether an extra is installed.

    Args:
        extra: The extra.
    """
    return all(map(_is_there, _MODULES[extra]))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
