"""How the outside is reached: one package for each technology."""
