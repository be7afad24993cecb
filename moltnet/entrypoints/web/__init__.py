"""The pages: the network for people, made on the server, usable without scripts."""
