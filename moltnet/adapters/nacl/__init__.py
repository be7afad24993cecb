"""Ed25519 by PyNaCl, that is libsodium."""
