"""First use: see who publishes a package, and pin that.

Nothing here decides that a signer is right. It proves who signed the newest releases, says what speaks against pinning that signer unasked,
and leaves the decision to a person, or to the identity they spelled out.

``task`` what is wanted and what it works with; ``add`` each name in turn; ``look`` who signed; ``doubts`` what speaks against it; ``by_identity``
and ``by_hash`` the two ways to pin; ``draft`` the trust file as it will be; ``source``, ``new_root`` and ``owner`` where to look.
"""
