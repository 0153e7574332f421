/* Types of every kind and random values of them, for the tests of this folder. */
#ifndef TESTS_UNIT_TYPES_CASES_H
#define TESTS_UNIT_TYPES_CASES_H

#include "cql/base/prng.h"
#include "cql/types/type.h"

#define CASES_MAX 128

struct cases {
    const struct type *types[CASES_MAX];
    int count;
};

/* Every native but custom, and collections, tuples, UDTs and vectors of them, nested. In a. */
void cases_init(struct cases *c, struct arena *a);
/* The one whose type_print() is name, NULL when there is none. */
const struct type *cases_find(const struct cases *c, const char *name);

/* A valid value, corner values often: limits, NaN, -0.0, NULs, numbers of hundreds of digits, scales of 32 bits, the empty value. */
struct bytes random_value(struct prng *r, const struct type *t, struct arena *a);
/* Bytes of pairs of hex digits. */
struct bytes unhex(struct arena *a, const char *hex, size_t n);

#endif
