"""The verdict: ten numbered steps from an exhibit to Accepted or Refused. Pure: no network, files, clock or environment."""
