"""Puts recorded requests to both sides, compares what they say; no running proxy is needed."""
