/* The schema: an immutable snapshot of every keyspace, table, type, function. A change makes a new snapshot (schema_change.h);
 * readers hold a reference. Reference counts are the only thing that changes, and atomically: any thread may read.
 *
 * Column ids are never reused within a table (a dropped and re-added column has a new id), so old log records, hints and stored
 * rows decode without the schema they were written under. */
#ifndef CQL_SCHEMA_SCHEMA_H
#define CQL_SCHEMA_SCHEMA_H

#include "cql/base/map.h"
#include "cql/base/time.h"
#include "cql/types/type.h"

struct uuid {
    uint8_t b[16];
};

enum column_kind { COLUMN_PARTITION_KEY, COLUMN_CLUSTERING, COLUMN_STATIC, COLUMN_REGULAR };

struct column {
    struct bytes name;
    const struct type *type;
    enum column_kind kind;
    uint16_t position; /* within partition key or clustering; 0 for the others */
    bool desc;         /* clustering order DESC */
    uint32_t id;       /* 1…; unique in the table for ever */
    uint16_t index;    /* in table->columns */
};

struct dropped_column {
    struct bytes name;
    const struct type *type; /* UDTs expanded to tuples, as Cassandra keeps them */
    enum column_kind kind;
    int64_t dropped_us; /* cells with timestamp <= this are gone */
    uint32_t id;
};

/* A map option such as compaction: sorted by key, as Cassandra prints it. */
struct option_map {
    struct option_pair {
        struct bytes key, value;
    } * items;
    size_t count;
};

/* When a tombstone may be purged: our own table option, kept in extensions as "tombstone_gc" only where it differs from the
 * default (mode repair, 3600 s). */
enum tombstone_gc_mode {
    TOMBSTONE_GC_REPAIR,
    TOMBSTONE_GC_TIMEOUT,
    TOMBSTONE_GC_IMMEDIATE,
    TOMBSTONE_GC_DISABLED
};
struct tombstone_gc {
    enum tombstone_gc_mode mode;
    int32_t propagation_delay_s;
};

/* Every table option of Cassandra 5.0; those marked * act here, the others are validated and echoed. */
struct table_options {
    struct bytes additional_write_policy;
    bool allow_auto_snapshot, incremental_backups, cdc;
    double bloom_filter_fp_chance, crc_check_chance;
    struct option_map caching, compaction, compression, extensions /* values: raw bytes */;
    struct bytes comment, memtable, read_repair, speculative_retry;
    int32_t default_time_to_live;        /* * seconds */
    int32_t gc_grace_seconds;            /* * */
    int32_t memtable_flush_period_in_ms; /* * */
    int32_t min_index_interval, max_index_interval;
    struct tombstone_gc tombstone_gc; /* * read from extensions */
};

struct table {
    struct bytes keyspace, name;
    struct uuid id;
    uint64_t incarnation; /* raised by TRUNCATE: older mutations are dropped */
    uint32_t
        slot; /* storage slot number, never reused in this directory; built-in tables have fixed ones below
                            * SCHEMA_SLOT_USER_FIRST, virtual tables have 0 */
    struct column *
        columns; /* partition key in order, clustering in order, then static by name, then regular by name (bytes order) */
    uint16_t columns_count, pk_count, ck_count, static_count; /* regular: the rest */
    uint32_t next_column_id;
    struct map by_name; /* struct column * */
    uint16_t
        *index_by_id; /* column id → index + 1, 0 when dropped or unknown; next_column_id entries */
    struct dropped_column *dropped;
    size_t dropped_count;
    bool is_counter, is_compact /* accepted, echoed */, is_virtual, is_system;
    bool has_collections; /* any multi-cell column */
    struct table_options options;
    struct keyspace *ks;
    struct bytes extra; /* encoded optional fields of a newer version, kept as they are */
};

struct user_type {
    struct bytes keyspace, name;
    const struct type *type; /* TYPE_UDT, not frozen */
};

enum replication_class { REPLICATION_LOCAL, REPLICATION_SIMPLE, REPLICATION_NETWORK_TOPOLOGY };

struct replication {
    enum replication_class class;
    int32_t factor; /* SIMPLE */
    struct replication_dc {
        struct bytes dc;
        int32_t factor;
    } * dcs; /* NETWORK_TOPOLOGY, sorted by name */
    size_t dcs_count;
    struct option_map options; /* as given and echoed, with "class" as full class name */
};

struct keyspace {
    struct bytes name;
    struct replication replication;
    bool durable_writes, is_virtual, is_system;
    struct table **tables; /* by name */
    size_t tables_count;
    struct user_type **types; /* by name */
    size_t types_count;
    struct map tables_by_name, types_by_name;
    struct bytes extra; /* as in struct table */
};

#define SCHEMA_SLOT_USER_FIRST 128

struct schema {
    struct arena arena;
    int refs;                    /* atomic */
    struct keyspace **keyspaces; /* by name */
    size_t keyspaces_count;
    struct map by_name;     /* struct keyspace * */
    struct map by_table_id; /* 16 bytes → struct table * */
    uint32_t next_slot;
    struct uuid
        version; /* MD5-based digest of the user-visible content: equal content → equal version */
    uint64_t epoch; /* raised by every change */
};

/* The empty schema plus Cassandra's system and virtual keyspaces (system, system_schema, system_auth, system_distributed,
 * system_traces, system_virtual_schema, system_views). One reference. */
struct schema *schema_new_initial(void);
struct schema *schema_ref(struct schema *s);
void schema_unref(struct schema *s);

/* NULL when absent. Names are exact (already case-folded). */
struct keyspace *schema_keyspace(const struct schema *s, struct bytes ks);
struct table *schema_table(const struct schema *s, struct bytes ks, struct bytes table);
struct table *schema_table_by_id(const struct schema *s, const struct uuid *id);
struct user_type *keyspace_type(const struct keyspace *ks, struct bytes name);
struct table *keyspace_table(const struct keyspace *ks, struct bytes name);
const struct column *table_column(const struct table *t, struct bytes name);
/* ERR_INVALID "Undefined column name x in table ks.t"; name as it is to be printed. */
err_t table_fail_undefined(const struct table *t, struct bytes name, struct fail *fail);
/* NULL when dropped or unknown. */
static inline const struct column *table_column_by_id(const struct table *t, uint32_t id)
{
    return id < t->next_column_id && t->index_by_id[id] ? &t->columns[t->index_by_id[id] - 1]
                                                        : NULL;
}
/* Whether a node makes the table's rows out of what it knows instead of storing them: virtual tables, and those of keyspaces with
 * LocalStrategy (system, system_schema). Nobody writes to such a table, and every shard answers for it itself. */
static inline bool table_is_made(const struct table *t)
{
    return t->is_virtual || t->ks->replication.class == REPLICATION_LOCAL;
}
static inline const struct column *table_pk(const struct table *t, uint16_t i)
{
    return &t->columns[i];
}
static inline const struct column *table_ck(const struct table *t, uint16_t i)
{
    return &t->columns[t->pk_count + i];
}

/* Replicas of each key over all datacenters; 1 for LocalStrategy. */
int replication_factor_total(const struct replication *r);

/* Versioned flat bytes of everything but the built-in keyspaces; what a node keeps on disk. */
void schema_encode(const struct schema *s, struct buf *out);
/* ERR_CORRUPT with a message. On success *out has one reference. */
err_t schema_decode(struct bytes b, struct schema **out, struct fail *fail);

#endif
