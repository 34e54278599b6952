"""Dashboards as Grafana provisions them, with what writes them."""
