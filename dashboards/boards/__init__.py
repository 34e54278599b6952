"""Grafana's dashboards as values: what each shows, from which queries, what to do about it."""
