"""Rate limits by the library `limits`, counted in this process."""
