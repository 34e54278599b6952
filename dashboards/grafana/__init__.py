"""Grafana's dashboards, generated from the list of metrics."""
