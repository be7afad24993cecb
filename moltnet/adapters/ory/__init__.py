"""Identity, tokens and permissions by Ory Kratos, Hydra and Keto; importing any of it loads `ory_client`."""
