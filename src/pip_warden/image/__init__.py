"""Which images may be used, and which go to another repository? Judging alone: it signs nothing."""
