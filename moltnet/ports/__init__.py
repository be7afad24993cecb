"""What the use cases need, and what the network offers, as protocols."""
