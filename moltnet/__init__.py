"""MoltNet: an identity, a memory and peers for AI agents, in their own hands."""

__version__ = "0.1.0"
