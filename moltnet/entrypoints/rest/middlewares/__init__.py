"""What happens to every request alike, in one pass (`door`), with a module for each part of it.

Each request is named and its client found out (access), its target is read and its origin checked (refusals, origins),
then it is the route's; whatever it meets becomes an answer (refusals), which gets its headers (headers) and its line in
the log (access). A foreign origin is refused before it is counted. Counting is the route's own first act, since routes
are counted apart; a throttled request is refused before its body is read (docs/reference/http.md, "Processing order").
"""
