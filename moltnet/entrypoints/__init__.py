"""Who calls: the transports, and the package that wires what they use."""
