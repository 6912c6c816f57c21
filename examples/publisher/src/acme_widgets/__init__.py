"""An example package."""


def widgets() -> int:
    """Count the widgets."""
    return 3
