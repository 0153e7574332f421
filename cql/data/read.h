/* What to read, and the shape of the answer.
 *
 * The answer of a replica (or shard) is a partition stream in the row encoding:
 *   result = { 1 u8, pk lstr, op*, OP_END }*          ops ordered as row.h says; rows reversed when the command is
 * A chunk may end inside a partition: the next one repeats the pk (without the static row; with tombstones, the partition deletion is repeated, so that each chunk can be merged alone). */
#ifndef CQL_DATA_READ_H
#define CQL_DATA_READ_H

#include "cql/data/mutation.h"

struct slice {
    struct bytes lower, upper; /* [lower, upper) over encoded clustering keys */
};

/* Where to go on: strictly after row ck of partition pk (before it when reversed). */
struct read_position {
    bool set;
    struct bytes pk;
    bool partition_done; /* nothing more of pk: go on with the next partition */
    bool
        rows_begun; /* ck is a row that was returned; false: only the static row was (or nothing) */
    struct bytes ck;
    uint32_t
        partition_rows; /* live rows of pk returned so far: they count against partition_limit */
    bool
        static_again; /* the static row is wanted once more: the asker is not who it was returned to (a later page) */
};

struct read_command {
    const struct table *table;
    int64_t now_s; /* TTL expiry and liveness are judged at this second */
    /* Either keys, one partition after another in this order … */
    const struct bytes *keys;
    size_t keys_count;
    /* … or (is_range) all partitions with start < token <= end; start_inclusive/end_exclusive adjust the ends. */
    bool is_range, start_inclusive, end_exclusive;
    struct token start, end;
    const struct slice
        *slices; /* ordered, disjoint; at least one, e.g. {"", 0xFF} for whole partitions */
    size_t slices_count;
    bool reversed; /* rows of each partition in descending order */
    bool
        static_only; /* no clustering rows wanted but for knowing that the partition is live (SELECT DISTINCT): one row is enough */
    bool want_static; /* the static row is wanted */
    bool
        with_tombstones; /* replicas of a replicated read: tombstones and dead rows too; else live data only */
    uint32_t partition_limit; /* rows of each partition at most; 0: no limit */
};

/* One call's bounds and outcome. */
struct read_budget {
    uint32_t rows_max;
    size_t bytes_max;     /* of result appended; overrun by at most one row */
    uint32_t scanned_max; /* rows or tombstones looked at, dead ones included */
};

struct result_iter {
    struct cur cur;
};
static inline struct result_iter result_iter(struct bytes b)
{
    return (struct result_iter){cur_of(b)};
}
/* The next partition's key and a cursor over its ops (which end with OP_END); call result_leave() with the cursor once its OP_END was
 * read, or result_skip() to pass over the rest. False at the end. ERR_CORRUPT shows as it->cur.bad. */
bool result_next(struct result_iter *it, struct bytes *pk, struct cur *ops);
/* Passes over the rest of the partition's ops, OP_END included, and leaves it. ERR_CORRUPT when malformed or cut. */
err_t result_skip(struct result_iter *it, struct cur *ops) MUST_USE;
static inline void result_leave(struct result_iter *it, const struct cur *ops)
{
    it->cur.p = ops->p;
}
void result_begin_partition(struct buf *out, struct bytes pk);

/* Appends the merge of the ordered answers for the same command (of different replicas, or of shards: then they are disjoint) to out.
 * Partitions come in the order of cmd->keys, or of partition_compare() when is_range; tombstones of each answer act on the rows of
 * all. Limits are not applied, and an answer that was cut short by its budget is taken as if it were whole: a caller that merges
 * such answers goes on from the least of their ends. ERR_CORRUPT: malformed, or a partition that was not asked for.
 * Only uses of cmd: keys, is_range, reversed. */
err_t result_merge(const struct bytes *results, size_t count, const struct read_command *cmd,
                   struct buf *out) MUST_USE;

#endif
