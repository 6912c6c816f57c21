"""The gate: the only door through which a file reaches an installer.

``one_file`` the order of one file; ``once`` what is decided once in a run, whoever asks and however often; ``ahead`` what is fetched before
anybody asks; ``gate`` all of it put together, with a line in the ledger for whatever was asked for; ``model`` the values.
"""

from pip_warden.gate.gate import Gate
from pip_warden.gate.model import Admission, Means

__all__ = ["Admission", "Gate", "Means"]
