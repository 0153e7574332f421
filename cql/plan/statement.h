/* A compiled statement: what PREPARE keeps and EXECUTE binds. AST + schema → statement (once); statement + values → read commands,
 * mutations or a schema change (each execution).
 *
 * Life of one request: cql_parse() → statement_compile() → by kind:
 *   SELECT    select_begin() → read command → (server reads chunks) → select_consume() until it wants no more → select_finish()
 *   INSERT, UPDATE, DELETE, BATCH   modify_begin() → [reads it needs first, modify_reads()] → modify_build() → mutations
 *   DDL, TRUNCATE   ddl.h → new schema + event;  DESCRIBE: describe.h → rows;  USE: the keyspace
 * Compiled statements are immutable, own their memory and hold a reference to the schema they were compiled against; a session
 * compiles again when that schema is no longer current. Threads: any may hold and use one (the count is atomic). */
#ifndef CQL_PLAN_STATEMENT_H
#define CQL_PLAN_STATEMENT_H

#include "cql/base/prng.h"
#include "cql/base/time.h"
#include "cql/data/consistency.h"
#include "cql/data/read.h"
#include "cql/lang/ast.h"
#include "cql/schema/schema.h"

/* A result column or a bind variable, as the protocol's metadata lists it. */
struct column_spec {
    struct bytes keyspace, table, name;
    const struct type *type;
};

enum statement_kind {
    STATEMENT_SELECT,
    STATEMENT_MODIFY,
    STATEMENT_BATCH,
    STATEMENT_USE,
    STATEMENT_TRUNCATE,
    STATEMENT_DDL,
    STATEMENT_DESCRIBE,
};

struct select; /* select_priv.h */
struct modify; /* modify_priv.h */

struct statement {
    struct arena arena;
    int refs; /* atomic */
    enum statement_kind kind;
    struct schema *schema; /* reference held */
    const struct table
        *table; /* SELECT, MODIFY, TRUNCATE; a BATCH's when all of one table, else NULL */
    struct column_spec
        *binds; /* in order of appearance; repeated :x occupy a slot each, as Cassandra does */
    uint16_t binds_count;
    uint16_t *
        pk_bind_indexes; /* v4+: which binds form the partition key in order; NULL when not all do */
    uint16_t pk_bind_count;
    struct column_spec *result; /* SELECT */
    uint16_t result_count;
    bool result_wildcard; /* SELECT *: metadata depends on the table's columns */
    /* USING CONSISTENCY and USING TIMEOUT of the text win over the protocol's. */
    enum consistency consistency; /* CL_UNSET */
    struct term *timeout;         /* NULL; a duration literal or marker */
    bool is_conditional;          /* reserved for LWT */
    const struct ast_statement
        *ast;                  /* lives in arena (DDL, DESCRIBE, USE, TRUNCATE work from it) */
    struct bytes use_keyspace; /* USE */
    struct select *select;
    struct modify **modifies; /* MODIFY: one; BATCH: each */
    uint16_t modifies_count;
    enum { BATCH_LOGGED, BATCH_UNLOGGED, BATCH_COUNTER } batch_type;
    struct term *batch_timestamp;
};

/* Parses and compiles. keyspace: the session's (or the request's), BYTES_NULL when none. Errors: SYNTAX, INVALID, UNAUTHORIZED, CONFIG
 * with Cassandra's texts; statements not built yet: INVALID naming them. *out has one reference. */
err_t statement_compile(struct bytes text, struct schema *schema, struct bytes keyspace,
                        struct statement **out, struct fail *fail) MUST_USE;
struct statement *statement_ref(struct statement *s);
void statement_unref(struct statement *s);

/* Values of an execution. BYTES_NULL is null; bytes_unset() marks "unset" (v4+). */
extern const uint8_t bytes_unset_marker[1];
static inline struct bytes bytes_unset(void)
{
    return (struct bytes){bytes_unset_marker, 0};
}
static inline bool bytes_is_unset(struct bytes b)
{
    return b.p == bytes_unset_marker;
}

struct timeuuid_gen {
    int64_t last_ticks;      /* of the previous one: the next is greater */
    uint64_t clock_seq_node; /* drawn at start */
};

/* Everything an execution may depend on besides statement and schema: nothing else is read. */
struct exec_env {
    struct now now;
    int64_t now_s; /* wall seconds, or the protocol's now_in_seconds */
    int64_t
        timestamp_us; /* the client's default timestamp, or the coordinator's (never going back) */
    struct prng *random;           /* uuid() */
    struct timeuuid_gen *timeuuid; /* now(), list appends */
    struct arena *arena;           /* of the request: everything produced lives here */
    const struct bytes *values;    /* statement->binds_count of them, already in order */
    uint16_t values_count;
    uint8_t protocol_version;
    struct buf *warnings; /* value_put() each; may be NULL */
    struct fail *fail;
};

/* The consistency that counts: the statement's own when it has one. */
static inline enum consistency statement_consistency(const struct statement *s,
                                                     enum consistency from_protocol)
{
    return s->consistency != CL_UNSET ? s->consistency : from_protocol;
}
/* The timeout of USING TIMEOUT in microseconds, 0 when none. */
err_t statement_timeout_us(const struct statement *s, struct exec_env *env, int64_t *out) MUST_USE;

#endif
