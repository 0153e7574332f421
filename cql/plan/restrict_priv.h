/* What the files of restrictions share. */
#ifndef CQL_PLAN_RESTRICT_PRIV_H
#define CQL_PLAN_RESTRICT_PRIV_H

#include "cql/plan/restrict.h"

/* --- restrict_relation.c: one relation → one restriction */

/* "UPDATE" …, as messages name it. */
const char *restrict_statement_name(enum restrict_statement s);
/* The relation as Cassandra prints it: "c >= 1", "(a, b) IN ((1, 2))". */
struct bytes relation_text(const struct ast_relation *r, struct arena *a);
/* The column of that name or ERR_INVALID "Undefined column name …". */
err_t table_find_column(const struct table *t, struct bytes name, const struct column **out,
                        struct fail *fail) MUST_USE;
err_t relation_compile(struct compile *c, const struct table *t, const struct ast_relation *r,
                       struct restriction **out) MUST_USE;

/* --- restrict_merge.c: several restrictions of one column */
/* existing and added restrict at least one column in common; *out is what both say together. */
err_t restriction_merge(struct compile *c, const struct restriction *existing,
                        const struct restriction *added, struct restriction **out) MUST_USE;
/* The same for TOKEN(): existing may be NULL. */
err_t restriction_merge_token(struct compile *c, const struct table *t,
                              const struct restriction *existing, struct restriction *added,
                              struct restriction **out) MUST_USE;

/* --- restrict_eval.c, restrict_slices.c */
/* Must restriction r at that place of the clustering key be checked row by row: it does not follow position. */
static inline bool restriction_filters(const struct restriction *r, uint16_t position)
{
    return r->kind == RESTRICTION_CONTAINS || r->columns[0]->position != position;
}
/* The values of one tuple: columns_count of them, fewer where the marker's value is shorter. Unset ones are refused for tuples,
 * left to the caller for single values. */
err_t restrict_tuple_eval(const struct restrict_tuple *t, struct exec_env *env,
                          struct bytes *values, uint16_t *count) MUST_USE;
/* All values of an EQ or IN, columns_count each, checked for null (unless nulls) and unset. *count may be 0
 * (IN ()). */
err_t restriction_values(const struct restriction *r, struct exec_env *env, bool nulls,
                         struct bytes **values, size_t *count) MUST_USE;

/* Refuses products of IN lists beyond RESTRICT_PRODUCT_MAX before they are made. what: "partition key", "clustering key". */
err_t restrict_product_check(size_t have, size_t factor, size_t bytes_each, const char *what,
                             struct exec_env *env) MUST_USE;

#endif
