/* Changes to the schema: each is validated against a snapshot, with Cassandra's error texts, and gives a new snapshot.
 * Built by cql/plan from the AST; nothing here knows the parser.
 *
 * Each schema_<verb>_<object>() leaves its argument as it is. On OK change->schema is the new snapshot with one reference, or NULL
 * when there is nothing to do (IF [NOT] EXISTS, an ALTER that changes nothing). Errors: ERR_INVALID, ERR_CONFIG, ERR_SYNTAX,
 * ERR_ALREADY_EXISTS, ERR_UNAUTHORIZED (system keyspaces). Pure; any thread. Cost: a copy of the whole schema. */
#ifndef CQL_SCHEMA_CHANGE_H
#define CQL_SCHEMA_CHANGE_H

#include "cql/schema/schema.h"
#include "cql/types/value.h"

/* What the client is told (RESULT SCHEMA_CHANGE and the event of the same name). */
struct schema_event {
    enum schema_event_kind { SCHEMA_CREATED, SCHEMA_UPDATED, SCHEMA_DROPPED } kind;
    enum schema_target {
        SCHEMA_TARGET_KEYSPACE,
        SCHEMA_TARGET_TABLE,
        SCHEMA_TARGET_TYPE,
        SCHEMA_TARGET_FUNCTION,
        SCHEMA_TARGET_AGGREGATE
    } target;
    struct bytes keyspace, name; /* name: table or type; both point at the caller's names */
};

/* What changes need from outside: pure code draws no id and reads no clock. */
struct schema_env {
    struct wall_us now;
    struct uuid new_table_id; /* a fresh time UUID, used by CREATE TABLE without WITH id */
    struct bytes
        local_dc; /* for NetworkTopologyStrategy's replication_factor expansion and validation */
    const struct bytes *datacenters; /* every known datacenter */
    const int *datacenters_nodes; /* nodes of each, or NULL: then no warning names a datacenter */
    size_t datacenters_count;
    int nodes_count;      /* for the "replication factor higher than number of nodes" warning */
    struct buf *warnings; /* may be NULL; each warning is appended as value_put() bytes */
};

struct schema_change {
    struct schema *schema; /* one reference, or NULL */
    struct schema_event event;
};

/* name = 'text' or name = {map}; the map is sorted by key. */
struct schema_property {
    struct bytes name, text;
    bool is_map;
    struct option_map map;
};
struct schema_properties {
    const struct schema_property *items; /* no name twice */
    size_t count;
};

/* --- Keyspaces ---------------------------------------------------------------------------------- */

err_t schema_create_keyspace(const struct schema *s, struct bytes name, bool if_not_exists,
                             const struct schema_properties *with, const struct schema_env *env,
                             struct schema_change *change, struct fail *fail) MUST_USE;
err_t schema_alter_keyspace(const struct schema *s, struct bytes name, bool if_exists,
                            const struct schema_properties *with, const struct schema_env *env,
                            struct schema_change *change, struct fail *fail) MUST_USE;
err_t schema_drop_keyspace(const struct schema *s, struct bytes name, bool if_exists,
                           struct schema_change *change, struct fail *fail) MUST_USE;

/* --- Tables --------------------------------------------------------------------------------------- */

struct schema_column_def {
    struct bytes name;
    const struct type *type;
    bool is_static;
};
struct schema_clustering_order {
    struct bytes name;
    bool desc;
};
struct schema_table_def {
    struct bytes keyspace, name;
    const struct schema_column_def *columns; /* no name twice */
    size_t columns_count;
    const struct bytes *pk, *ck; /* names */
    size_t pk_count, ck_count;
    const struct schema_clustering_order *order; /* no name twice */
    size_t order_count;
    bool compact_storage;
    struct schema_properties with;
};

/* In two steps, as Cassandra reports errors in that order and types can only be resolved after the first:
 * schema_table_create_begin() tells in *exists whether to stop because of IF NOT EXISTS. */
err_t schema_table_create_begin(const struct schema *s, struct bytes keyspace, struct bytes name,
                                bool if_not_exists, const struct schema_properties *with,
                                bool *exists, struct fail *fail) MUST_USE;
err_t schema_create_table(const struct schema *s, const struct schema_table_def *def,
                          const struct schema_env *env, struct schema_change *change,
                          struct fail *fail) MUST_USE;

/* The table an ALTER or DROP is about: *out is NULL when it is absent and if_exists. what: "ALTER" or "DROP", for the error on
 * system keyspaces. */
err_t schema_table_to_change(const struct schema *s, struct bytes keyspace, struct bytes name,
                             bool if_exists, const char *what, const struct table **out,
                             struct fail *fail) MUST_USE;
/* One column may be given twice: an error, or nothing with if_not_exists. */
err_t schema_add_columns(const struct schema *s, const struct table *t,
                         const struct schema_column_def *columns, size_t count, bool if_not_exists,
                         struct schema_change *change, struct fail *fail) MUST_USE;
/* dropped_us: cells with a timestamp up to it are gone. */
err_t schema_drop_columns(const struct schema *s, const struct table *t, const struct bytes *names,
                          size_t count, bool if_exists, int64_t dropped_us,
                          struct schema_change *change, struct fail *fail) MUST_USE;
struct schema_rename {
    struct bytes from, to;
};
err_t schema_rename_columns(const struct schema *s, const struct table *t,
                            const struct schema_rename *renames, size_t count,
                            struct schema_change *change, struct fail *fail) MUST_USE;
err_t schema_alter_table_options(const struct schema *s, const struct table *t,
                                 const struct schema_properties *with, struct schema_change *change,
                                 struct fail *fail) MUST_USE;
err_t schema_drop_compact_storage(const struct schema *s, const struct table *t,
                                  struct schema_change *change, struct fail *fail) MUST_USE;
err_t schema_drop_table(const struct schema *s, const struct table *t, struct schema_change *change,
                        struct fail *fail) MUST_USE;
/* A new incarnation; no event (change->event is not set): TRUNCATE is no schema change to a client. */
err_t schema_truncate_table(const struct schema *s, const struct uuid *id, struct schema **out,
                            struct fail *fail) MUST_USE;

/* --- Types ---------------------------------------------------------------------------------------- */

/* A type with its user types expanded has at most so many parts: types nest by name, so a few statements could otherwise make one of
 * a million parts. */
#define SCHEMA_TYPE_PARTS_MAX 8192
/* ERR_INVALID when t nests deeper than TYPE_DEPTH_MAX or has too many parts. */
err_t schema_check_type_size(const struct type *t, struct fail *fail) MUST_USE;
/* Adds t's parts to *parts; false when there are then too many, or it is too deep. */
bool schema_count_type_parts(const struct type *t, size_t *parts);

/* As schema_table_create_begin(). */
err_t schema_type_create_begin(const struct schema *s, struct bytes keyspace, struct bytes name,
                               bool if_not_exists, bool *exists, struct fail *fail) MUST_USE;
err_t schema_create_type(const struct schema *s, struct bytes keyspace, struct bytes name,
                         const struct bytes *field_names, const struct type *const *field_types,
                         size_t count, struct schema_change *change, struct fail *fail) MUST_USE;
/* As schema_table_to_change(). */
err_t schema_type_to_change(const struct schema *s, struct bytes keyspace, struct bytes name,
                            bool if_exists, const char *what, const struct user_type **out,
                            struct fail *fail) MUST_USE;
/* raw: the field's type as written, for messages. */
err_t schema_add_field(const struct schema *s, const struct user_type *ut, struct bytes name,
                       const struct type *type, struct bytes raw, struct schema_change *change,
                       struct fail *fail) MUST_USE;
err_t schema_rename_fields(const struct schema *s, const struct user_type *ut,
                           const struct schema_rename *renames, size_t count, bool if_exists,
                           struct schema_change *change, struct fail *fail) MUST_USE;
err_t schema_drop_type(const struct schema *s, const struct user_type *ut,
                       struct schema_change *change, struct fail *fail) MUST_USE;

#endif
