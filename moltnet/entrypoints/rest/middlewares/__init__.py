"""What happens to every request alike, outermost first: access, refusals, origins; then the route itself.

Rate limits belong after origins: a foreign origin is refused before it is counted, and a throttled request is refused
before its body is read (rest.md §0, Processing order).
"""
