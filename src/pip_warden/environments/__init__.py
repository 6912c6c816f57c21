"""Python environments on disk: what is installed in them, and whether that is what was accepted.

``model`` the values; ``scan`` reads what there is; ``compare`` compares what an installer changed with the
archives that were accepted. Nothing of an environment is imported or run.
"""
