"""An embedded Sigstore: CA, CT log, transparency log, time-stamp authority and their trusted root."""

from pip_warden.sandbox.sigstore.errors import (
    EntryExists,
    EntryRefused,
    SigstoreRefusal,
    TimestampRefused,
    TokenRefused,
)
from pip_warden.sandbox.sigstore.identity import Claims
from pip_warden.sandbox.sigstore.lies import HONEST, BundleForm, Lie, MediaType
from pip_warden.sandbox.sigstore.service import SigstoreService
from pip_warden.sandbox.sigstore.trust import Urls

__all__ = [
    "HONEST",
    "BundleForm",
    "Claims",
    "EntryExists",
    "EntryRefused",
    "Lie",
    "MediaType",
    "SigstoreRefusal",
    "SigstoreService",
    "TimestampRefused",
    "TokenRefused",
    "Urls",
]
