"""What happens to every request alike, outermost first: access, refusals, origins; then the route itself.

A foreign origin is refused before it is counted. Counting is the route's own first act, since routes are counted apart;
a throttled request is refused before its body is read (rest.md §0, Processing order).
"""
