"""pip-warden."""
