"""Durable workflows by DBOS. Imported when they are needed: the library takes half a second."""
