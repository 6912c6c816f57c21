"""Verdicts and errors as text and JSON."""
