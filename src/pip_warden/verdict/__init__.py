"""The verdict: ten numbered steps to Accepted or Refused.

It uses no network, clock or environment; see :mod:`.inquiry`.
"""
