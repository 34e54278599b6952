"""What the processes say: one access line for each request, one event for each change."""
