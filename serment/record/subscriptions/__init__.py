"""Telling those who asked: addresses, subscriptions, the outbox, notices."""
