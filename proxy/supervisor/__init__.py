"""Starts, replaces, signals the other processes; handles no traffic, reads no configuration."""
