"""The pages, served over a network in memory."""
