"""Values shared by serving with operating: the live generation, what travels of it, the windows."""
