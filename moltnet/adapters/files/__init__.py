"""What an agent keeps on its own machine: its credentials, its keys for other programs, their configuration."""
