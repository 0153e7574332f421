/* DESCRIBE: rows of text about the schema, as Cassandra 5.0 answers them itself since 4.0. */
#ifndef CQL_PLAN_DESCRIBE_H
#define CQL_PLAN_DESCRIBE_H

#include "cql/lang/ast.h"
#include "cql/plan/statement.h"
#include "cql/schema/schema.h"

/* A range of the ring. */
struct describe_range {
    struct bytes end;
    const struct bytes *endpoints;
    size_t endpoints_count;
};

/* What DESCRIBE CLUSTER tells. */
struct describe_env {
    struct bytes cluster_name, partitioner,
        snitch; /* class names without package: "Murmur3Partitioner" */
    /* Token ranges of a keyspace for the column range_ownership, in token order: the end of each range and its endpoints
     * ("/127.0.0.1:7000"). Called when the session has a keyspace of the user's; NULL: none are told. Fills arrays in a. */
    void (*ranges)(void *ctx, struct bytes keyspace, struct arena *a, struct describe_range **out,
                   size_t *count);
    void *ctx;
};
struct describe_result {
    const struct column_spec *columns; /* keyspace "system", table "describe" */
    uint16_t columns_count;
    struct bytes *values; /* rows_count × columns_count, row by row */
    size_t rows_count;
};

/* keyspace: the session's, BYTES_NULL when none. The result lives in arena; paging is the caller's. ERR_INVALID when what is asked for
 * is not there. Pure. */
err_t plan_describe(const struct ast_statement *st, const struct schema *schema,
                    struct bytes keyspace, const struct describe_env *env, struct arena *arena,
                    struct describe_result *out, struct fail *fail) MUST_USE;

#endif
