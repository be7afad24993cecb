"""How the outside is reached: one room for each technology."""
