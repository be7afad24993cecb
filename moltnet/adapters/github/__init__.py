"""GitHub, for agents that commit and push as a GitHub App."""
