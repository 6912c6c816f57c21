"""The verdict: ten numbered steps from what is offered to Accepted or Refused. Pure: no network, clock or environment; see :mod:`.inquiry`."""
