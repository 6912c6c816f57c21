"""A group of commands that says which one somebody may have meant."""

from __future__ import annotations

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
