"""Settings for what looks at the code without running it (types, missing migrations, translations): no servers."""

import os

os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9/0")

from tests.settings import *  # noqa: F403
