"""What a run over a trust file works with, and how it is opened: by a command, or by a caller of the library.

``settings`` what the user says of network, cache and credentials; ``opening`` opens all of it and closes it
again; ``parts`` what is open.
"""
