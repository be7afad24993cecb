"""Clients that cannot live beside this project's own packages, run by hand in environments of their own."""
