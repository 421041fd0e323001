"""What the product is worth on a loaded machine: search, a booking storm, the pages over HTTP, a full waiting room.

    python -m benchmarks            all of them
    python -m benchmarks.search
    python -m benchmarks.booking
    python -m benchmarks.web
    python -m benchmarks.pages
    python -m benchmarks.feeds
    python -m benchmarks.waiting
    python -m benchmarks.outbox

Each uses a database of its own beside the one that DATABASE_URL names (an embedded PostgreSQL where it names none),
filled once for each week and size, and prints medians. Goals and results: docs/benchmarks.md.
"""
