/* Functions: one registry of scalar and aggregate functions of Cassandra 5.0. Pure: what the time functions need comes in struct
 * func_env. Overloads are resolved as Cassandra does: an exact match of all arguments wins, else the only one that all arguments could
 * be assigned to; arguments whose type is unknown (bind markers) match anything. Threads: any. */
#ifndef CQL_FUNC_FUNC_H
#define CQL_FUNC_FUNC_H

#include "cql/base/prng.h"
#include "cql/base/time.h"
#include "cql/types/type.h"

struct func_env {
    struct wall_us now;
    int64_t *timeuuid_last_ticks; /* of the generator: the next time UUID is greater */
    uint64_t clock_seq_node;
    struct prng *random;
    struct arena *arena; /* results live here */
    struct fail *fail;
    int64_t (*token)(const struct bytes *components, uint16_t count); /* partitioner, for token() */
};

/* A resolved call: concrete argument and result types. In the arena it was resolved in (or static); immutable. */
struct func {
    struct bytes name; /* without keyspace, as it was called: "now", "cast_as_int", "_add" */
    const struct type *const *args;
    uint16_t args_count;
    const struct type *result;
    bool is_aggregate, is_pure; /* pure: same arguments, same result (may be folded) */
    /* Scalars: args_count values, null allowed. ERR_INVALID, ERR_FUNCTION_FAILURE. */
    err_t (*call)(const struct func *f, struct func_env *env, const struct bytes *args,
                  struct bytes *out);
    /* Aggregates: state is state_bytes zeroed bytes at first (16-aligned); big state lives in env->arena, which must be the same for a
     * whole aggregation. */
    size_t state_bytes;
    err_t (*add)(const struct func *f, struct func_env *env, void *state, const struct bytes *args);
    err_t (*finish)(const struct func *f, struct func_env *env, void *state, struct bytes *out);
    intptr_t data; /* of the implementation */
};

/* What is known of an argument when the function is chosen. */
struct func_arg {
    const struct type *
        type; /* the one it has by itself (literals: the preferred one); NULL when it could be many */
    struct bytes text; /* as messages show it */
    bool is_marker;
    uint32_t elements; /* of a list literal, which may stand for a vector; else 0 */
};

enum func_match { FUNC_MATCH_NO, FUNC_MATCH_WEAK, FUNC_MATCH_EXACT };

struct func_call {
    struct bytes keyspace, name; /* keyspace BYTES_NULL when not written */
    const struct func_arg *args;
    uint16_t args_count;
    /* Could the argument be passed as `type`. NULL: decided by its type. */
    err_t (*test)(void *ctx, uint16_t index, const struct type *type, enum func_match *out);
    void *ctx;
    const struct type *receiver; /* what takes the result; NULL: anything */
    const struct type *const
        *pk_types; /* of the statement's table, for token(); NULL when there is none */
    uint16_t pk_count;
};

/* *out == NULL with OK: no function of that name. Operators are the functions system._add, _substract, _multiply, _divide, _modulo and
 * _negate, casts cast_as_<type>. ERR_INVALID with Cassandra's texts ("Invalid call to function %s, none of its type signatures match
 * (known type signatures: …)", "Ambiguous call …", "Type error: …"); "%s is not implemented yet" for to_json, from_json and mask_*. */
err_t func_find(const struct func_call *call, struct arena *a, const struct func **out,
                struct fail *fail) MUST_USE;
/* The function that op stands for: + - * / %, and 'n' for unary minus. */
struct bytes func_operator_name(char op);

/* The same by types alone (NULL entries: unknown). */
err_t func_resolve(struct bytes keyspace, struct bytes name, const struct type *const *arg_types,
                   uint16_t args_count, const struct type *receiver,
                   const struct type *const *pk_types, uint16_t pk_count, struct arena *a,
                   const struct func **out, struct fail *fail) MUST_USE;

/* CAST(x AS to); a cast to the same type gives what it gets. ERR_INVALID "%s cannot be cast to %s". */
err_t func_resolve_cast(const struct type *from, const struct type *to, struct arena *a,
                        const struct func **out, struct fail *fail) MUST_USE;

/* Arithmetic: op as in func_operator_name(); types may be NULL (unknown). */
err_t func_resolve_operator(char op, const struct type *left, const struct type *right,
                            const struct type *receiver, struct arena *a, const struct func **out,
                            struct fail *fail) MUST_USE;

/* What an argument position may receive, for naming and typing bind markers inside calls: "arg0(system.func)". */
struct bytes func_arg_name(const struct func *f, uint16_t index, struct arena *a);

/* Ticks (100 ns since 1582) of the next time UUID at `now`, always greater than *last, which it becomes. */
int64_t func_next_ticks(struct wall_us now, int64_t *last);

#endif
