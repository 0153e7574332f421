/* Executing compiled INSERT, UPDATE, DELETE and BATCH: bound values → mutations, one a partition and table. */
#ifndef CQL_PLAN_MODIFY_H
#define CQL_PLAN_MODIFY_H

#include "cql/plan/statement.h"

struct modify_run;

struct built_mutation {
    const struct table *table;
    struct token token;
    struct bytes bytes; /* a whole mutation (cql/data/mutation.h), in the arena */
    size_t data_bytes;  /* as Cassandra counts what a batch holds */
};

/* A batch's parts: a statement of its own (prepared or text, one MODIFY each) with its values. For MODIFY or BATCH statements
 * executed alone pass one part. */
struct modify_part {
    const struct statement *statement;
    const struct bytes *values;
    uint16_t values_count;
};

/* Do the parts form a batch message, and of which kind. A BATCH statement is one part and MODIFY_ALONE: it knows its own kind. */
enum modify_batch {
    MODIFY_ALONE = 0,
    MODIFY_BATCH_LOGGED = 1,
    MODIFY_BATCH_UNLOGGED = 2,
    MODIFY_BATCH_COUNTER = 3
};

/* Largest TTL: 20 years. */
#define MODIFY_TTL_MAX 630720000
/* Most rows that one statement may name, and bytes that one request's changes may take together. */
#define MODIFY_ROWS_MAX  1000000
#define MODIFY_BYTES_MAX ((size_t)256 << 20)
/* Above these a batch of several partitions is warned of and refused (batch_size_warn_threshold, batch_size_fail_threshold);
 * unlogged batches of more partitions are warned of. */
#define MODIFY_BATCH_BYTES_WARN      (5 << 10)
#define MODIFY_BATCH_BYTES_FAIL      (50 << 10)
#define MODIFY_BATCH_PARTITIONS_WARN 10

/* Evaluates values, keys and clustering ranges. env and the statements must outlive the run. ERR_INVALID with Cassandra's texts. */
err_t modify_begin(const struct modify_part *parts, size_t count, enum modify_batch batch,
                   struct exec_env *env, struct modify_run **run) MUST_USE;

/* Reads that must be answered before mutations can be built (list elements by index, list removal): count commands, each of one
 * partition; usually 0. Answers (whole, live only) are given for each index; they are copied. */
size_t modify_reads(const struct modify_run *r, const struct read_command **commands);
/* ERR_CORRUPT: malformed. */
err_t modify_read_answer(struct modify_run *r, size_t index, struct bytes result) MUST_USE;

/* The mutations, changes to one partition of one table merged into one, in order of first appearance. Once a run. */
err_t modify_build(struct modify_run *r, struct built_mutation **out, size_t *count) MUST_USE;

#endif
