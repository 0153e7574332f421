/* The node's one commit log: segments of records of all shards, written by one thread.
 *
 * Record: length, CRC32C, shard, sequence number, mutation (exact layout: storage/README.md). A segment starts with a header naming format
 * version, segment number and the node's directory id. Segments are preallocated (commitlog_segment_size), so that fdatasync
 * writes no metadata. A torn tail ends replay of the last segment only; damage before data that was synced is ERR_CORRUPT.
 *
 * Thread: one (the log thread) for everything after commitlog_open/replay; no locks. */
#ifndef STORAGE_COMMITLOG_H
#define STORAGE_COMMITLOG_H

#include "cql/base/buf.h"
#include "cql/schema/schema.h"

struct commitlog;
struct disk;

struct commitlog_options {
    const char *directory;
    size_t segment_bytes; /* 32 MiB */
    size_t
        total_bytes_max; /* trim pressure: shards holding the oldest segment should flush above it */
    uint32_t shards;     /* sequence numbers of more are refused in replay */
    struct uuid directory_id; /* of the node's data directory: segments of another are refused */
};

/* Opens or creates; does not replay. ERR_IO, ERR_CORRUPT with a message. disk: the system calls (disk.h). */
err_t commitlog_open(struct disk *disk, const struct commitlog_options *o, struct commitlog **out,
                     struct fail *fail) MUST_USE;
void commitlog_close(struct commitlog *l);

/* Calls apply for every record found, oldest first per shard; to be called once, before the first append. */
err_t commitlog_replay(struct commitlog *l,
                       err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq,
                                      struct bytes mutation),
                       void *ctx, struct fail *fail) MUST_USE;

/* The same for a caller that applies later: what apply was given stays valid until segment_end has returned, which is called after the
 * last record of each segment. */
err_t commitlog_replay_segments(struct commitlog *l,
                                err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq,
                                               struct bytes mutation),
                                err_t (*segment_end)(void *ctx), void *ctx,
                                struct fail *fail) MUST_USE;

/* Appends one shard's batch as made by store_log_take(); written to the file, not synced. ERR_DISK_FULL leaves the log as before;
 * any other error is final. */
err_t commitlog_append(struct commitlog *l, uint32_t shard, struct bytes batch, uint64_t last_seq,
                       struct fail *fail) MUST_USE;
/* fdatasync of everything appended. A failure is final: the node must stop (never retried, never acknowledged). */
err_t commitlog_sync(struct commitlog *l, struct fail *fail) MUST_USE;
/* Deletes (or recycles) segments all of whose records are flushed: flushed_seq[shard]. */
err_t commitlog_trim(struct commitlog *l, const uint64_t *flushed_seq, struct fail *fail) MUST_USE;
/* The shard that holds back the oldest segment when the log is above total_bytes_max: it should flush; -1: none. */
int commitlog_pressure(const struct commitlog *l, const uint64_t *flushed_seq);
size_t commitlog_bytes(const struct commitlog *l);

#endif
