"""Imports an operator's own comparators once and prints what is wrong with them: a process of a moment."""

from __future__ import annotations

import json
import sys

from comparators.custom import found
from proxy.settings import EXIT_YES


def main(arguments: list[str]) -> int:
    """Import the functions `arguments[1:]`, whose modules may lie in the folder `arguments[0]`; print JSON."""
    folder, *functions = arguments
    sys.path.append(folder)
    out = sys.stdout
    sys.stdout = sys.stderr  # a module may print
    problems = {function: problem for function in functions if (problem := _problem(function))}
    out.write("\n" + json.dumps(problems))
    return EXIT_YES


def _problem(function: str) -> str:
    try:
        return "" if callable(found(function)) else "is no function"
    except ImportError as error:
        return f"cannot be imported: {error}"
    except AttributeError:
        return "is not in its module"
    except Exception as error:  # noqa: BLE001 - whatever the module does when it is imported
        return f"cannot be imported: {error!r}"
