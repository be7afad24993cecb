"""Identity, tokens and permissions stored in the network's own database; no service beside it is needed."""
