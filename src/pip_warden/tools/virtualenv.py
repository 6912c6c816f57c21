"""virtualenv, with which most tools make environments, and keyring, which most Python tools would ask."""

VIRTUALENV = {
    "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    "VIRTUALENV_NO_DOWNLOAD": "1",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}
"""Its own wheels of pip only; nobody's keyring. Its configuration and cache are in the private home."""
