"""Verifies that two databases hold the same; a process of its own, loaded by no worker."""
