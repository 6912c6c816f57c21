"""Evidence of any form becomes one Sigstore bundle: where it lies, and how each form is read."""
