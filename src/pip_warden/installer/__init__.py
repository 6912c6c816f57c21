"""Hands accepted files to an installer, through a loopback server that serves nothing else."""
