"""Turns a candidate into an artifact: fetched, hashed, and read strictly without extracting it."""
