"""Speaks to registries of container images: OCI distribution 1.1, and what GitLab's does of it."""
