"""Records the proxy's part of each trace, where OpenTelemetry is wanted."""
