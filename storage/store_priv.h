/* Shared by store.c, flush.c, purge.c and read.c: what a store is made of. */
#ifndef STORAGE_STORE_PRIV_H
#define STORAGE_STORE_PRIV_H

#include "storage/level.h"
#include "storage/memtable.h"
#include "storage/store.h"

/* The tables of the level as the shard's thread knows them: as of the last flush that ended. */
struct level_tables {
    struct level_table **by_slot; /* NULL where there is none */
    uint32_t cap;
    bool kv_used[LEVEL_SLOTS_MAX];
};
struct level_table *level_tables_find(const struct level_tables *l, uint32_t slot);
/* Adds or replaces. */
void level_tables_set(struct level_tables *l, const struct level_table *t);
void level_tables_remove(struct level_tables *l, uint32_t slot);
void level_tables_free(struct level_tables *l);

/* Buffers that reads reuse. */
struct read_scratch {
    struct buf merged, other, cleaned, rows;
};
void read_scratch_free(struct read_scratch *s);

struct store {
    struct store_options options;
    struct kv_env *env;
    uint64_t hash_seed; /* of long partition keys; drawn when the directory was made */
    struct level_tables tables;
    struct schema *schema;
    const struct table *last_table; /* of schema: the one written last; NULL: none */
    bool to_empty;           /* the level stores tables that the schema has dropped or truncated */
    bool schema_has_periods; /* some table has memtable_flush_period_in_ms */

    struct memtable *active;
    struct memtable *frozen; /* NULL: none */
    uint64_t frozen_seq;     /* log position of the freeze */
    struct mono_us
        active_since; /* when flush_wanted first saw data in it; valid when active_seen */
    bool active_seen;
    int64_t period_ms;       /* the least one of the tables in it; 0: none */
    size_t period_tables;    /* how many tables period_ms is of; 0: none, look again */
    struct flush_job *job;   /* running */
    struct purge_job *purge; /* running, or waiting to go on */
    uint32_t writers;        /* jobs that write the level now: readers then renew for each read */

    struct buf log, log_spare; /* spare: memory for the next batch */
    uint64_t seq, taken_seq, synced_seq, flushed_seq;

    struct kv_txn *reader;
    bool reader_open;
    struct kv_cursor *cursors[LEVEL_SLOTS_MAX][2]; /* of the reader, by kv slot */

    struct read_scratch scratch;
    bool disk_full; /* atomic: set by a job's thread */
    bool log_disk_full;
    uint64_t writes, reads, rows_read, tombstones_read, corrupt_values, flushes;
};

/* A writing transaction on the store's level. */
err_t store_write_begin(const struct store *s, struct kv_txn **out) MUST_USE;
/* Empties the level's view for the reader: the next read sees the newest commit. */
void store_reader_reset(struct store *s);
/* The view of a table's level for reading; *has is false when nothing of this table and incarnation is stored. */
err_t store_level_view(struct store *s, const struct table *t, struct level_view *out,
                       bool *has) MUST_USE;

/* Reads the tables' records anew. */
err_t store_tables_load(struct store *s) MUST_USE;
/* Tables that the schema has dropped or truncated and the level still stores. */
bool store_tables_to_empty(const struct store *s);
bool store_purge_running(const struct store *s);
void purge_job_free(struct purge_job *j);

/* What a read is made of: memtables (newest first, each may be NULL) over a level (NULL: none). */
struct read_sources {
    const struct memtable *memtables[2];
    const struct level_view *level;
    struct read_scratch *scratch;
    uint64_t rows_read, tombstones_read; /* out: added to */
};
err_t read_sources(struct read_sources *sources, const struct read_command *cmd,
                   struct read_position *pos, const struct read_budget *budget, struct arena *a,
                   struct buf *out, bool *more, uint64_t *seq_used) MUST_USE;

/* Meta keys. */
#define STORE_KEY_FORMAT     "format"
#define STORE_KEY_FLUSHED    "flushed"
#define STORE_FORMAT_VERSION 1

/* Drops cells of dropped columns: row_filter.keep with the table as ctx. */
bool store_keep_cell(const void *table, uint32_t column_id, int64_t timestamp);

#endif
