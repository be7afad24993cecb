"""What is true in the network: entities and rules, on the standard library and attrs alone."""
