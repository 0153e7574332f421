/* What the files of terms share: literals, calls, their compiled form. */
#ifndef CQL_PLAN_TERM_PRIV_H
#define CQL_PLAN_TERM_PRIV_H

#include "cql/func/func.h"
#include "cql/plan/term.h"

enum term_kind {
    TERM_CONSTANT,
    TERM_MARKER,
    TERM_LIST,
    TERM_SET,
    TERM_MAP,
    TERM_TUPLE,
    TERM_UDT,
    TERM_VECTOR,
    TERM_CALL
};

struct term {
    enum term_kind kind;
    bool has_marker;
    const struct type *type; /* of the value */
    struct bytes name;       /* MARKER of a tuple: the receiver's */
    struct bytes value;      /* CONSTANT */
    uint16_t index;          /* MARKER */
    struct term **items;     /* elements; MAP: key, value, key …; CALL: arguments */
    size_t items_count;
    const struct func *func; /* CALL */
};

/* --- term.c */
/* What is bound to the marker, as it came: not validated. */
err_t term_marker_value(const struct term *t, struct exec_env *env, struct bytes *out) MUST_USE;

/* --- term_literal.c */
const char *literal_kind_name(enum ast_literal_kind kind);
enum assignment literal_test(const struct ast_literal *l, const struct type *receiver,
                             struct arena *a);
err_t literal_parse(const struct ast_literal *l, const struct type *type, struct arena *a,
                    struct bytes *out, struct fail *fail) MUST_USE;
/* The type a literal prefers; NULL for null. */
const struct type *literal_type(const struct ast_literal *l, struct arena *a);

/* --- term_assign.c */
/* As term_guess_type(), but literals have the type they prefer, collections of them that which all elements fit. */
err_t term_compatible_type(struct compile *c, const struct ast_term *t,
                           const struct type **out) MUST_USE;

/* --- term_call.c: functions, operators, casts */
/* The function that t (CALL, BINARY, NEGATE, CAST) means for this receiver type (NULL: any); *out NULL: there is none so named. */
err_t call_resolve(struct compile *c, const struct ast_term *t, const struct type *receiver,
                   const struct func **out) MUST_USE;
/* The arguments of t, as an array of *count. */
struct ast_term *const *call_args(const struct ast_term *t, size_t *count);
/* "abs", "ks.f": the name as written. */
struct bytes call_name(const struct ast_term *t, struct arena *a);
/* What receives argument i of f. */
struct receiver call_arg_receiver(struct compile *c, const struct func *f, uint16_t i);
/* Can a value of `from` go where `to` is wanted (AbstractFunction.testAssignment). */
enum assignment type_test(struct arena *a, const struct type *to, const struct type *from);
/* "system.abs" of f, for messages; operators and casts by their internal names. */
struct bytes func_full_name(const struct func *f, struct arena *a);

/* What functions may use, out of what the execution may. *ticks is where the generator's last time is kept when env has none. */
struct func_env func_env_of(struct exec_env *env, struct arena *results, int64_t *ticks);

/* --- term_value.c: values put together */
/* Elements of a set sorted, duplicates dropped; a map's by key, the last of equal keys wins. Elements are non-null. */
struct bytes set_of_elements(const struct type *t, struct bytes *elements, size_t count,
                             struct arena *a);
struct bytes map_of_entries(const struct type *t, struct bytes *entries, size_t count,
                            struct arena *a);
/* v (valid, of type t) with every set and map in it sorted, as Cassandra stores it; v itself when it is already. */
struct bytes value_normalise(const struct type *t, struct bytes v, struct arena *a);

#endif
