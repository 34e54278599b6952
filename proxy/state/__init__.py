"""Values that worker and control share: the live generation, its form in messages, the windows."""
