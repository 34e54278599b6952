"""What is known of finished requests: records, access lines, events, metrics, traces."""
