"""Where pages, files and evidence come from: a registry, offline the vault, or what a program brings.

``model`` the interface; ``registries`` the sources of a trust file, ``generic`` evidence in a GitLab
project's generic registry, ``provenance`` that of a simple index's files; ``offline`` the vault; ``offered``
a program's own source; ``own_page`` lists what has no page.
"""

from pip_warden.supply.model import GateSupply
from pip_warden.supply.offered import OfferedSupply, Supply
from pip_warden.supply.offline import OfflineSupply
from pip_warden.supply.provenance import is_foreign
from pip_warden.supply.registries import RegistrySupply, look_up

__all__ = [
    "GateSupply",
    "OfferedSupply",
    "OfflineSupply",
    "RegistrySupply",
    "Supply",
    "is_foreign",
    "look_up",
]
