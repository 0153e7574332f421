/* Changes to the schema: each is validated against a snapshot, with Cassandra's error texts, and gives a new snapshot.
 * Built by cql/plan from the AST; nothing here knows the parser. */
#ifndef CQL_SCHEMA_CHANGE_H
#define CQL_SCHEMA_CHANGE_H

#include "cql/schema/schema.h"
#include "cql/types/value.h"

/* What the client is told (RESULT SCHEMA_CHANGE and the event of the same name). */
struct schema_event {
    enum schema_event_kind { SCHEMA_CREATED, SCHEMA_UPDATED, SCHEMA_DROPPED } kind;
    enum schema_target { SCHEMA_TARGET_KEYSPACE, SCHEMA_TARGET_TABLE, SCHEMA_TARGET_TYPE, SCHEMA_TARGET_FUNCTION, SCHEMA_TARGET_AGGREGATE } target;
    struct bytes keyspace, name; /* name: table or type */
};

/* What changes need from outside: pure code draws no id and reads no clock. */
struct schema_env {
    struct wall_us now;
    struct uuid new_table_id;      /* a fresh time UUID, used by CREATE TABLE without WITH id */
    struct bytes local_dc;         /* for NetworkTopologyStrategy's replication_factor expansion and validation */
    const struct bytes *datacenters; /* every known datacenter */
    const int *datacenters_nodes;    /* nodes of each, or NULL: then no warning names a datacenter */
    size_t datacenters_count;
    int nodes_count;               /* for the "replication factor higher than number of nodes" warning */
    struct buf *warnings;          /* may be NULL; each warning is appended as value_put() bytes */
};

#endif
