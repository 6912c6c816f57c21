"""Says what a file, a bundle, a certificate, an attestation or a release says, whoever wrote it.

Nothing here decides anything: what is verified in the same call is verified by the gate, and only what it
proved is marked. ``pieces`` reads an item of evidence, ``contents`` what some bytes are; ``about`` finds what
is asked about, ``proving`` asks the gate; ``once`` lets both see the same bytes.
"""
