"""Finding a joint time: plain arithmetic on bit strings, with no database and no Django.

Time is counted in units of five minutes since 1970 (UTC). A stretch of one schedule's time is a Python
integer: bit `n` says whether unit `n` of the stretch is free. People who must all come are an AND, a pool of
which any one will do is an OR, and a long enough run of free units is a few shifts.

`search.joint_times` lists the first times, or asks about one of them when the question is `search.narrowed` to it;
`explain.why_no_time` says what stands in the way when there is none.
"""
