/* One shard's storage: memtable over frozen memtable over one LMDB level, fed through the node's commit log.
 *
 * A write, step by step: store_write() checks limits, appends a log record to the shard's outgoing batch, applies the mutation to the
 * memtable and says the record's sequence number. The driver (server/node) takes the batch with store_log_take() once a loop turn and
 * hands it to the node's commit log (commitlog.h, on the log thread); when that is synced it says so with store_log_synced(), and
 * whoever waits for a sequence number <= the synced one may be answered. A read merges memtable, frozen memtable and level; an
 * answer that used unsynced data waits for store_read_seq() in the group and batch modes.
 *
 * Thread: the shard's loop thread for everything here, except flush_job_step(), which any one thread may run. No function blocks on a
 * sync; nothing starts threads or reads clocks. System calls only behind kv.h (LMDB) and disk.h. */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "cql/base/list.h"
#include "cql/data/read.h"

struct store;
struct kv_env;

struct store_options {
    uint32_t shard;
    const char *directory; /* of this shard's LMDB environment; created when missing */
    size_t map_bytes;      /* address space reserved for LMDB, once */
    size_t
        memtable_bytes_max; /* freeze and flush at this size; writes are refused (ERR_OVERLOADED) at twice it */
    uint64_t hash_seed;        /* random: kept from the first open on */
    size_t mutation_bytes_max; /* a bigger one is refused (ERR_INVALID); 0: 16 MiB */
};

/* ERR_IO, ERR_CORRUPT (another format version, damaged) with a message. */
err_t store_open(const struct store_options *o, struct store **out, struct fail *fail) MUST_USE;
/* Does not flush. */
void store_close(struct store *s);

/* The schema that decides slots, incarnations, gc_grace and dropped columns; the store keeps a reference until the next call. Tables whose
 * slot or incarnation is gone are emptied by the next flush. */
void store_set_schema(struct store *s, struct schema *schema);

/* mutation must be valid (built here, or checked by mutation_validate()). *seq: its log sequence number in this shard (1, 2, …).
 * durable_writes = false keyspaces pass log = false: then only the memtable.
 * ERR_OVERLOADED: memtables full until a flush ends; ERR_DISK_FULL: a flush or the log reported no space; ERR_NOT_FOUND: no such
 * table or an older incarnation (the mutation is dropped); ERR_INVALID: too big. When log is false *seq is 0: nothing to wait for. */
err_t store_write(struct store *s, struct bytes mutation, bool log, uint64_t *seq) MUST_USE;

/* The records queued since the last call, encoded for commitlog_append(); the caller owns the buffer (buf_free()). Empty when none.
 * *last_seq: the highest sequence number in it. */
struct buf store_log_take(struct store *s, uint64_t *last_seq);
bool store_log_is_empty(const struct store *s);
/* Gives a taken buffer back, written or not wanted any more, for a later batch to be put in; *batch is empty afterwards. */
void store_log_give_back(struct store *s, struct buf *batch);
void store_log_synced(struct store *s, uint64_t seq);
uint64_t store_synced_seq(const struct store *s);
/* A record found in the commit log at start: applied unless the level already holds it (seq <= store_flushed_seq()). */
err_t store_replay(struct store *s, uint64_t seq, struct bytes mutation) MUST_USE;
/* Everything up to this sequence number is in the level: the log may forget it. */
uint64_t store_flushed_seq(const struct store *s);

/* A running flush, purge or store_state_put() takes turns at LMDB's one writer: store_state_put() may wait for one job step. */

/* Appends to out a chunk of the answer to cmd, going on from *pos (zeroed at first), which is advanced (its bytes are copied into a).
 * *more: there may be more. *seq_used: the highest log sequence number whose data was used.
 * ERR_CORRUPT when a stored value fails its checksum: never "no row". ERR_IO. */
err_t store_read(struct store *s, const struct read_command *cmd, struct read_position *pos,
                 const struct read_budget *budget, struct arena *a, struct buf *out, bool *more,
                 uint64_t *seq_used) MUST_USE;

/* Flush. store_flush_wanted() says when (size, memtable_flush_period_in_ms, an emptied table); _begin freezes the memtable and makes the job
 * (NULL when there is nothing to do or one is running); the job may only be stepped once the log is synced up to its
 * flush_job_freeze_seq(); each step is at most one LMDB transaction of about budget_us; _end, on the shard's thread, swaps the view. */
struct flush_job;
bool store_flush_wanted(struct store *s, struct now now);
struct flush_job *store_flush_begin(struct store *s, struct now now);
uint64_t flush_job_freeze_seq(const struct flush_job *j);
/* *done is set after the last step. On ERR_DISK_FULL the same step may be retried later; the store refuses writes meanwhile. */
err_t flush_job_step(struct flush_job *j, int64_t budget_us, bool *done,
                     struct fail *fail) MUST_USE;
/* err: what the last step said (OK when done). After an error that is not retried the frozen memtable stays and is flushed again later. */
void store_flush_end(struct store *s, struct flush_job *j, err_t err);

/* The log thread met a full disk (commitlog_append() said ERR_DISK_FULL; the batch is to be appended again), or has room again. */
void store_set_log_disk_full(struct store *s, bool full);

/* Purge: a walk over the level that drops expired tombstones and cells and the cells of dropped columns, for what no flush touches. Run it as begin,
 * one step or a few, end: it goes on where it stopped. No flush can begin in between, and none may be running (then NULL).
 * *done: the walk is at its end (the next begin starts a new one). */
struct purge_job;
struct purge_job *store_purge_begin(struct store *s, struct now now);
err_t purge_job_step(struct purge_job *j, int64_t budget_us, bool *done,
                     struct fail *fail) MUST_USE;
err_t store_purge_end(struct store *s, struct purge_job *j) MUST_USE;

/* Reads a memtable alone in the same way (virtual tables); arguments as store_read(). */
struct memtable;
err_t read_memtable(const struct memtable *m, const struct read_command *cmd,
                    struct read_position *pos, const struct read_budget *budget, struct arena *a,
                    struct buf *out, bool *more, uint64_t *seq_used) MUST_USE;

/* Small durable values of the node, kept in shard 0 and synced before the call returns (key: any bytes up to 255). */
err_t store_state_put(struct store *s, struct bytes key, struct bytes value) MUST_USE;
/* ERR_NOT_FOUND; the value is copied into a. */
err_t store_state_get(struct store *s, struct bytes key, struct arena *a,
                      struct bytes *value) MUST_USE;

/* Memory and counters, for admission, metrics and tests. */
struct store_stats {
    size_t memtable_bytes, frozen_bytes, level_bytes;
    uint64_t writes, reads, rows_read, tombstones_read, corrupt_values, flushes;
    bool disk_full;
};
void store_stats(const struct store *s, struct store_stats *out);

#endif
