"""Counts what requests did: cheap slots in each worker, added up by control."""
