"""The one HTTP client: how bytes cross the network, and who may see a token (design decision D10).

``urls`` origins; ``settings`` what the command line fills in; ``secret`` one credential, ``credentials`` which origin gets which, ``dress`` in which header, and
``collect`` where they come from; ``budget`` retries and deadlines; ``watchdog`` what a deadline ends that nobody looks at; ``failures`` foreign exceptions
converted; ``responses`` what came back and what an unwelcome answer means; ``client`` what is offered, over ``exchange`` one request, ``sending`` its way out,
``redirects`` where it is led, ``reading`` its answer's body, and ``connections`` and ``bodies`` what is asked of requests, which nothing outside this room imports.
"""

from pip_warden.transport.client import Transport
from pip_warden.transport.collect import credentials_from_environment
from pip_warden.transport.credentials import Credentials
from pip_warden.transport.responses import Download, Response, error_for
from pip_warden.transport.retry import Clock
from pip_warden.transport.secret import Secret
from pip_warden.transport.settings import Settings, settings_from_environment
from pip_warden.transport.urls import Origin, origin_of, shown_url

__all__ = [
    "Clock",
    "Credentials",
    "Download",
    "Origin",
    "Response",
    "Secret",
    "Settings",
    "Transport",
    "credentials_from_environment",
    "error_for",
    "origin_of",
    "settings_from_environment",
    "shown_url",
]
