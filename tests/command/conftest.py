"""The user of tests/flow, who types commands against a sandbox."""

from flow.conftest import empty_environment, user

__all__ = ["empty_environment", "user"]
