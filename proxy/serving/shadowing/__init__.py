"""The parts of mirroring: each watches, copies or asks one thing, none of them can hold up a user's call."""
