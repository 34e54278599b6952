"""The console: pages for people on the admin port, drawn by `dashboards`."""
