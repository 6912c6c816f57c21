"""pip-warden as a library: judge files and releases, and install through the gate (``docs/library.md``).

What ``__all__`` names is public and stays; everything else is private and may change. Importing this loads
nothing: each name is loaded when it is first used (PEP 562).
"""

TYPE_CHECKING = False  # as typing's, which would have to be imported
if TYPE_CHECKING:
    from pip_warden.errors import RefusedError, UndecidedError, UsageError, WardenError
    from pip_warden.events import SILENT, Reporter
    from pip_warden.install.request import InstallRequest
    from pip_warden.library import Session, judge_file, load_trust, open_session
    from pip_warden.report.model import Report
    from pip_warden.session.settings import Settings
    from pip_warden.supply.offered import Supply
    from pip_warden.trust.model import TrustFile
    from pip_warden.verdict.model import Accepted, Refused, Verdict
else:
    _HOMES = {
        "Accepted": "verdict.model",
        "InstallRequest": "install.request",
        "Refused": "verdict.model",
        "RefusedError": "errors",
        "Report": "report.model",
        "Reporter": "events",
        "SILENT": "events",
        "Session": "library",
        "Settings": "session.settings",
        "Supply": "supply.offered",
        "TrustFile": "trust.model",
        "UndecidedError": "errors",
        "UsageError": "errors",
        "Verdict": "verdict.model",
        "WardenError": "errors",
        "judge_file": "library",
        "load_trust": "library",
        "open_session": "library",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})


__all__ = [
    "SILENT",
    "Accepted",
    "InstallRequest",
    "Refused",
    "RefusedError",
    "Report",
    "Reporter",
    "Session",
    "Settings",
    "Supply",
    "TrustFile",
    "UndecidedError",
    "UsageError",
    "Verdict",
    "WardenError",
    "judge_file",
    "load_trust",
    "open_session",
]
