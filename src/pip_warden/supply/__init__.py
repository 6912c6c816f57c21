"""Where pages, files and evidence come from: a registry, or, offline, the vault.

``model`` the interface; ``registries`` the sources of a trust file, ``generic`` evidence in a GitLab
project's generic registry; ``offline`` the vault.
"""

from pip_warden.supply.model import Supply
from pip_warden.supply.offline import OfflineSupply
from pip_warden.supply.registries import RegistrySupply, is_foreign, look_up

__all__ = ["OfflineSupply", "RegistrySupply", "Supply", "is_foreign", "look_up"]
