"""Agents for programs: of a network in this process, and of one that is elsewhere. `moltnet` itself has the names."""
