"""The proxy beside its peers: what a request costs each of them, in one run on one machine."""
