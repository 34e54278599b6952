"""Puts a stored difference into words that other tools understand, so that a person can ask both sides again."""
