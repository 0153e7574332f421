/* What the files of cql/schema share: making a new snapshot out of an old one.
 *
 * A change is: schema_clone(), edit the copy (its arrays are malloc-free: everything is in its arena, so replace pointers),
 * schema_finish(). Until it is finished a copy has no look-ups but the linear ones below. */
#ifndef CQL_SCHEMA_SCHEMA_PRIV_H
#define CQL_SCHEMA_SCHEMA_PRIV_H

#include "cql/schema/schema.h"

/* Ids of a table's columns stay below this, as index_by_id has an entry for each. */
#define SCHEMA_COLUMN_ID_MAX (1u << 20)

/* An empty schema, one reference, not finished. */
struct schema *schema_new_empty(void);
/* A deep copy, one reference, not finished, epoch raised by one. */
struct schema *schema_clone(const struct schema *s);
/* Sorts, fills in every map and derived field, computes the version. Called once. */
void schema_finish(struct schema *s);

/* Linear look-ups that need no maps. */
struct keyspace *schema_find_keyspace(const struct schema *s, struct bytes name);
struct table *keyspace_find_table(const struct keyspace *ks, struct bytes name);
struct user_type *keyspace_find_type(const struct keyspace *ks, struct bytes name);

void schema_add_keyspace(struct schema *s, struct keyspace *ks);
void schema_remove_keyspace(struct schema *s, const struct keyspace *ks);
void keyspace_add_table(struct schema *s, struct keyspace *ks, struct table *t);
void keyspace_remove_table(struct keyspace *ks, const struct table *t);
void keyspace_add_type(struct schema *s, struct keyspace *ks, struct user_type *ut);
void keyspace_remove_type(struct keyspace *ks, const struct user_type *ut);

/* Appends a copy of c with a fresh id; the order is made by schema_finish(). */
void table_add_column(struct schema *s, struct table *t, struct column c);

struct option_map option_map_copy(struct arena *a, const struct option_map *m);
void option_map_put(struct arena *a, struct option_map *m, struct bytes key, struct bytes value);
void option_map_put_str(struct arena *a, struct option_map *m, const char *key, const char *value);
void option_map_del(struct option_map *m, struct bytes key);
/* Null when absent. */
struct bytes option_map_get(const struct option_map *m, struct bytes key);
struct bytes option_map_get_str(const struct option_map *m, const char *key);

/* Cassandra's defaults, in a. */
struct table_options table_options_default(struct arena *a);
struct table_options table_options_copy(struct arena *a, const struct table_options *o);
/* tombstone_gc out of extensions (the default when it is absent or unreadable), and back. */
struct tombstone_gc tombstone_gc_read(const struct option_map *extensions);
const char *tombstone_gc_mode_name(enum tombstone_gc_mode mode);
void tombstone_gc_write(struct arena *a, struct option_map *extensions, struct tombstone_gc gc);

void keyspace_set_local(struct arena *a, struct keyspace *ks);
void keyspace_set_simple(struct arena *a, struct keyspace *ks, int32_t factor);
/* class, factor and dcs out of options (validated before). */
err_t replication_parse(struct arena *a, struct replication *r, struct fail *fail);

/* A type out of the text that Cassandra prints: natives, list, set, map, tuple, frozen. NULL when malformed. */
const struct type *schema_type_of_text(struct arena *a, struct bytes text);

/* Adds Cassandra's built-in keyspaces. */
void schema_add_builtin(struct schema *s);
bool schema_is_builtin_keyspace(struct bytes name);

/* The content that users see, without epoch, slots and incarnations. */
void schema_encode_for_version(const struct schema *s, struct buf *out);

/* As RFC 1321. */
void schema_md5(struct bytes b, uint8_t out[16]);
/* Java's UUID.nameUUIDFromBytes. */
struct uuid uuid_of_name(struct bytes b);

#endif
