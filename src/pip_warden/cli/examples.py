"""Examples in the help of commands; a test parses each one."""

from __future__ import annotations


def examples(*commands: str) -> str:
    """Return what follows a command's options in its help.

    Args:
        commands: Each command as it is typed; a long one is continued after a backslash.
    """
    heading = "Example:" if len(commands) == 1 else "Examples:"
    lines = [f"  {line}" for command in commands for line in command.split("\n")]
    return "\n".join(["\b", heading, *lines])
