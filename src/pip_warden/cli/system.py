"""On which systems pip-warden runs. Elsewhere it says so, before it imports anything that may not be there.

Only ``sys`` is imported where all is well, and nothing of ours: most of it cannot be imported on Windows.
"""

import sys

TYPE_CHECKING = False  # as typing's, which would have to be imported
if TYPE_CHECKING:
    from collections.abc import Sequence

SUPPORTED = ("linux", "darwin")
"""Values of ``sys.platform``. On macOS the code takes its fall-backs, and no test was run there (README)."""

CODE = "unsupported-platform"
HINT = "On Windows use the Linux of WSL, or a container."
USAGE = 2


def refused_here(command: str, words: list[str]) -> int:
    """Say where this system is not supported, and return the exit code; 0 where it is.

    Args:
        command: What the user typed.
        words: The arguments, which may ask for JSON.
    """
    if sys.platform in SUPPORTED:
        return 0
    message = (
        "expected Linux or macOS, with the process groups and file owners that pip-warden relies on, "
        f"found {sys.platform!a}"
    )
    if asked_format(words) == "json":
        print(_as_json(command, message))
    else:
        print(f"error[{CODE}]: {message}\n\nhint: {HINT}", file=sys.stderr)
    return USAGE


def _as_json(command: str, message: str) -> str:
    """Return the document that ``report/json.py`` would make, which cannot be imported here."""
    import json
    from importlib.metadata import version

    document: dict[str, object] = {
        "schema_version": 1,
        "tool": {"name": "pip-warden", "version": version("pip-warden")},
        "command": command,
        "exit_code": USAGE,
        "trust_file": None,
        "target": None,
        "installer_exit_code": None,
        "files": [],
        "unpinned": [],
        "mirrors": [],
        "warnings": [],
        "error": {"code": CODE, "message": message, "hint": HINT, "faults": []},
    }
    return json.dumps(document, indent=2)


def asked_format(words: "Sequence[str]") -> str:
    """Return the format that the arguments ask for, also when they cannot be parsed; the last one counts."""
    return ["text", *asked_values(words, "--format")][-1]


def asked_values(words: "Sequence[str]", option: str) -> list[str]:
    """Return what the arguments give an option, also when they cannot be parsed.

    What stands after ``--`` is another program's.
    """
    asked = []
    for before, word in enumerate(words, start=-1):
        if word == "--":
            break
        if word.startswith(f"{option}="):
            asked.append(word.removeprefix(f"{option}="))
        elif before >= 0 and words[before] == option:
            asked.append(word)
    return asked
