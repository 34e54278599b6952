"""The command line: one small file a command, each importing what it needs when it is called."""

from __future__ import annotations


def main(arguments: list[str]) -> int:
    """Run the command named by `arguments`; return its exit code."""
    from proxy.cli.app import run_command

    return run_command(arguments)
