"""MoltNet beside other stores of memories, in one run with the same memories and the same model: `make bench-peers`.

Each store works in a process of its own that answers commands, and all take turns, so that what else the machine does
hurts all of them alike. Other stores have an environment of their own, made from `requirements/peers.lock`.
"""
