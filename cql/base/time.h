/* Two clocks that cannot be mixed up: one that only goes forward, for deadlines, and the wall clock, for timestamps.
 * Machines never read either; server/run does and passes them in. */
#ifndef CQL_BASE_TIME_H
#define CQL_BASE_TIME_H

#include <stdint.h>

/* Microseconds since an arbitrary start (CLOCK_MONOTONIC). */
struct mono_us {
    int64_t us;
};
/* Microseconds since 1970-01-01T00:00:00Z. */
struct wall_us {
    int64_t us;
};
/* Both, read together once a loop turn. */
struct now {
    struct mono_us mono;
    struct wall_us wall;
};

#define MONO_NEVER ((struct mono_us){INT64_MAX})

/* Whole seconds, as local deletion times and TTL expiry use. */
static inline int64_t wall_s(struct wall_us t)
{
    int64_t s = t.us / 1000000;
    return t.us % 1000000 < 0 ? s - 1 : s;
}

#endif
