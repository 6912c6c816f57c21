"""Keeps exemptions (what is pinned by hash) up.

``exempted`` what is pinned by hash; ``update`` moves it to what is needed, or to the ``latest`` releases;
``renewal`` leaves it on other terms; ``prune`` takes out what nothing needs, and offers who signed in the
place of a hash; ``opened`` what one run works with.
"""
