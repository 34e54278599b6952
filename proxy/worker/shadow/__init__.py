"""Mirroring: a copy of a live request for the other side, without the user noticing."""
