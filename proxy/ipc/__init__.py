"""Messages between processes over one Unix socket each; what every child process has."""
