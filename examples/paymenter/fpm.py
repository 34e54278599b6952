"""Writes the configuration of php-fpm, then that of the nginx in front of it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path


def fpm_conf(folder: Path, settings: Mapping[str, str], workers: int) -> str:
    values = "\n".join(f"php_admin_value[{name}] = {value}" for name, value in settings.items())
    # user is required of root, and ignored with a notice for every other user.
    user = f"user = {pwd.getpwuid(0).pw_name}" if os.geteuid() == 0 else ""
    return f"""[global]
error_log = {folder}/php-fpm.log
daemonize = no
[legacy]
{user}
listen = {folder}/fpm.sock
pm = static
pm.max_children = {workers}
clear_env = no
catch_workers_output = yes
{values}
"""


def nginx_conf(folder: Path, code: Path, address: str) -> str:
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"    {part}_temp_path {folder}/{part};" for part in parts)
    return f"""{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
{temporary}
    keepalive_timeout 120s;
    keepalive_requests 100000;
    client_max_body_size 64m;
    large_client_header_buffers 8 32k;
    server {{
        listen {address};
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {code}/index.php;
            fastcgi_param SCRIPT_NAME /index.php;
            # Debian's file leaves the port out of HTTP_HOST; the application prints addresses with it.
            fastcgi_param HTTP_HOST $http_host;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
    }}
}}
"""
