#!/usr/bin/env python
import os
import sys
from pathlib import Path

from portal.env import Misconfigured, advice_on
from portal.launch.lending import borrow


def main() -> None:
    own = Path(__file__).resolve().parent / "var"
    if os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings") == "portal.settings":
        borrow(Path(os.environ.get("VAR") or own))
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except Misconfigured as fault:
        sys.exit(f"{fault} Or start the demo beside it (make demo), and this works on that.")
    except DatabaseError as fault:
        if "--traceback" in sys.argv or not (advice := advice_on(fault)):
            raise
        sys.exit(advice)


if __name__ == "__main__":
    main()
