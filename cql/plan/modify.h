/* Executing compiled INSERT, UPDATE, DELETE and BATCH: bound values → mutations, one a partition and table. */
#ifndef CQL_PLAN_MODIFY_H
#define CQL_PLAN_MODIFY_H

#include "cql/plan/statement.h"

struct modify_run;

struct built_mutation {
    const struct table *table;
    struct token token;
    struct bytes bytes; /* a whole mutation (cql/data/mutation.h), in the arena */
};

/* A batch's parts: a statement of its own (prepared or text, one MODIFY each) with its values. For MODIFY or BATCH statements
 * executed alone pass one part. */
struct modify_part {
    const struct statement *statement;
    const struct bytes *values;
    uint16_t values_count;
};

/* Evaluates values, keys and clustering ranges. batch: the parts form a batch message (its own rules: timestamps, counters). */
err_t modify_begin(const struct modify_part *parts, size_t count, bool batch, struct exec_env *env, struct modify_run **run) MUST_USE;

/* Reads that must be answered before mutations can be built (list elements by index, list removal): count commands, each of one
 * partition; usually 0. Answers are given in the same order. */
size_t modify_reads(const struct modify_run *r, const struct read_command **commands);
err_t modify_read_answer(struct modify_run *r, size_t index, struct bytes result) MUST_USE;

/* The mutations, changes to one partition of one table merged into one, in order of first appearance. */
err_t modify_build(struct modify_run *r, struct built_mutation **out, size_t *count) MUST_USE;

#endif
