"""Dated, hashed, replaceable tables of the policy. No code lives here."""
