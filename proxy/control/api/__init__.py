"""The API of the admin listener, one file an area."""
