"""What was accepted is handed to an installer, through a loopback server that knows nothing else."""
