/* Replication options of keyspaces: checked, expanded over the datacenters, and read. */
#ifndef CQL_SCHEMA_REPLICATION_PRIV_H
#define CQL_SCHEMA_REPLICATION_PRIV_H

#include "cql/schema/change.h"
#include "cql/schema/schema_priv.h"

/* given: the statement's map. previous: what an ALTER changes, or NULL. out lives in a. ERR_CONFIG or ERR_INVALID with
 * Cassandra's text. */
err_t replication_make(struct arena *a, const struct option_map *given,
                       const struct replication *previous, struct bytes keyspace,
                       const struct schema_env *env, struct replication *out, struct fail *fail);
/* Warns where a factor is higher than the number of nodes. a holds the texts for the call only. */
void replication_warn(struct arena *a, const struct replication *r, struct bytes keyspace,
                      const struct schema_env *env);
/* "org.apache.cassandra.locator.SimpleStrategy" */
struct bytes replication_class_name(enum replication_class class);

#endif
