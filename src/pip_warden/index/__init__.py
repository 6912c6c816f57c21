"""Index pages become candidates: which files a registry says it has."""
