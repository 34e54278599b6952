"""Where a request goes: its route, its side, what each side is asked, whether it is mirrored."""
