"""Locates evidence and reads each form of it into one Sigstore bundle."""
