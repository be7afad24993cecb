"""What a network tells of itself to whoever meets it first, the same through every door."""
