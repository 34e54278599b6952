"""Views of the proxy's state for pages, terminals and reports; pure values in, text out."""
