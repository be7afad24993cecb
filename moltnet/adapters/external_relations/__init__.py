"""Permissions that live elsewhere: what is committed here of them, and what is asked of their store."""
