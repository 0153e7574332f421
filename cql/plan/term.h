/* Terms: AST terms compiled against the type of whatever receives them, evaluated with bound values. Shared by SELECT's
 * restrictions and selectors and by modifications.
 *
 * Compiling checks what Cassandra checks when it prepares a statement and gives its words on failure; evaluating checks what
 * depends on the bound values. A literal is turned into its serialised value once, when it is compiled. */
#ifndef CQL_PLAN_TERM_H
#define CQL_PLAN_TERM_H

#include "cql/base/map.h"
#include "cql/plan/statement.h"

/* What a term is compiled for: names appear in error texts and as the name of a bind variable there. */
struct receiver {
    struct bytes keyspace, table;
    struct bytes name; /* "v", "value(m)", "in(k)", "[ttl]", "partition key token" … */
    const struct type *type;
    const struct column
        *column; /* set where a column itself receives the term; NULL for elements, limits … */
};

struct term; /* immutable, in the statement's arena */

/* The context of a compilation; collects bind variables. Owned by statement_compile(). */
struct compile {
    struct arena *arena;
    struct schema *schema;
    struct bytes
        keyspace; /* of the statement: where types and functions without keyspace are looked up */
    const struct table
        *table; /* what the statement is about (token() needs its key); NULL when there is none */
    struct column_spec *binds; /* by marker index of the AST; filled by term_compile() */
    uint16_t binds_count;
    const struct column **
        bind_columns; /* the column that receives the marker directly, for pk_bind_indexes; NULL else */
    bool
        selecting; /* within a select clause: columns are terms too, and lists have a type by themselves */
    struct map
        calls; /* calls already resolved, so that nested ones take linear time; map_free() at the end */
    struct fail *fail;
};

/* The receiver that column c of t is. */
struct receiver receiver_of_column(const struct table *t, const struct column *c);
/* A part of what r receives: the printf-formatted name, the given type. */
struct receiver receiver_part(struct compile *c, const struct receiver *r, const struct type *type,
                              const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "value(r)", "key(r)", "idx(r)": elements of lists, sets and maps; keys of maps; positions in a list. */
struct receiver receiver_value(struct compile *c, const struct receiver *r);
struct receiver receiver_key(struct compile *c, const struct receiver *r);
struct receiver receiver_index(struct compile *c, const struct receiver *r);

/* ERR_INVALID with Cassandra's texts (Invalid INTEGER constant (1) for "v" of type text, …). */
err_t term_compile(struct compile *c, const struct ast_term *t, const struct receiver *r,
                   struct term **out) MUST_USE;
/* The marker t (AST_TERM_MARKER) as a variable named and typed by r. */
struct term *term_compile_marker(struct compile *c, const struct ast_term *t,
                                 const struct receiver *r);
/* The value for r's type: serialised, validated, in env->arena; null, or unset where the marker was unset. Sets and maps come
 * sorted and without duplicates. ERR_INVALID, ERR_FUNCTION_FAILURE. */
err_t term_eval(const struct term *t, struct exec_env *env, struct bytes *out) MUST_USE;
bool term_is_marker(const struct term *t);
/* Constant: needs no env (literals only). *term_constant() is its value. */
bool term_is_constant(const struct term *t);
struct bytes term_constant(const struct term *t);
/* A constant of the given value (which must live as long as the arena). */
struct term *term_of_value(struct arena *a, const struct type *type, struct bytes value);

/* Whether t may stand where r is (Cassandra's testAssignment). ERR_INVALID where asking is an error by itself. */
enum assignment { ASSIGN_NO, ASSIGN_WEAK, ASSIGN_EXACT };
err_t term_test(struct compile *c, const struct ast_term *t, const struct receiver *r,
                enum assignment *out) MUST_USE;
/* The type a term has by itself, NULL when it could be many (markers, untyped literals): function overloads are chosen by it. */
err_t term_guess_type(struct compile *c, const struct ast_term *t,
                      const struct type **out) MUST_USE;
/* The text of t as Cassandra's messages and result columns show it: 'a', 1, [1, 2], {a: 1}, ?, f(1). */
void term_print(const struct ast_term *t, struct buf *out);
/* The same of a selector, where operators and calls look as result columns are named: "v + 1", "system.abs(v)". */
void selector_print(const struct ast_term *t, struct buf *out);
/* Whichever c is compiling, in its arena. */
struct bytes compile_text(const struct compile *c, const struct ast_term *t);
struct bytes term_text(const struct ast_term *t, struct arena *a);

/* LIMIT, TTL, TIMESTAMP and their kin: names "[limit]", "[ttl]", "[timestamp]". */
struct receiver receiver_named(const struct table *t, const char *name, enum type_id type);

#endif
