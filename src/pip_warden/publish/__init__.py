"""The publisher's half: token, sign, attest, upload. It never depends on judging."""
