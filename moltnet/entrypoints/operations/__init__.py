"""What can be asked of a network, declared once: routes, tools, clients and documents are made from it."""
