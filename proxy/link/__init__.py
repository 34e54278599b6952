"""The messages between supervisor, workers, control: frozen, versioned, length-prefixed, never pickled."""
