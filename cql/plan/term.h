/* Terms: AST terms compiled against the type of whatever receives them, evaluated with bound values. Shared by SELECT's restrictions and
 * selectors and by modifications. */
#ifndef CQL_PLAN_TERM_H
#define CQL_PLAN_TERM_H

#include "cql/plan/statement.h"

/* What a term is compiled for: names appear in error texts and as the name of a bind variable there. */
struct receiver {
    struct bytes keyspace, table;
    struct bytes name; /* "v", "value(m)", "in(k)", "[ttl]", "partition key token" … */
    const struct type *type;
};

struct term; /* immutable, in the statement's arena */

/* The context of a compilation; collects bind variables. Owned by statement_compile(). */
struct compile {
    struct arena *arena;
    struct schema *schema;
    struct bytes keyspace;         /* of the statement: function look-up */
    struct column_spec *binds;     /* by marker index of the AST; filled by term_compile() */
    uint16_t binds_count;
    const struct column **bind_columns; /* the column that receives the marker directly, for pk_bind_indexes; NULL else */
    struct fail *fail;
};

/* ERR_INVALID with Cassandra's texts (Invalid INTEGER constant (1) for "v" of type text, …). */
err_t term_compile(struct compile *c, const struct ast_term *t, const struct receiver *r, struct term **out) MUST_USE;
/* The value for r's type: serialised, validated, in env->arena; null, or unset where the marker was unset. */
err_t term_eval(const struct term *t, struct exec_env *env, struct bytes *out) MUST_USE;
bool term_is_marker(const struct term *t);
/* Constant: needs no env (literals only). */
bool term_is_constant(const struct term *t);
/* The type a term has by itself, NULL when it could be many (markers, untyped literals): function overloads are chosen by it. */
err_t term_guess_type(struct compile *c, const struct ast_term *t, const struct type **out) MUST_USE;

#endif
