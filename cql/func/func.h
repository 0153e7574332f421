/* Functions: one registry of scalar and aggregate functions of Cassandra 5.0. Pure: what the time functions need comes in struct
 * func_env. Overloads are resolved as Cassandra does: exact types first, then assignable ones; unknown argument types (bind markers,
 * untyped literals: NULL) match anything. */
#ifndef CQL_FUNC_FUNC_H
#define CQL_FUNC_FUNC_H

#include "cql/base/time.h"
#include "cql/base/prng.h"
#include "cql/types/type.h"

struct func_env {
    struct wall_us now;
    int64_t *timeuuid_last_ticks;  /* of the generator: the next time UUID is greater */
    uint64_t clock_seq_node;
    struct prng *random;
    struct arena *arena;           /* results live here */
    struct fail *fail;
    int64_t (*token)(const struct bytes *components, uint16_t count); /* partitioner, for token() */
};

/* A resolved call: concrete argument and result types. In the arena it was resolved in; immutable. */
struct func {
    struct bytes name;                 /* as results are named: "system.now", "cast" … without keyspace: "now" */
    const struct type *const *args;
    uint16_t args_count;
    const struct type *result;
    bool is_aggregate, is_pure;        /* pure: same arguments, same result (may be folded) */
    /* Scalars: args_count values, null allowed. */
    err_t (*call)(const struct func *f, struct func_env *env, const struct bytes *args, struct bytes *out);
    /* Aggregates: state is state_bytes zeroed bytes at first; big state lives in env->arena. */
    size_t state_bytes;
    err_t (*add)(const struct func *f, struct func_env *env, void *state, const struct bytes *args);
    err_t (*finish)(const struct func *f, struct func_env *env, void *state, struct bytes *out);
    const void *data; /* of the implementation */
};

/* Resolves name (BYTES_NULL keyspace or "system") for the argument types (NULL entries: unknown) and the receiver (NULL: any).
 * pk_types: of the table, for token(); may be NULL. table: its "ks.name" for messages. *out == NULL with OK: no function of that name.
 * ERR_INVALID: "Invalid call to function %s, none of its type signatures match (known type signatures: …)", "Ambiguous call …". */
err_t func_resolve(struct bytes keyspace, struct bytes name, const struct type *const *arg_types, uint16_t args_count,
                   const struct type *receiver, const struct type *const *pk_types, uint16_t pk_count, struct arena *a,
                   const struct func **out, struct fail *fail) MUST_USE;

/* CAST(x AS to); out NULL-free. ERR_INVALID "%s cannot be cast to %s". */
err_t func_resolve_cast(const struct type *from, const struct type *to, struct arena *a, const struct func **out, struct fail *fail) MUST_USE;

/* Arithmetic: op one of + - * / % and 'n' for unary minus; types may be NULL (unknown). Result type rules as Cassandra's. */
err_t func_resolve_operator(char op, const struct type *left, const struct type *right, const struct type *receiver, struct arena *a,
                            const struct func **out, struct fail *fail) MUST_USE;

/* What an argument position may receive, for naming and typing bind markers inside calls: "arg0(ks.func)". */
struct bytes func_arg_name(const struct func *f, uint16_t index, struct arena *a);

#endif
