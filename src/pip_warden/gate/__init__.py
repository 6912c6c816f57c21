"""The gate: the only door through which a file reaches an installer.

``one_file`` the order of one file; ``once`` what is decided once in a run, whoever asks and however often; ``dependencies`` what a file will want;
``gate`` all of it put together, what is fetched ahead included, with a line in the ledger for whatever was asked for; ``model`` the values.
"""

from pip_warden.gate.gate import Gate
from pip_warden.gate.model import Admission, GateParts

__all__ = ["Admission", "Gate", "GateParts"]
