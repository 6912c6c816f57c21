"""Promotion: judge a release as its consumers would, then copy what was judged, evidence first.

::

    run       judge the source → copy → judge the copy → upload → judge the target
    plan      what is promoted, from where, and with which trust file it is judged
    rows      the rows of a source's evidence, each by its file id
    carried   which of them go along: for each name the newest that is proved
    target    what the target has already under the same names
    summary   the verification summary (SLSA), signed where a token is there

Every step can be run again, so an interrupted promotion is completed by the same command.
"""
