"""Adapters that keep everything in this process: for tests, and for a network that ends with its program."""
