"""What holds for every test."""

from hypothesis import settings

# `make test-fast` looks at fewer examples of each property, and never judges a slow machine.
settings.register_profile("fast", max_examples=10, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("thorough")
