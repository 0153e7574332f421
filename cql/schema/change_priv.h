/* What the kinds of change share. */
#ifndef CQL_SCHEMA_CHANGE_PRIV_H
#define CQL_SCHEMA_CHANGE_PRIV_H

#include "cql/schema/change.h"
#include "cql/schema/schema_priv.h"

/* System keyspaces: ERR_UNAUTHORIZED with Cassandra's text. permission: "ALTER"; resource: "<keyspace system_auth>". */
err_t change_check_modifiable(struct bytes keyspace, const char *permission, struct bytes resource,
                              struct fail *fail);
/* "<all tables in ks>", in fail's arena. */
struct bytes change_resource_all_tables(struct bytes keyspace, struct fail *fail);
/* Letters, digits and underscores. */
bool change_is_word(struct bytes name);
/* Finishes next; gives it back in change, or releases it when it is equal to s. */
void change_done(const struct schema *s, struct schema *next, enum schema_event_kind kind,
                 enum schema_target target, struct bytes keyspace, struct bytes name,
                 struct schema_change *change);
/* The copy's own keyspace, table. */
struct keyspace *change_keyspace(struct schema *next, struct bytes keyspace);
struct table *change_table(struct schema *next, const struct table *t);

#endif
