"""The command line: parse, call, render, exit code.

The only room that prints, exits and reads the environment.

Commands are imported when they are run, so that ``--help`` answers at once (design decision D12). Nothing
else is imported before :func:`~pip_warden.cli.search_path.drop_untrusted_paths` has run: even ``from
__future__ import …`` would import a module.
"""

import sys

from pip_warden.cli.search_path import drop_untrusted_paths

_OBJECTS = 200_000
"""How many more objects there are before Python looks for cycles among them; an install loads 120,000."""


def main() -> None:
    """Run ``pip-warden``."""
    _begin("pip-warden")
    from pip_warden.cli.run import run
    from pip_warden.cli.tree import pip_warden

    _end(run(pip_warden, "pip-warden"))


def safe_install_main() -> None:
    """Run ``safe-install``."""
    _begin("safe-install")
    from pip_warden.cli.install import safe_install
    from pip_warden.cli.run import run

    _end(run(safe_install, "safe-install"))


def _begin(command: str) -> None:
    """Do what comes before any command is loaded."""
    drop_untrusted_paths()
    _look_for_garbage_less_often()
    _load_no_plugins()
    _end_where_unsupported(command)
    from pip_warden.cli.signals import show_no_interrupt

    show_no_interrupt()
    from pip_warden.cli.library_logging import configure_logging

    configure_logging(sys.argv)


def _end(code: int) -> None:
    from pip_warden.cli.signals import leave

    leave(code)
    _look_for_garbage_no_more()
    sys.exit(code)


def _look_for_garbage_less_often() -> None:
    """Loading makes objects that stay: otherwise a tenth of a start goes into looking at them in vain."""
    import gc

    gc.set_threshold(_OBJECTS, 10, 10)


def _load_no_plugins() -> None:
    """Read the trust file by our own rules: pydantic would ask every installed distribution for others."""
    import os

    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


def _look_for_garbage_no_more() -> None:
    """At its end Python would look, four times, for cycles in all that was loaded: a fifth of a small run."""
    import gc

    gc.freeze()


def _end_where_unsupported(command: str) -> None:
    from pip_warden.cli.system import refused_here

    code = refused_here(command, sys.argv[1:])
    if code:
        sys.exit(code)
