"""The shell around the pure rooms: listens, forwards, remembers, acts."""
