"""The only package that imports the sigstore library (public API only)."""
