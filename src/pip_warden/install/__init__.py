"""The main task: run pip through the gate.

::

    requirements → pinned? → loopback server → pip → reconciliation → report

``request`` what is to be done; ``prepare`` reads it; ``run`` the order of it; ``local`` local files and
projects; ``backend`` the gate as the server sees it; ``arguments`` pip's arguments; ``keep`` downloads;
``notes`` what a reader must know besides the verdicts; ``unmet`` why pip found nothing, ``unsaid`` what was
not judged.
"""

from pip_warden.install.request import InstallRequest, say_nothing
from pip_warden.install.run import install

__all__ = ["InstallRequest", "install", "say_nothing"]
