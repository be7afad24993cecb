"""One repository for each table, and its statements."""
