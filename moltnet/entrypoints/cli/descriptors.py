"""How many files and sockets this process may have open."""

import resource
from contextlib import suppress

# Enough for any number of clients that one process can serve; some systems set no hard limit at all.
ENOUGH = 65_536


def raise_descriptor_limit() -> int:
    """Raises the soft limit to the hard one, or to what is enough; answers the limit that holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    with suppress(OSError, ValueError):  # some systems have another limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
