"""How well the right memory is found: sets of memories and questions, rankings of them, and figures."""
