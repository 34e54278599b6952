"""Where a request goes: its route, its side, what each side is sent, whether it is mirrored."""
