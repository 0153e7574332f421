/* What the files that compile statements share. */
#ifndef CQL_PLAN_STATEMENT_PRIV_H
#define CQL_PLAN_STATEMENT_PRIV_H

#include "cql/plan/term.h"

/* The table a statement names. ERR_INVALID: no keyspace given, keyspace or table does not exist. */
err_t statement_find_table(struct compile *c, const struct ast_qualified_name *name,
                           const struct table **out) MUST_USE;

/* USING CONSISTENCY and USING TIMEOUT, which belong to the whole request; t may be NULL (a batch). */
err_t statement_compile_using(struct compile *c, const struct table *t,
                              const struct ast_using *using, struct statement *s) MUST_USE;

#endif
