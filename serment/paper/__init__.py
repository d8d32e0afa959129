"""What leaves on paper, and what proves where it came from: bytes in, bytes out.

Sheets are drawn as PDF and sealed; a signature is made and checked. Nothing here reads a record, decides who
may see it, keeps a key or looks at a clock: whoever calls has decided and traced, and passes the instant.
"""
