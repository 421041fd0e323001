"""Everything, one after the other: python -m benchmarks"""

import sys

from benchmarks.environment import ready, told_conditions

ready()

from benchmarks import booking, pages, search, web  # noqa: E402

told_conditions()
search.main(list(search.SIZES))
sys.exit(max(booking.main(booking.SECONDS), web.main(web.SECONDS), pages.main(list(pages.SIZES))))
