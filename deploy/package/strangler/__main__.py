"""The command `strangler`, and `python -m strangler`."""

from __future__ import annotations

from strangler import activate


def main() -> None:
    """Run the command named on the command line; ends the process with its exit code."""
    activate()
    from proxy.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
