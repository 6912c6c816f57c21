"""First use: find out who publishes a package, and pin that identity.

Nothing here decides that a signer is right. It proves who signed the newest releases, states doubts about
pinning that signer without a question, and leaves the decision to a person, or to the identity they named.

``task`` the request and what it works with; ``add`` each name in turn; ``observe`` who signed; ``doubts``
reasons to ask first; ``by_identity`` and ``by_hash`` the two ways to pin; ``draft`` the trust file as it will
be; ``source``, ``new_root`` and ``owner`` where to look.

For many packages at once, ``side_by_side``: ``needs`` is what the project needs, ``sync/`` pins what of that
is not pinned yet, ``upkeep/`` moves and takes out what is.
"""
