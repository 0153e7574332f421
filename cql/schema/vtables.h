/* The rows of system_schema.* and system_virtual_schema.*, made out of a snapshot as Cassandra stores them: what drivers read
 * when they connect.
 *
 * Rows come keyspace by keyspace in name order and, within one, in clustering order. A server that must answer in token order
 * sorts the partitions (keyspaces) itself. */
#ifndef CQL_SCHEMA_VTABLES_H
#define CQL_SCHEMA_VTABLES_H

#include "cql/schema/schema.h"

/* Whether vtable_rows() knows the table. */
bool vtable_is_schema(const struct table *t);
/* Calls row for each row of t, one of the tables above, that describes the snapshot s (t is usually of s too). keyspace limits
 * the rows to those of one keyspace; BYTES_NULL: all. values: by column index of t, null allowed; they live as long as the call. */
void vtable_rows(const struct schema *s, const struct table *t, struct bytes keyspace,
                 void (*row)(void *ctx, const struct table *t, const struct bytes *values),
                 void *ctx);

#endif
