"""An example package."""


def widgets() -> int:
    """Return the number of widgets."""
    return 3
