"""Compares pairs in a process of its own, where a slow comparison holds up nobody but the next one."""
