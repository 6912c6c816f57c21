"""The main job: run pip through the gate.

::

    requirements → pinned? → loopback server → pip → reconciliation → report

``request`` what is to be done; ``run`` the order of it; ``local`` what the user has on this machine; ``backend`` the gate as the server sees it;
``arguments`` the job spelled for pip; ``keep`` downloads; ``notes`` what a reader must know beside the verdicts.
"""

from pip_warden.install.request import InstallRequest
from pip_warden.install.run import install

__all__ = ["InstallRequest", "install"]
