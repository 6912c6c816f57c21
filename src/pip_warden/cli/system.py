"""On which systems pip-warden runs. Elsewhere it says so, before it imports anything that may not be there.

Only ``sys`` is imported where all is well, and nothing of ours: most of it cannot be imported on Windows.
"""

import sys

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
    if _wants_json(words):
        import json

        error = {"code": CODE, "message": message, "hint": HINT, "faults": []}
        document = {"schema_version": 1, "command": command, "exit_code": USAGE, "error": error}
        print(json.dumps(document, indent=2))
    else:
        print(f"error[{CODE}]: {message}\n\nhint: {HINT}", file=sys.stderr)
    return USAGE


def _wants_json(words: list[str]) -> bool:
    """Return whether JSON is asked for, as ``cli/output`` does, which imports what may not be there."""
    asked = "text"
    for before, word in enumerate(words, start=-1):
        if word.startswith("--format="):
            asked = word.removeprefix("--format=")
        elif before >= 0 and words[before] == "--format":
            asked = word
    return asked == "json"
