"""A container registry as GitLab has it: OCI distribution 1.1 behind tokens of GitLab's ``/jwt/auth``."""
