/* Flush and purge: jobs that change the level, one LMDB transaction a step (store.h has the contract, merge.h the merge itself).
 *
 * A flush of a frozen memtable:
 *
 *   TABLES ──▶ MERGE (each table, each partition, in order) ──▶ DONE
 *   drops and truncations       the last step also records the freeze position
 *
 * A step works on a copy of the job's progress and of the tables' records, which replace the job's own after the commit: after a failed
 * step the job stands where it stood, and the same step can be tried again. What a crash leaves is a level with some of the memtable
 * merged; the log still has all of it, and merging again changes nothing. */
#include "storage/store_priv.h"

#include "storage/merge.h"

#include <stdlib.h>

/* One entry is taken to cost this much of a step's budget: searching and writing it, and its share of the commit (20,000 to 180,000
 * entries a second were measured, by the size of the batch). Storage has no clock to look at. */
enum { ENTRY_US = 4, WORK_MIN = 64, BYTES_PER_US = 50 };

enum flush_phase { FLUSH_TABLES, FLUSH_MERGE, FLUSH_DONE };

struct progress {
    enum flush_phase phase;
    size_t tables_at; /* iteration of the memtable's tables: the next */
    bool in_table;
    struct memtable_table table;
    struct memtable_cursor cursor; /* the next partition of the table */
    bool in_partition;
    struct memtable_partition partition;
    struct merge_position position;
    struct level_tables tables; /* records of the level as this job has changed them */
};

struct flush_job {
    struct store *store;
    struct kv_env *env;
    uint64_t hash_seed;
    const struct memtable *memtable;
    struct schema *schema;
    uint64_t freeze_seq;
    int64_t now_s;
    struct progress progress;
    uint64_t corrupt_values,
        work_scale; /* a transaction that was too big halves the next: 1, 2, 4 … */
};

static void progress_copy(struct progress *to, const struct progress *from)
{
    struct merge_position position = to->position;
    struct level_tables tables = to->tables;
    *to = *from;
    to->position = position;
    merge_position_copy(&to->position, &from->position);
    for (uint32_t i = 0; i < tables.cap; i++)
        free(tables.by_slot[i]);
    free(tables.by_slot);
    to->tables = (struct level_tables){0};
    for (uint32_t i = 0; i < from->tables.cap; i++)
        if (from->tables.by_slot[i])
            level_tables_set(&to->tables, from->tables.by_slot[i]);
    memcpy(to->tables.kv_used, from->tables.kv_used, sizeof to->tables.kv_used);
}

static void progress_free(struct progress *p)
{
    level_tables_free(&p->tables);
    buf_free(&p->position.ck);
}

/* Does the schema still have what the level stores for this record. */
static const struct table *live_table(const struct schema *schema, const struct level_table *t)
{
    const struct table *found = schema_table_by_id(schema, &t->id);
    return found && found->slot == t->slot ? found : NULL;
}

static bool needs_emptying(const struct schema *schema, const struct level_table *t)
{
    const struct table *table = live_table(schema, t);
    return !table || table->incarnation > t->incarnation;
}

bool store_tables_to_empty(const struct store *s)
{
    if (!s->schema)
        return false;
    for (uint32_t i = 0; i < s->tables.cap; i++)
        if (s->tables.by_slot[i] && needs_emptying(s->schema, s->tables.by_slot[i]))
            return true;
    return false;
}

/* Empties one dropped or truncated table; *done when there is none left. */
static err_t empty_one(struct flush_job *j, struct progress *p, struct kv_txn *txn, bool *done)
{
    for (uint32_t i = 0; i < p->tables.cap; i++) {
        struct level_table *t = p->tables.by_slot[i];
        if (!t || !needs_emptying(j->schema, t))
            continue;
        const struct table *table = live_table(j->schema, t);
        *done = false;
        TRY(kv_slot_empty(txn, t->kv_slot));
        if (table) {
            struct level_table now = {.slot = t->slot,
                                      .kv_slot = t->kv_slot,
                                      .id = t->id,
                                      .incarnation = table->incarnation};
            *t = now;
            return level_table_put(txn, t);
        }
        /* Its kv slot stays taken until the job ends: readers may still look into it. */
        uint32_t kv_slot = t->kv_slot, slot = t->slot;
        level_tables_remove(&p->tables, slot);
        p->tables.kv_used[kv_slot] = true;
        return level_table_del(txn, slot);
    }
    *done = true;
    return OK;
}

static err_t table_for_write(struct progress *p, struct kv_txn *txn, const struct table *table,
                             struct level_table **out)
{
    struct level_table *t = level_tables_find(&p->tables, table->slot);
    if (!t) {
        struct level_table fresh = {
            .slot = table->slot, .id = table->id, .incarnation = table->incarnation};
        fresh.kv_slot = LEVEL_META_SLOT + 1;
        while (fresh.kv_slot < LEVEL_SLOTS_MAX && p->tables.kv_used[fresh.kv_slot])
            fresh.kv_slot++;
        if (fresh.kv_slot == LEVEL_SLOTS_MAX)
            return ERR_FULL;
        level_tables_set(&p->tables, &fresh);
        t = level_tables_find(&p->tables, table->slot);
    }
    *out = t;
    return kv_slot_create(txn, t->kv_slot);
}

static int64_t purge_before(const struct table *t, int64_t now_s)
{
    return now_s - t->options.gc_grace_seconds;
}

/* Goes on with the partitions of the table in hand. */
static err_t merge_table(struct flush_job *j, struct progress *p, struct kv_txn *txn,
                         const struct table *table, uint64_t work_max, uint64_t *work)
{
    struct level_table *stored;
    TRY(table_for_write(p, txn, table, &stored));
    if (stored->incarnation != table->incarnation) {
        p->in_table = false; /* cannot be: such tables were emptied first */
        return OK;
    }
    struct level_writer w = {0};
    TRY(level_writer_begin(&w, txn, stored, j->hash_seed));
    struct merge_rules rules = {
        .table = table, .now_s = j->now_s, .purge_before_s = purge_before(table, j->now_s)};
    err_t err = OK;
    while (err == OK && *work + w.put_bytes / (ENTRY_US * BYTES_PER_US) < work_max) {
        if (!p->in_partition) {
            if (!memtable_next(&p->cursor, &p->partition)) {
                p->in_table = false;
                break;
            }
            p->in_partition = true;
            p->position.phase = MERGE_BEGIN;
        }
        bool done;
        err = merge_partition(&w, &rules, &p->partition, &p->position, work_max, work,
                              &j->corrupt_values, &done);
        if (err == OK && done)
            p->in_partition = false;
    }
    level_writer_end(&w);
    return err == OK ? level_table_put(txn, stored) : err;
}

static err_t merge_some(struct flush_job *j, struct progress *p, struct kv_txn *txn,
                        uint64_t work_max)
{
    uint64_t work = 0;
    while (work < work_max) {
        if (!p->in_table) {
            if (!memtable_table_next(j->memtable, &p->tables_at, &p->table)) {
                p->phase = FLUSH_DONE;
                return OK;
            }
            p->in_table = true;
            memtable_seek(j->memtable, p->table.slot, TOKEN_MIN, &p->cursor);
        }
        const struct table *table = schema_table_by_id(j->schema, &p->table.table_id);
        if (!table || table->slot != p->table.slot || table->incarnation != p->table.incarnation) {
            p->in_table = false; /* dropped or truncated since */
            continue;
        }
        uint64_t before = work;
        TRY(merge_table(j, p, txn, table, work_max, &work));
        if (p->in_table && work == before)
            break; /* the bytes are used up */
    }
    return OK;
}

static err_t step(struct flush_job *j, struct progress *p, uint64_t work_max)
{
    struct kv_txn *txn;
    TRY(store_write_begin(j->store, &txn));
    err_t err = OK;
    if (p->phase == FLUSH_TABLES) {
        bool none_left;
        err = empty_one(j, p, txn, &none_left);
        if (err == OK && none_left)
            p->phase = FLUSH_MERGE;
    }
    if (err == OK && p->phase == FLUSH_MERGE)
        err = merge_some(j, p, txn, work_max);
    if (err == OK && p->phase == FLUSH_DONE) {
        uint8_t seq[8];
        store_be64(seq, j->freeze_seq);
        err = level_meta_put(txn, bytes_str(STORE_KEY_FLUSHED), bytes_of(seq, sizeof seq));
    }
    if (err != OK) {
        kv_write_abort(txn);
        return err;
    }
    return kv_write_commit(txn);
}

err_t flush_job_step(struct flush_job *j, int64_t budget_us, bool *done, struct fail *fail)
{
    struct progress p = {0};
    err_t err;
    do {
        uint64_t work_max = (uint64_t)(budget_us > 0 ? budget_us : 0) / ENTRY_US / j->work_scale;
        if (work_max < WORK_MIN)
            work_max = WORK_MIN;
        progress_copy(&p, &j->progress);
        err = step(j, &p, work_max);
        if (err == ERR_FULL && work_max > WORK_MIN)
            j->work_scale *= 2;
        else if (err == ERR_FULL)
            err = ERR_IO;
    } while (err == ERR_FULL);
    if (err == OK) {
        struct progress old = j->progress;
        j->progress = p;
        p = old;
        *done = j->progress.phase == FLUSH_DONE;
    }
    progress_free(&p);
    if (err == OK || err == ERR_DISK_FULL)
        __atomic_store_n(&j->store->disk_full, err != OK, __ATOMIC_RELAXED);
    if (err != OK)
        return fail_set(fail, err, "flush of shard %u: %s: %s", j->store->options.shard,
                        err_name(err), kv_error_text(j->env));
    return OK;
}

uint64_t flush_job_freeze_seq(const struct flush_job *j)
{
    return j->freeze_seq;
}

static bool unlogged_or_newer(const struct store *s)
{
    return !memtable_is_empty(s->active) || s->seq > s->flushed_seq || s->to_empty;
}

struct flush_job *store_flush_begin(struct store *s, struct now now)
{
    if (s->job || !s->schema || store_purge_running(s))
        return NULL;
    if (!s->frozen) {
        if (!unlogged_or_newer(s))
            return NULL;
        s->frozen = s->active;
        s->frozen_seq = s->seq;
        s->active = memtable_new();
        s->active_seen = false;
        s->period_tables = 0;
    }
    struct flush_job *j = calloc(1, sizeof *j);
    ensure(j != NULL);
    j->store = s;
    j->env = s->env;
    j->hash_seed = s->hash_seed;
    j->memtable = s->frozen;
    j->schema = schema_ref(s->schema);
    j->freeze_seq = s->frozen_seq;
    j->now_s = wall_s(now.wall);
    j->work_scale = 1;
    struct progress first = {.phase = FLUSH_TABLES, .tables = s->tables};
    progress_copy(&j->progress, &first);
    s->job = j;
    s->writers++;
    store_reader_reset(s);
    return j;
}

void store_flush_end(struct store *s, struct flush_job *j, err_t err)
{
    ensure(s->job == j);
    s->job = NULL;
    s->writers--;
    store_reader_reset(s);
    s->corrupt_values += j->corrupt_values;
    /* Steps that were committed changed the level, whatever became of the rest. */
    level_tables_free(&s->tables);
    s->tables = j->progress.tables;
    j->progress.tables = (struct level_tables){0};
    memset(s->tables.kv_used, 0, sizeof s->tables.kv_used);
    for (uint32_t i = 0; i < s->tables.cap; i++)
        if (s->tables.by_slot[i])
            s->tables.kv_used[s->tables.by_slot[i]->kv_slot] = true;
    s->to_empty = store_tables_to_empty(s);
    if (err == OK && j->progress.phase == FLUSH_DONE) {
        memtable_free(s->frozen);
        s->frozen = NULL;
        s->flushed_seq = j->freeze_seq;
        s->flushes++;
    }
    schema_unref(j->schema);
    progress_free(&j->progress);
    free(j);
}

/* --- Purge ---------------------------------------------------------------------------------- */

struct purge_job {
    struct store *store;
    struct schema *schema; /* while running */
    bool running, finished;
    int64_t now_s;
    struct level_tables tables; /* copies */
    uint32_t at;                /* slot */
    bool has_position;
    struct token token;
    struct buf pk; /* of the partition in hand, or the last one done */
    bool in_partition;
    struct merge_position position;
    uint64_t changed;
};

struct purge_job *store_purge_begin(struct store *s, struct now now)
{
    struct purge_job *j = s->purge;
    if (s->job || !s->schema || (j && j->running))
        return NULL;
    if (!j) {
        s->purge = j = calloc(1, sizeof *j);
        ensure(j != NULL);
        j->store = s;
    }
    j->running = true;
    j->schema = schema_ref(s->schema);
    j->now_s = wall_s(now.wall);
    for (uint32_t i = 0; i < s->tables.cap; i++)
        if (s->tables.by_slot[i])
            level_tables_set(&j->tables, s->tables.by_slot[i]);
    s->writers++;
    store_reader_reset(s);
    return j;
}

bool store_purge_running(const struct store *s)
{
    return s->purge && s->purge->running;
}

void purge_job_free(struct purge_job *j)
{
    if (!j)
        return;
    if (j->running)
        schema_unref(j->schema);
    level_tables_free(&j->tables);
    buf_free(&j->pk);
    buf_free(&j->position.ck);
    free(j);
}

err_t store_purge_end(struct store *s, struct purge_job *j)
{
    ensure(s->purge == j && j->running);
    j->running = false;
    s->writers--;
    store_reader_reset(s);
    schema_unref(j->schema);
    level_tables_free(&j->tables);
    if (j->finished) {
        purge_job_free(j);
        s->purge = NULL;
    }
    /* Counts as committed, whatever the last step did. */
    return store_tables_load(s);
}

/* The partition to go on with. ERR_NOT_FOUND: the table is done. */
static err_t purge_next(struct purge_job *j, const struct level_view *v,
                        struct level_partition *out)
{
    if (j->in_partition || j->has_position) {
        if (j->in_partition) {
            bool found;
            out->token = j->token;
            out->pk = buf_bytes(&j->pk);
            return level_prefix_find(v, j->token, out->pk, &out->prefix, &found);
        }
        return level_partition_after(v, j->token, buf_bytes(&j->pk), out);
    }
    return level_partition_seek(v, TOKEN_MIN, out);
}

static err_t purge_table(struct purge_job *j, struct level_writer *w, const struct table *table,
                         uint64_t work_max, bool *table_done)
{
    struct merge_rules rules = {
        .table = table, .now_s = j->now_s, .purge_before_s = purge_before(table, j->now_s)};
    uint64_t work = 0;
    *table_done = false;
    while (work < work_max) {
        struct level_partition p;
        err_t err = purge_next(j, &w->view, &p);
        if (err == ERR_NOT_FOUND) {
            *table_done = true;
            return OK;
        }
        TRY(err);
        if (!j->in_partition) {
            j->token = p.token;
            j->pk.n = 0;
            buf_put_bytes(&j->pk, p.pk);
            j->in_partition = j->has_position = true;
            j->position.phase = MERGE_BEGIN;
        }
        p.pk = buf_bytes(&j->pk);
        bool done;
        TRY(purge_partition(w, &rules, &p, &j->position, work_max, &work, &done));
        if (done)
            j->in_partition = false;
    }
    return OK;
}

static err_t purge_step(struct purge_job *j, uint64_t work_max, bool *done)
{
    struct level_table *t = NULL;
    const struct table *table = NULL;
    for (; j->at < j->tables.cap; j->at++) {
        t = j->tables.by_slot[j->at];
        table = t ? live_table(j->schema, t) : NULL;
        if (table && table->incarnation == t->incarnation)
            break;
    }
    *done = j->finished = j->at >= j->tables.cap;
    if (*done)
        return OK;
    struct kv_txn *txn;
    TRY(kv_write_begin(j->store->env, &txn));
    struct level_writer w = {0};
    bool table_done = false;
    err_t err = kv_slot_create(txn, t->kv_slot);
    if (err == OK)
        err = level_writer_begin(&w, txn, t, j->store->hash_seed);
    if (err == OK) {
        err = purge_table(j, &w, table, work_max, &table_done);
        j->changed += w.puts;
        level_writer_end(&w);
    }
    if (err == OK)
        err = level_table_put(txn, t);
    if (err != OK) {
        kv_write_abort(txn);
        return err;
    }
    TRY(kv_write_commit(txn));
    if (table_done) {
        j->at++;
        j->has_position = j->in_partition = false;
    }
    return OK;
}

err_t purge_job_step(struct purge_job *j, int64_t budget_us, bool *done, struct fail *fail)
{
    uint64_t work_max = (uint64_t)(budget_us > 0 ? budget_us : 0) / ENTRY_US;
    /* A failed step has changed nothing in the level but may have moved the position: then some is purged by the next walk. */
    err_t err = purge_step(j, work_max < WORK_MIN ? WORK_MIN : work_max, done);
    if (err != OK)
        return fail_set(fail, err, "purge of shard %u: %s: %s", j->store->options.shard,
                        err_name(err), kv_error_text(j->store->env));
    return OK;
}
