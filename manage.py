#!/usr/bin/env python
import os
import sys
from pathlib import Path

from portal.env import Misconfigured
from portal.launch.lending import borrow


def main() -> None:
    own = Path(__file__).resolve().parent / "var"
    if os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings") == "portal.settings":
        borrow(Path(os.environ.get("VAR") or own))
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except Misconfigured as fault:
        sys.exit(f"{fault} Or start the demo beside it (make demo), and this works on that.")


if __name__ == "__main__":
    main()
