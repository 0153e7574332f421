/* Schema statements: AST and a snapshot of the schema to the next snapshot. See cql/schema/change.h for what may go wrong; this
 * adds what the grammar leaves open (keyspace of a name, types, PRIMARY KEY) and statements that are not built yet. */
#ifndef CQL_PLAN_DDL_H
#define CQL_PLAN_DDL_H

#include "cql/lang/ast.h"
#include "cql/schema/change.h"

/* Whether plan_ddl() takes statements of this kind: CREATE, ALTER and DROP of everything in a keyspace. Not TRUNCATE, USE,
 * DESCRIBE, or those about roles. */
bool plan_is_ddl(enum ast_statement_kind kind);

/* keyspace: the session's, BYTES_NULL when none. On OK change->schema is the next snapshot (one reference) or NULL when there is
 * nothing to do. The event's names live in arena, with everything else. Pure. */
err_t plan_ddl(const struct ast_statement *st, const struct schema *schema, struct bytes keyspace,
               const struct schema_env *env, struct arena *arena, struct schema_change *change,
               struct fail *fail) MUST_USE;

/* The table that TRUNCATE empties. Tables that the server makes up (virtual ones, system.*, system_schema.*) are refused. */
err_t plan_truncate_table(const struct ast_statement *st, const struct schema *schema,
                          struct bytes keyspace, const struct table **out,
                          struct fail *fail) MUST_USE;

/* Always an error: the statement is not built yet (ERR_INVALID, naming it), or is about roles and permissions, which need a user who
 * has logged in (ERR_UNAUTHORIZED). */
err_t plan_unimplemented(const struct ast_statement *st, struct fail *fail) MUST_USE;

/* The keyspace of a name: its own or the session's. ERR_INVALID when there is neither. */
err_t plan_keyspace_of(const struct ast_qualified_name *name, struct bytes keyspace,
                       struct bytes *out, struct fail *fail) MUST_USE;

#endif
