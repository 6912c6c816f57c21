"""Measures pip-warden beside what people would run instead: in turn, within one run, against one sandbox.

A machine's speed drifts, but less between neighbouring measurements, so the *ratios* count. Nothing here
passes or fails.
"""
