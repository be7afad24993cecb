"""Wire forms: how they are declared, checked, converted and documented."""
