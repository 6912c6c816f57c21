"""The trust file: which identity may publish which package."""
