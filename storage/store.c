/* One shard's storage put together; store.h says how it is used. */
#include "storage/store_priv.h"

#include "storage/log_record.h"

#include <stdlib.h>

enum { MUTATION_BYTES_MAX_DEFAULT = 16 << 20, TABLE_SLOTS_MAX = 1 << 20, STATE_KEY_MAX = 255 };
enum { LOG_SPARE_BYTES_MAX = 64 << 10 };

/* --- Tables of the level -------------------------------------------------------------------- */

struct level_table *level_tables_find(const struct level_tables *l, uint32_t slot)
{
    return slot < l->cap ? l->by_slot[slot] : NULL;
}

void level_tables_set(struct level_tables *l, const struct level_table *t)
{
    ensure(t->slot < TABLE_SLOTS_MAX);
    if (t->slot >= l->cap) {
        uint32_t cap = l->cap ? l->cap : 64;
        while (cap <= t->slot)
            cap *= 2;
        l->by_slot = realloc(l->by_slot, cap * sizeof(struct level_table *));
        ensure(l->by_slot != NULL);
        memset(l->by_slot + l->cap, 0, (cap - l->cap) * sizeof(struct level_table *));
        l->cap = cap;
    }
    if (!l->by_slot[t->slot]) {
        l->by_slot[t->slot] = malloc(sizeof *t);
        ensure(l->by_slot[t->slot] != NULL);
    }
    *l->by_slot[t->slot] = *t;
    l->kv_used[t->kv_slot] = true;
}

void level_tables_remove(struct level_tables *l, uint32_t slot)
{
    struct level_table *t = level_tables_find(l, slot);
    if (!t)
        return;
    l->kv_used[t->kv_slot] = false;
    free(t);
    l->by_slot[slot] = NULL;
}

void level_tables_free(struct level_tables *l)
{
    for (uint32_t i = 0; i < l->cap; i++)
        free(l->by_slot[i]);
    free(l->by_slot);
    *l = (struct level_tables){0};
}

err_t store_tables_load(struct store *s)
{
    struct kv_cursor *c;
    struct bytes key, value;
    level_tables_free(&s->tables);
    store_reader_reset(s);
    TRY(kv_reader_renew(s->reader));
    err_t err = kv_cursor_new(s->reader, LEVEL_META_SLOT, &c);
    if (err == OK) {
        err = kv_seek(c, bytes_of("t", 1), &key, &value);
        while (err == OK && key.n > 0 && key.p[0] == 't') {
            struct level_table t;
            err = level_table_decode(key, value, &t);
            if (err == OK && (t.slot >= TABLE_SLOTS_MAX || s->tables.kv_used[t.kv_slot]))
                err = ERR_CORRUPT;
            if (err != OK)
                break;
            level_tables_set(&s->tables, &t);
            err = kv_next(c, &key, &value);
        }
        kv_cursor_free(c);
    }
    kv_reader_reset(s->reader);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* --- Open and close -------------------------------------------------------------------------- */

/* format = version be32, shard be32, hash seed be64. Put by the first transaction that writes anything else: a new directory, with its
 * many shards, then opens without a sync. */
static err_t put_format(const struct store *s, struct kv_txn *txn)
{
    uint8_t format[16];
    struct bytes found;
    TRY(kv_slot_create(txn, LEVEL_META_SLOT));
    err_t err = level_meta_get(txn, bytes_str(STORE_KEY_FORMAT), &found);
    if (err != ERR_NOT_FOUND)
        return err;
    store_be32(format, STORE_FORMAT_VERSION);
    store_be32(format + 4, s->options.shard);
    store_be64(format + 8, s->hash_seed);
    return level_meta_put(txn, bytes_str(STORE_KEY_FORMAT), bytes_of(format, sizeof format));
}

err_t store_write_begin(const struct store *s, struct kv_txn **out)
{
    TRY(kv_write_begin(s->env, out));
    err_t err = put_format(s, *out);
    if (err != OK)
        kv_write_abort(*out);
    return err;
}

static err_t read_format(struct store *s, struct fail *fail)
{
    struct bytes v;
    TRY(kv_reader_renew(s->reader));
    err_t err = level_meta_get(s->reader, bytes_str(STORE_KEY_FORMAT), &v);
    if (err == ERR_NOT_FOUND) {
        kv_reader_reset(s->reader);
        s->hash_seed = s->options.hash_seed;
        return OK;
    }
    if (err == OK && v.n >= 4 && load_be32(v.p) != STORE_FORMAT_VERSION)
        err = fail_set(fail, ERR_CORRUPT, "%s has format version %u, this program reads %d",
                       s->options.directory, load_be32(v.p), STORE_FORMAT_VERSION);
    else if (err == OK && v.n == 16 && load_be32(v.p + 4) != s->options.shard)
        err = fail_set(fail, ERR_CORRUPT, "%s holds shard %u, not shard %u", s->options.directory,
                       load_be32(v.p + 4), s->options.shard);
    else if (err != OK || v.n != 16)
        err = fail_set(fail, err == OK ? ERR_CORRUPT : err, "%s: its format record is damaged",
                       s->options.directory);
    else
        s->hash_seed = load_be64(v.p + 8);
    if (err == OK) {
        err = level_meta_get(s->reader, bytes_str(STORE_KEY_FLUSHED), &v);
        if (err == OK && v.n == 8)
            s->flushed_seq = load_be64(v.p);
        else if (err != ERR_NOT_FOUND)
            err = fail_set(fail, ERR_CORRUPT, "%s: its log position is damaged",
                           s->options.directory);
        if (err == ERR_NOT_FOUND)
            err = OK;
    }
    kv_reader_reset(s->reader);
    return err;
}

err_t store_open(const struct store_options *o, struct store **out, struct fail *fail)
{
    struct store *s = calloc(1, sizeof *s);
    ensure(s != NULL);
    s->options = *o;
    if (s->options.mutation_bytes_max == 0)
        s->options.mutation_bytes_max = MUTATION_BYTES_MAX_DEFAULT;
    s->active = memtable_new();
    struct kv_options kv = {
        .directory = o->directory, .map_bytes = o->map_bytes, .slots_max = LEVEL_SLOTS_MAX};
    err_t err = kv_open(&kv, &s->env, fail);
    if (err == OK) {
        err = kv_reader_new(s->env, &s->reader);
        if (err != OK)
            fail_set(fail, err, "%s: %s", o->directory, kv_error_text(s->env));
    }
    if (err == OK)
        err = read_format(s, fail);
    if (err == OK) {
        err = store_tables_load(s);
        if (err != OK)
            fail_set(fail, err, "%s: the record of a table is damaged", o->directory);
    }
    if (err != OK) {
        store_close(s);
        return err;
    }
    s->options.directory = NULL; /* the caller's memory */
    s->seq = s->taken_seq = s->synced_seq = s->flushed_seq;
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    ensure(!s->job);
    store_reader_reset(s);
    for (size_t i = 0; i < LEVEL_SLOTS_MAX; i++) {
        kv_cursor_free(s->cursors[i][0]);
        kv_cursor_free(s->cursors[i][1]);
    }
    kv_reader_free(s->reader);
    kv_close(s->env);
    purge_job_free(s->purge);
    memtable_free(s->active);
    if (s->frozen)
        memtable_free(s->frozen);
    level_tables_free(&s->tables);
    read_scratch_free(&s->scratch);
    buf_free(&s->log);
    buf_free(&s->log_spare);
    if (s->schema)
        schema_unref(s->schema);
    free(s);
}

static bool is_gone(const struct schema *schema, const struct memtable_table *m)
{
    const struct table *t = schema_table_by_id(schema, &m->table_id);
    return !t || t->slot != m->slot || t->incarnation != m->incarnation;
}

void store_set_schema(struct store *s, struct schema *schema)
{
    struct schema *old = s->schema;
    s->schema = schema_ref(schema);
    s->last_table = NULL;
    s->period_tables = 0;
    if (old)
        schema_unref(old);
    struct memtable_table t;
    for (size_t i = 0; memtable_table_next(s->active, &i, &t);)
        if (is_gone(schema, &t))
            memtable_drop_table(s->active, t.slot);
    s->schema_has_periods = false;
    for (size_t i = 0; i < schema->keyspaces_count; i++)
        for (size_t k = 0; k < schema->keyspaces[i]->tables_count; k++)
            s->schema_has_periods |=
                schema->keyspaces[i]->tables[k]->options.memtable_flush_period_in_ms > 0;
    s->to_empty = store_tables_to_empty(s);
}

/* --- Writing -------------------------------------------------------------------------------- */

static size_t memory(const struct store *s)
{
    return memtable_bytes(s->active) + (s->frozen ? memtable_bytes(s->frozen) : 0);
}

static bool disk_is_full(const struct store *s)
{
    return s->log_disk_full || __atomic_load_n(&s->disk_full, __ATOMIC_RELAXED);
}

void store_set_log_disk_full(struct store *s, bool full)
{
    s->log_disk_full = full;
}

/* Writes to one table mostly follow each other. */
static const struct table *table_of(struct store *s, const struct uuid *id)
{
    if (s->last_table && memcmp(&s->last_table->id, id, sizeof *id) == 0)
        return s->last_table;
    return s->last_table = s->schema ? schema_table_by_id(s->schema, id) : NULL;
}

static err_t apply(struct store *s, struct bytes bytes, uint64_t seq)
{
    struct mutation m;
    TRY(mutation_decode(bytes, &m));
    const struct table *t = table_of(s, &m.table_id);
    if (!t || t->incarnation != m.incarnation)
        return ERR_NOT_FOUND;
    return memtable_apply(s->active, t, &m, seq);
}

err_t store_write(struct store *s, struct bytes mutation, bool log, uint64_t *seq)
{
    *seq = 0;
    if (disk_is_full(s))
        return ERR_DISK_FULL;
    if (mutation.n > s->options.mutation_bytes_max)
        return ERR_INVALID;
    if (memory(s) >= 2 * s->options.memtable_bytes_max)
        return ERR_OVERLOADED;
    TRY(apply(s, mutation, log ? s->seq + 1 : 0));
    s->writes++;
    if (log) {
        *seq = ++s->seq;
        log_record_put(&s->log, s->options.shard, *seq, mutation);
    }
    return OK;
}

struct buf store_log_take(struct store *s, uint64_t *last_seq)
{
    struct buf taken = s->log;
    s->log = s->log_spare;
    s->log_spare = (struct buf){0};
    s->taken_seq = s->seq;
    *last_seq = s->seq;
    return taken;
}

bool store_log_is_empty(const struct store *s)
{
    return s->log.n == 0;
}

void store_log_give_back(struct store *s, struct buf *batch)
{
    if (s->log_spare.cap == 0 && batch->cap <= LOG_SPARE_BYTES_MAX) {
        s->log_spare = *batch;
        s->log_spare.n = 0;
        *batch = (struct buf){0};
    } else {
        buf_free(batch);
    }
}

void store_log_synced(struct store *s, uint64_t seq)
{
    ensure(seq <= s->taken_seq);
    if (seq > s->synced_seq)
        s->synced_seq = seq;
}

uint64_t store_synced_seq(const struct store *s)
{
    return s->synced_seq;
}

err_t store_replay(struct store *s, uint64_t seq, struct bytes mutation)
{
    if (seq <= s->flushed_seq)
        return OK;
    /* What the level does not hold must be in the log without a hole. */
    if (seq != s->seq + 1)
        return ERR_CORRUPT;
    err_t err = apply(s, mutation, seq);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    s->seq = s->taken_seq = s->synced_seq = seq;
    return OK;
}

uint64_t store_flushed_seq(const struct store *s)
{
    return s->flushed_seq;
}

/* --- Reading -------------------------------------------------------------------------------- */

void store_reader_reset(struct store *s)
{
    if (s->reader_open)
        kv_reader_reset(s->reader);
    s->reader_open = false;
}

err_t store_level_view(struct store *s, const struct table *t, struct level_view *out, bool *has)
{
    const struct level_table *stored = level_tables_find(&s->tables, t->slot);
    *has = stored && stored->incarnation == t->incarnation && memcmp(&stored->id, &t->id, 16) == 0;
    if (!*has)
        return OK;
    if (!s->reader_open) {
        TRY(kv_reader_renew(s->reader));
        s->reader_open = true;
    }
    struct kv_cursor **cursors = s->cursors[stored->kv_slot];
    for (int i = 0; i < 2; i++)
        if (!cursors[i])
            TRY(kv_cursor_new(s->reader, stored->kv_slot, &cursors[i]));
    *out = (struct level_view){.txn = s->reader,
                               .table = stored,
                               .cursor = cursors[0],
                               .cursor2 = cursors[1],
                               .hash_seed = s->hash_seed};
    return OK;
}

err_t store_read(struct store *s, const struct read_command *cmd, struct read_position *pos,
                 const struct read_budget *budget, struct arena *a, struct buf *out, bool *more,
                 uint64_t *seq_used)
{
    struct level_view view;
    bool has_level;
    struct read_sources sources = {.memtables = {s->active, s->frozen}, .scratch = &s->scratch};
    s->reads++;
    err_t err = store_level_view(s, cmd->table, &view, &has_level);
    if (err == OK) {
        sources.level = has_level ? &view : NULL;
        err = read_sources(&sources, cmd, pos, budget, a, out, more, seq_used);
    }
    /* Nobody writes: the snapshot stays the newest, and holds no page back. */
    if (s->writers > 0)
        store_reader_reset(s);
    s->rows_read += sources.rows_read;
    s->tombstones_read += sources.tombstones_read;
    s->corrupt_values += err == ERR_CORRUPT;
    return err == ERR_NOT_FOUND || err == ERR_FULL ? ERR_IO : err;
}

bool store_keep_cell(const void *table, uint32_t column_id, int64_t timestamp)
{
    const struct table *t = table;
    if (table_column_by_id(t, column_id))
        return true;
    for (size_t i = 0; i < t->dropped_count; i++)
        if (t->dropped[i].id == column_id && timestamp <= t->dropped[i].dropped_us)
            return false;
    return true;
}

/* --- When to flush ---------------------------------------------------------------------------- */

/* The shortest memtable_flush_period_in_ms of the tables with data; 0: none. */
static int64_t period_ms(const struct store *s)
{
    struct memtable_table m;
    int64_t least = 0;
    for (size_t i = 0; memtable_table_next(s->active, &i, &m);) {
        const struct table *t = schema_table_by_id(s->schema, &m.table_id);
        int64_t period = t ? t->options.memtable_flush_period_in_ms : 0;
        if (period > 0 && (least == 0 || period < least))
            least = period;
    }
    return least;
}

bool store_flush_wanted(struct store *s, struct now now)
{
    if (s->job || !s->schema || store_purge_running(s))
        return false;
    if (s->frozen || s->to_empty || memtable_bytes(s->active) >= s->options.memtable_bytes_max)
        return true;
    if (!s->schema_has_periods || memtable_is_empty(s->active))
        return false;
    if (s->period_tables != memtable_tables_count(s->active)) {
        s->period_tables = memtable_tables_count(s->active);
        s->period_ms = period_ms(s);
    }
    int64_t period = s->period_ms;
    if (period == 0)
        return false;
    if (!s->active_seen) {
        s->active_seen = true;
        s->active_since = now.mono;
    }
    return now.mono.us - s->active_since.us >= period * 1000;
}

/* --- State and statistics ---------------------------------------------------------------------- */

static struct bytes state_key(uint8_t out[STATE_KEY_MAX + 1], struct bytes key)
{
    out[0] = 's';
    if (key.n)
        memcpy(out + 1, key.p, key.n);
    return bytes_of(out, key.n + 1);
}

err_t store_state_put(struct store *s, struct bytes key, struct bytes value)
{
    uint8_t full[STATE_KEY_MAX + 1];
    struct kv_txn *txn;
    if (key.n > STATE_KEY_MAX)
        return ERR_INVALID;
    store_reader_reset(s);
    TRY(store_write_begin(s, &txn));
    err_t err = level_meta_put(txn, state_key(full, key), value);
    if (err != OK) {
        kv_write_abort(txn);
        return err;
    }
    return kv_write_commit(txn);
}

err_t store_state_get(struct store *s, struct bytes key, struct arena *a, struct bytes *value)
{
    uint8_t full[STATE_KEY_MAX + 1];
    struct bytes found;
    if (key.n > STATE_KEY_MAX)
        return ERR_INVALID;
    store_reader_reset(s);
    TRY(kv_reader_renew(s->reader));
    err_t err = level_meta_get(s->reader, state_key(full, key), &found);
    if (err == OK)
        *value = arena_dup(a, found);
    kv_reader_reset(s->reader);
    return err;
}

void store_stats(const struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){
        .memtable_bytes = memtable_bytes(s->active),
        .frozen_bytes = s->frozen ? memtable_bytes(s->frozen) : 0,
        .level_bytes = kv_bytes(s->env),
        .writes = s->writes,
        .reads = s->reads,
        .rows_read = s->rows_read,
        .tombstones_read = s->tombstones_read,
        .corrupt_values = s->corrupt_values,
        .flushes = s->flushes,
        .disk_full = disk_is_full(s),
    };
}
