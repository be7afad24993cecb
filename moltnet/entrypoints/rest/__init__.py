"""The REST interface: HTTP/1.1 and JSON in front of the use cases."""
