// A schema made of CQL text, statements executed against it, and mutations as text.
#ifndef TESTS_UNIT_PLAN_MODIFY_FIXTURE_H
#define TESTS_UNIT_PLAN_MODIFY_FIXTURE_H

#include "cql/plan/modify.h"

#define NOW_S        INT64_C(1700000000)
#define TIMESTAMP_US INT64_C(1000)

struct fixture {
    struct schema *schema;
    struct arena arena; // of the execution; reset by each
    struct timeuuid_gen timeuuid;
    struct prng random;
    struct buf warnings;
    struct fail fail;
    uint8_t version;
};

// Keyspace ks and the given statements, NULL-terminated.
void fixture_open(struct fixture *f, const char *const *ddl);
void fixture_close(struct fixture *f);

// "OK" and the mutations, or the error's name and message; valid until the next call. Values are for the
// statement's bind variables; existing answers each read in turn (NULL: nothing is there).
const char *run_values(struct fixture *f, const char *cql, const struct bytes *values,
                       uint16_t count, struct bytes existing);
const char *run(struct fixture *f, const char *cql);
// The error of compiling, or "OK" and the bind variables.
const char *prepare(struct fixture *f, const char *cql);
// A batch message of these statements, without values.
const char *run_batch(struct fixture *f, enum modify_batch kind, const char *const *cql);
// The bytes of the only mutation of the statement.
struct bytes mutation_of(struct fixture *f, const char *cql);

struct bytes int_value(struct fixture *f, int32_t x);
struct bytes bigint_value(struct fixture *f, int64_t x);

#endif
