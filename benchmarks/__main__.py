"""Everything, one after the other: python -m benchmarks"""

import sys

from benchmarks.environment import ready, told_conditions

ready()

from benchmarks import booking, feeds, outbox, pages, search, waiting, web  # noqa: E402

told_conditions()
search.main(list(search.SIZES))
faults = [
    booking.main(booking.SECONDS),
    web.main(web.SECONDS),
    pages.main(list(pages.SIZES)),
    feeds.main(),
    waiting.main(waiting.PATIENTS),
    outbox.main(outbox.MESSAGES),
]
sys.exit(1 if any(faults) else 0)
