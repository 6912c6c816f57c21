"""The one HTTP client: how bytes cross the network, and who may see a token (design decision D10).

* ``client``: the interface; ``exchange``: one request; ``sending``: how it is sent; ``redirects``;
  ``reading``: response bodies.
* ``connections`` and ``bodies``: what is needed of requests, which nothing outside this room imports.
* ``urls``: origins; ``settings``: filled in by the command line.
* ``secret``: one credential; ``credentials``: which origin gets which; ``auth_header``: in which header;
  ``collect``: where they come from.
* ``retry``: retries and deadlines; ``watchdog``: shuts connections down at a deadline; ``speculation``: what
  is requested before anybody asked for it.
* ``failures``: converts foreign exceptions; ``responses``: responses, and what an unexpected one means.
"""

from pip_warden.transport.auth_header import basic_header, bearer_header
from pip_warden.transport.client import Transport
from pip_warden.transport.collect import (
    checked_token,
    credentials_from_environment,
    read_token,
    setting_origin,
)
from pip_warden.transport.credentials import Credentials
from pip_warden.transport.exchange import Request
from pip_warden.transport.responses import Download, Response, error_for, explanation
from pip_warden.transport.retry import Clock
from pip_warden.transport.secret import AuthHeader, Credential, CredentialKind, Secret
from pip_warden.transport.settings import NetworkSettings, settings_from_environment
from pip_warden.transport.urls import Origin, is_api, origin_of, redacted_url

__all__ = [
    "AuthHeader",
    "Clock",
    "Credential",
    "CredentialKind",
    "Credentials",
    "Download",
    "NetworkSettings",
    "Origin",
    "Request",
    "Response",
    "Secret",
    "Transport",
    "basic_header",
    "bearer_header",
    "checked_token",
    "credentials_from_environment",
    "error_for",
    "explanation",
    "is_api",
    "origin_of",
    "read_token",
    "redacted_url",
    "setting_origin",
    "settings_from_environment",
]
