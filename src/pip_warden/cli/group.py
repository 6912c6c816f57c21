"""A group of commands that says which one somebody may have meant."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from pip_warden.display import escape_text, nearest


class HelpfulGroup(click.Group):
    """A group of commands; a name that none of them has is answered with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            close = nearest(name, known)
            meant = f" Did you mean {', '.join(close)}?" if close else ""
            raise click.UsageError(f"No such command {escape_text(name)!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)


class LateGroup(HelpfulGroup):
    """A group that imports a command when it is run: many need the network and the verifier.

    Args:
        late: Modules of such commands by name, in the order in which people need them.
    """

    def __init__(self, *args: Any, late: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._late = late

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, those first that are imported late."""
        return [*self._late, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self._late:
            return super().get_command(ctx, cmd_name)
        command = importlib.import_module(f"pip_warden.cli.{self._late[cmd_name]}").command
        assert isinstance(command, click.Command)  # noqa: S101 -- each of these modules has one
        return command
