"""Pins all that a project needs and the trust file does not have.

``wishes`` what is to be pinned, and from where; ``files`` which files those releases have, where lock and
page agree; ``look`` what speaks for them; ``table`` how that is shown; ``run`` all of it, with one question
and one write; ``supply`` what is fetched once for all of them.

Where nothing is locked: ``wanted`` and ``project`` what is asked for, ``discovery`` what pip makes of that
from metadata alone.
"""
