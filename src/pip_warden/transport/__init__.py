"""The one HTTP door: how bytes cross the network, and who may see a token (design decision D10).

``urls`` origins; ``settings`` what the command line fills in; ``credentials`` which origin gets which; ``patience`` retries and
deadlines; ``watchdog`` what a deadline ends that nobody looks at; ``failures`` foreign exceptions converted; ``answers`` what came back and what an unwelcome answer means; ``connections`` and ``bodies`` what is
asked of requests, which nothing outside this room imports; ``door`` all of it put together.
"""

from pip_warden.transport.answers import Download, Reply, error_for
from pip_warden.transport.credentials import Credentials, Secret, credentials_from_environment
from pip_warden.transport.door import Transport
from pip_warden.transport.patience import Clock
from pip_warden.transport.settings import Settings, settings_from_environment
from pip_warden.transport.urls import Origin, origin_of, shown_url

__all__ = [
    "Clock",
    "Credentials",
    "Download",
    "Origin",
    "Reply",
    "Secret",
    "Settings",
    "Transport",
    "credentials_from_environment",
    "error_for",
    "origin_of",
    "settings_from_environment",
    "shown_url",
]
