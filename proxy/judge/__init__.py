"""Compares pairs in a process of its own, where a slow comparison delays the next one only."""
