/* A seeded pseudo-random generator (xoshiro256**, Blackman and Vigna 2018, public domain algorithm): the only randomness a
 * machine has, seeded by whoever drives it. Not for secrets. */
#ifndef CQL_BASE_PRNG_H
#define CQL_BASE_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t s[4];
};

/* Any seed is good; the same seed gives the same sequence on every machine. */
void prng_init(struct prng *r, uint64_t seed);
uint64_t prng_u64(struct prng *r);
/* Uniform in [0, n); n > 0. */
uint64_t prng_below(struct prng *r, uint64_t n);

#endif
