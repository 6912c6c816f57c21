"""Turns index pages into candidates: the files that a registry says it has."""
