"""Identity, tokens and permissions kept in the network's own storage; no service beside it is needed."""
