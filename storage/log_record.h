/* The bytes of the commit log: what a shard puts in its batch, what the log seals when it knows where the record goes, and the scan
 * that reads a segment back. Layout: storage/README.md. Pure. */
#ifndef STORAGE_LOG_RECORD_H
#define STORAGE_LOG_RECORD_H

#include "cql/base/buf.h"
#include "cql/schema/schema.h"

#define LOG_HEADER_BYTES        512 /* of a segment: one sector, so that records never share one with it */
#define LOG_RECORD_HEADER_BYTES 20
#define LOG_MARK_BYTES          24
#define LOG_RECORD_ALIGN        8
#define LOG_FORMAT_VERSION      1

enum log_record_kind { LOG_MUTATION = 1, LOG_SYNC_MARK = 2 };

struct log_segment_header {
    struct uuid directory_id;
    uint64_t number;
    uint64_t previous_end; /* where the records of segment number - 1 end; 0: there is none */
};

/* out: LOG_HEADER_BYTES bytes. */
void log_header_store(uint8_t *out, const struct log_segment_header *h);
/* ERR_CORRUPT with *why (static). */
err_t log_header_load(struct bytes b, struct log_segment_header *out, const char **why) MUST_USE;

/* Appends a record whose checksum covers all but its place. mutation.n < 2^32 - 64, shard < 65536. */
void log_record_put(struct buf *out, uint32_t shard, uint64_t seq, struct bytes mutation);
/* Appends the mark "everything before offset `synced` of this segment was synced". */
void log_mark_put(struct buf *out, uint64_t synced);
/* Makes every record of the batch good for its place, offset in segment h. False when the batch is not whole records. */
bool log_batch_seal(uint8_t *batch, size_t n, const struct log_segment_header *h, uint64_t offset);

/* Reads the records of a segment (header included in `segment`) in order.
 * limit: where they must end (the next segment's previous_end), or 0 when this is the last segment: then the first invalid record is
 * the end, unless a later mark says that it lies in what was synced.
 * *end_out: behind the last valid record. ERR_CORRUPT: *why (static) and *end_out say what and where. Errors of apply are handed on. */
err_t log_scan(struct bytes segment, const struct log_segment_header *h, uint64_t limit,
               err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation),
               void *ctx, uint64_t *end_out, const char **why) MUST_USE;

#endif
