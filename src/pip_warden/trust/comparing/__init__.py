"""Compares two trust files as values: what a change accepts more, and what it accepts less."""
