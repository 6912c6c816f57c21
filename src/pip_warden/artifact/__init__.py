"""A candidate becomes an artifact: bytes in a private directory, hashed, and read strictly without extracting."""
