"""Requests that were recorded somewhere, read back: access logs, HAR files, JSON lines."""
