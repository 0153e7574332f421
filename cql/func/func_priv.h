/* The registry's table and the implementations' helpers. Private to cql/func.
 *
 *   registry.c  the table, candidates, overloads, messages
 *   time.c id_blob.c math.c operator.c cast.c collection.c vector.c aggregate.c  the functions */
#ifndef CQL_FUNC_FUNC_PRIV_H
#define CQL_FUNC_FUNC_PRIV_H

#include "cql/func/func.h"
#include "cql/types/value.h"

#define FUNC_ARGS_MAX 3

typedef err_t func_call_fn(const struct func *f, struct func_env *env, const struct bytes *args,
                           struct bytes *out);
typedef err_t func_add_fn(const struct func *f, struct func_env *env, void *state,
                          const struct bytes *args);
typedef err_t func_finish_fn(const struct func *f, struct func_env *env, void *state,
                             struct bytes *out);

/* A function of native types. */
struct signature {
    const char *name, *alias;                        /* alias: the name of old, or NULL */
    uint8_t args_count, args[FUNC_ARGS_MAX], result; /* enum type_id */
    bool impure;
    func_call_fn *call;
    size_t state_bytes; /* of an aggregate */
    func_add_fn *add;
    func_finish_fn *finish;
    intptr_t data;
};

/* Functions of one name, gathered while a call is resolved. */
struct candidates {
    struct arena *arena;
    struct bytes name;
    const struct signature **items;
    size_t count, cap;
};
/* s must outlive the resolution. */
void candidates_add(struct candidates *l, const struct signature *s);
/* Each adds its functions of l->name, if any. */
void candidates_of_time(struct candidates *l);
void candidates_of_ids(struct candidates *l);
void candidates_of_blobs(struct candidates *l);
void candidates_of_math(struct candidates *l);
void candidates_of_operators(struct candidates *l);
void candidates_of_casts(struct candidates *l);
void candidates_of_aggregates(struct candidates *l);
/* Adds those of a table that have the name or alias. */
void candidates_of_table(struct candidates *l, const struct signature *table, size_t count);
/* A copy of s in the arena. */
void candidates_add_copy(struct candidates *l, struct signature s);
static inline bool candidates_named(const struct candidates *l, const char *name)
{
    return bytes_equal_str(l->name, name);
}

/* Functions over families of types, made for the arguments they are called with. *out == NULL: not one of these. */
err_t find_collection_function(const struct func_call *call, struct arena *a,
                               const struct func **out, struct fail *fail) MUST_USE;
err_t find_vector_function(const struct func_call *call, struct arena *a, const struct func **out,
                           struct fail *fail) MUST_USE;
err_t find_min_max(const struct func_call *call, struct arena *a, const struct func **out,
                   struct fail *fail) MUST_USE;
/* "Invalid number of arguments for function system.f(any)". */
err_t check_family_count(const struct func_call *call, uint16_t count, const char *params,
                         struct fail *fail) MUST_USE;
/* ERR_INVALID "Cannot infer type of argument x in call to function system.f(any): …" when unknown. */
err_t infer_arg(const struct func_call *call, uint16_t index, const char *params,
                const struct type **out, struct fail *fail) MUST_USE;
struct func *new_func(struct arena *a, struct bytes name, const struct type *result,
                      uint16_t args_count, const struct type *const *args);

/* A value that stands for null: null itself, or the empty value of a type that has none. */
static inline bool is_nothing(struct bytes v)
{
    return v.n == 0;
}
/* ERR_FUNCTION_FAILURE: "the operation 'int / int' failed: …" or "execution of 'system.log[decimal]' failed: …". reason may be null. */
err_t function_failed(const struct func *f, struct func_env *env, struct bytes reason);

extern const enum type_id func_numeric_types[9];

#endif
