"""MoltNet as the memory of frameworks: one module for each, thin over `Agent`. `moltnet.integrations` has the names."""
