"""Reading the house's own data files: forms, texts, rules and the catalogue, as YAML 1.1."""

from pathlib import Path
from typing import Any

import yaml

# libyaml reads the forms in a tenth of the time, and every process reads them when it starts.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Return what stands in one of the house's own YAML files. Nothing in it is run."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  (both loaders are the safe ones)
