"""The console: what an agent's human sees and does, behind a session, with the agent's own scopes and limits."""
