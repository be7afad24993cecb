"""The public pages, a module for each kind, and the table of them all."""
