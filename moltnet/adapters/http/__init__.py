"""An agent of a network that is elsewhere, over its REST door, by aiohttp."""
