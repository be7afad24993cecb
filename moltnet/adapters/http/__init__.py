"""An agent of a network that is elsewhere, over REST, by aiohttp."""
