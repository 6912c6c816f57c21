"""The example that demo, sandbox command and documentation share: two packages, one depends on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pip_warden.sandbox.handles import Project
    from pip_warden.sandbox.packages import File
    from pip_warden.sandbox.world import Sandbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """What was published.

    Attributes:
        gears: Project ``acme/gears``, which publishes ``acme-gears``.
        widgets: Project ``acme/widgets``, which publishes ``acme-widgets``; it depends on ``acme-gears``.
        files: Every file, by name.
        token: A personal access token that may read and publish everything.
    """

    gears: Project
    widgets: Project
    files: tuple[File, ...]
    token: str


def fill(sandbox: Sandbox, *, visibility: str = "private") -> Example:
    """Publish release 1.0 of both packages, wheel and sdist, signed by their tag pipelines."""
    gears = sandbox.project("acme/gears", visibility=visibility)
    widgets = sandbox.project("acme/widgets", visibility=visibility)
    gear_files = (sandbox.wheel("acme-gears", "1.0"), sandbox.sdist("acme-gears", "1.0"))
    widget_files = (
        sandbox.wheel("acme-widgets", "1.0", requires=("acme-gears>=1.0",)),
        sandbox.sdist("acme-widgets", "1.0", requires=("acme-gears>=1.0",)),
    )
    sandbox.publish(gears, gear_files)
    sandbox.publish(widgets, widget_files)
    return Example(
        gears=gears, widgets=widgets, files=gear_files + widget_files, token=sandbox.token(scopes=("api",))
    )
