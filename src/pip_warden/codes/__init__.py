"""Texts of the codes, one TOML file per room, read by :mod:`pip_warden.explain`."""
