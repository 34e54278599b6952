"""Shows what the proxy knows: views for pages, terminals, reports; pure values in, text out."""
