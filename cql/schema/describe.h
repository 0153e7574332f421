/* CQL text that makes a keyspace, table or type again, byte for byte as Cassandra 5.0's server-side DESCRIBE prints it.
 *
 * Appends to out, without a newline at the end. Our own table option tombstone_gc is printed only where it differs from the
 * default, so the text of an ordinary table is Cassandra's. Pure. */
#ifndef CQL_SCHEMA_DESCRIBE_H
#define CQL_SCHEMA_DESCRIBE_H

#include "cql/schema/schema.h"

void describe_keyspace(const struct keyspace *ks, struct buf *out);
/* with_internals: also the id, and the drops and additions that led to the columns of now. */
void describe_table(const struct table *t, bool with_internals, struct buf *out);
void describe_type(const struct user_type *ut, struct buf *out);

/* The types of ks, each after those that it is made of, otherwise by name. In a; ks->types_count of them. */
struct user_type **describe_types_order(const struct keyspace *ks, struct arena *a);

/* 'text', ' doubled. */
void describe_string(struct bytes text, struct buf *out);
/* {'key': 'value', …} */
void describe_map(const struct option_map *m, struct buf *out);

#endif
