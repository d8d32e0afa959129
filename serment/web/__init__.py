"""Doors for people: pages made on the server, French first, no script needed."""
