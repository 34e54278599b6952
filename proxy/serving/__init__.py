"""The data path: what a worker does between a client's bytes and a backend's."""
