"""``python -m pip_warden`` is ``pip-warden``."""

from pip_warden.cli import main

main()
