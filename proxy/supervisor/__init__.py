"""Starts, replaces, signals the other processes; never touches traffic, never reads a configuration."""
