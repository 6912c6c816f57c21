"""What may be published, and what is already there: every file is judged before the first byte leaves.

``copies`` takes private copies of the files and their evidence; ``rules`` says under what each is judged;
``judging`` judges it, each piece of evidence too; ``again`` weighs what a registry has of an earlier run;
``run`` is the order, and hands the copies over to ``publish/``, which judges nothing.
"""
