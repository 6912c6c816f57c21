"""The user of tests/flow, who types commands against a sandbox; and the registries of installers."""

from flow.conftest import empty_environment, user
from interop.installers import registries

__all__ = ["empty_environment", "registries", "user"]
