"""An embedded GitLab with its container registry, a Sigstore and a pypi.org on loopback.

It is playground, demonstration and test oracle in one. It shares no code with what it is there to test.
"""

from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.faults import (
    Answer,
    Delay,
    Drip,
    Hold,
    InjectedFault,
    Reset,
    Truncate,
    WrongLength,
    html_error,
    server_error,
    too_many_requests,
)
from pip_warden.sandbox.gitlab.model import Role
from pip_warden.sandbox.gitlab.settings import Forwarding
from pip_warden.sandbox.handles import Job, Project
from pip_warden.sandbox.images import Image
from pip_warden.sandbox.packages import File
from pip_warden.sandbox.recorder import RecordedRequest
from pip_warden.sandbox.world import Sandbox

__all__ = [
    "Answer",
    "Delay",
    "Drip",
    "File",
    "Forwarding",
    "Hold",
    "Image",
    "InjectedFault",
    "Job",
    "Project",
    "RecordedRequest",
    "Reset",
    "Role",
    "Sandbox",
    "SandboxClock",
    "SandboxError",
    "Truncate",
    "WrongLength",
    "html_error",
    "server_error",
    "too_many_requests",
]
