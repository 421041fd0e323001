"""What the product is worth on a loaded machine: search, a booking storm, and the pages over HTTP.

    python -m benchmarks            all of them
    python -m benchmarks.search
    python -m benchmarks.booking
    python -m benchmarks.web

Each uses a database of its own beside the one that DATABASE_URL names (an embedded PostgreSQL where it names none),
filled once for each week and size, and prints medians. Goals and results: docs/benchmarks.md.
"""
