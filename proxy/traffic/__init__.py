"""Recorded traffic: read, turned into a draft, decided again, replayed."""
