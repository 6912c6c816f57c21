"""The gate: the only way for a file to reach an installer.

``one_file`` the order of one file; ``once`` work that is done once in a run; ``dependencies`` what a file
will require; ``ahead`` what is done before it is asked for, and ``guess`` what that will be; ``gate`` all of
it put together, with a line in the ledger for every request; ``model`` the values.
"""

from pip_warden.gate.gate import Gate
from pip_warden.gate.guess import Guess, TargetFacts, guess_of
from pip_warden.gate.model import Admission, GateParts

__all__ = ["Admission", "Gate", "GateParts", "Guess", "TargetFacts", "guess_of"]
