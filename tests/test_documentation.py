"""What the documents promise about the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READERS = {"env", "env_bool", "env_int", "env_list", "env_level", "env_url", "database"}
THE_MACHINES = {"PATH", "DEBIAN_FRONTEND", "DJANGO_SETTINGS_MODULE"}
"""Variables of the system and of Django, which nobody sets for the portal."""


def read_variables() -> Iterator[str]:
    """Return the environment variables that the product reads, as far as they are named where they are read."""
    for path in [*ROOT.glob("portal/**/*.py"), *ROOT.glob("apps/**/*.py"), ROOT / "manage.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _said(node.args[0]):
                function = ast.unparse(node.func)
                if function in READERS or function == "os.environ.get":
                    yield _said(node.args[0])
                if function == "database":
                    yield _said(node.args[0]).replace("_URL", "_PASSWORD")
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ" and _said(node.slice):
                yield _said(node.slice)


def _said(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_table_of_settings_names_every_variable_that_is_read_and_no_other():
    rows = [line for line in (ROOT / "docs/production.md").read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall("`([A-Z][A-Z_]+)`", row.split("|")[1])}
    assert named == set(read_variables()) - THE_MACHINES
