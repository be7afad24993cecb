"""One repository for each kind of thing."""
