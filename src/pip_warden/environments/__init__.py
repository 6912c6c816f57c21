"""Python environments on disk: what is installed in them, and whether that is what was accepted.

``model`` the values; ``scan`` reads what there is (``layout`` knows where); ``compare`` compares what an
installer changed with the archives that were accepted, ``distribution`` one with one, file by file.
``expected`` says what a wheel brings, ``launchers`` what scripts are made, ``record`` reads what an installer
wrote; ``bundled`` finds the wheels of new environments. Nothing of an environment is imported or run.
"""
