"""Builds networks, and the agents of remote ones: the only package that knows every adapter."""
