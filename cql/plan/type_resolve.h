/* From a type as written to a type as meant: user types are looked up, frozen<> is spread inwards, and what Cassandra refuses
 * in a type is refused with its words. */
#ifndef CQL_PLAN_TYPE_RESOLVE_H
#define CQL_PLAN_TYPE_RESOLVE_H

#include "cql/lang/ast.h"
#include "cql/schema/change.h"

/* keyspace: the statement's; its user types are the only ones that may be used. *out is in arena, or points into schema, which
 * must outlive it. fail->arena is used for the message.
 * ERR_CONFIG: no such keyspace (only when a user type is named); ERR_SYNTAX: frozen<int>, unknown class; ERR_INVALID: the rest. */
err_t plan_resolve_type(const struct ast_type *type, const struct schema *schema,
                        struct bytes keyspace, struct arena *arena, const struct type **out,
                        struct fail *fail) MUST_USE;

/* The type as Cassandra prints it before it knows what its names mean, as in messages: "frozen<list<frozen<ks.udt>>>".
 * keyspace stands before user types that were written without one, unless it is null. */
void plan_print_raw_type(const struct ast_type *type, struct bytes keyspace, struct buf *out);
/* Does it name that user type, at any depth. */
bool plan_raw_type_references(const struct ast_type *type, struct bytes name);
bool plan_raw_type_is_counter(const struct ast_type *type);

#endif
