"""The operator's page: health, sizes, and what this process has done in the last hours."""
