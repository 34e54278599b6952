"""The worker process: serves traffic, mirrors it, reports what became of it."""
