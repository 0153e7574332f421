/* Executing a compiled SELECT: which partitions and slices to read, and from what was read to protocol rows. */
#ifndef CQL_PLAN_SELECT_H
#define CQL_PLAN_SELECT_H

#include "cql/plan/statement.h"

/* One execution (one page). All memory is in env->arena, but for the rows buffer, which is the caller's. */
struct select_run;

struct select_options {
    int32_t page_size;         /* rows; <= 0: no paging */
    struct bytes paging_state; /* from the client: hostile; BYTES_NULL for the first page */
};

/* Evaluates restrictions with the bound values. On success *run is ready; select_command() is NULL when nothing can match (empty IN, …).
 * Rows ([int len][bytes] each column, no row header) are appended to rows as select_consume() goes. ERR_INVALID with Cassandra's texts,
 * ERR_PROTOCOL "Invalid value for the paging state" for a bad one. */
err_t select_begin(const struct statement *s, struct exec_env *env, const struct select_options *o,
                   struct buf *rows, struct select_run **run) MUST_USE;

/* What to read next, from where, and how much is useful at most in the next chunk (rows_max; the server bounds it further). The
 * command stays the same over the run; position starts from the paging state. */
const struct read_command *select_command(const struct select_run *r);
const struct read_position *select_position(const struct select_run *r);
uint32_t select_rows_wanted(const struct select_run *r);

/* Takes a chunk of the merged, live-only answer (cql/data/read.h) in order. more: the reader says there may be more. *want_more is cleared
 * when the page, the limit or the data is at its end. ERR_CORRUPT, ERR_INVALID (functions), ERR_FUNCTION_FAILURE. */
err_t select_consume(struct select_run *r, struct bytes result, bool more,
                     bool *want_more) MUST_USE;

/* Ends the page: aggregates and ORDER BY over IN append their rows now. *count: rows appended in all. *paging_state: BYTES_NULL on the last page. */
err_t select_finish(struct select_run *r, uint32_t *count, struct bytes *paging_state) MUST_USE;

#endif
