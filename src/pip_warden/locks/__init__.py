"""What a project needs: the releases and files that its lock or its requirements file names.

A lock is a claim and not a verdict: it says which files a project wants, and nothing here says that one of
them may be used. Nothing is fetched, resolved or run.
"""
