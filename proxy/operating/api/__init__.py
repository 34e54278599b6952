"""The areas of the admin API: one file each, with the paths it answers plus what it needs of control."""

from __future__ import annotations

PREFIX = "/api/v1"
