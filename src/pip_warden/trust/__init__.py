"""The trust file: who may publish what."""
