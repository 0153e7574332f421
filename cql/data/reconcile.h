/* The one merge: pure, commutative, associative, idempotent. Used by memtable, flush, coordinator and repair.
 * Order of two cells of one column and path (Cassandra 5.0's Cells.reconcile): higher timestamp; tombstone over live; expiring over
 * non-expiring; later local deletion time; *smaller* TTL (of two writes that expire together it is the later one); larger value
 * (memcmp). Equal only if byte-equal. Counter cells merge shard by shard (higher clock, then higher count); a counter tombstone always wins. */
#ifndef CQL_DATA_RECONCILE_H
#define CQL_DATA_RECONCILE_H

#include "cql/data/row.h"

/* < 0: b wins; > 0: a wins; 0: equal. Neither is a COMPLEX_DELETION. Not for two live counter cells: their merge is neither of them. */
int cell_reconcile(const struct cell *a, const struct cell *b);
struct liveness liveness_reconcile(struct liveness a, struct liveness b);

/* Appends the body of a merged with b to out; what row deletion, complex deletion or `covering` (the strongest partition or range
 * tombstone over this row, may be DELETION_NONE) supersedes is gone. b may be empty ({NULL,0}): then only `covering` is applied.
 * covering itself is not stored in the row. a and b must be canonical (row.h) and not lie in out. *out_empty is set when nothing remains (then nothing was appended).
 * ERR_CORRUPT when a or b is malformed. */
err_t row_merge(struct bytes a, struct bytes b, struct deletion covering, struct buf *out,
                bool *out_empty) MUST_USE;

/* Appends what a reader at now_s sees or a purge keeps:
 * - purge: tombstones (row, complex, cell) with local_deletion_s <= purge_before_s are dropped, and so are expired atoms with such a
 *   local_deletion_s; other expired atoms stay byte for byte.
 * - live_only: every tombstone and expired atom is dropped.
 * - dropped columns: cells of column ids for which keep(ctx, id, timestamp) is false are dropped; keep may be NULL. */
struct row_filter {
    int64_t now_s;
    int64_t purge_before_s; /* INT64_MIN: purge nothing */
    bool live_only;
    bool (*keep)(const void *ctx, uint32_t column_id, int64_t timestamp);
    const void *ctx;
};
err_t row_clean(struct bytes body, const struct row_filter *f, struct buf *out,
                bool *out_empty) MUST_USE;

/* Is there anything to see at now_s: a live marker or a live cell. */
err_t row_is_live(struct bytes body, int64_t now_s, bool *out) MUST_USE;

/* Range tombstones of a partition kept as maximal, non-overlapping runs ordered by lower bound: the pointwise maximum. */
struct range_tombstone {
    struct bytes lower, upper;
    struct deletion deletion;
};
struct range_list {
    struct range_tombstone *items;
    size_t count, cap;
};
/* Adds one (bounds are copied into a, as is everything that changes); empty ranges are ignored. Adjacent runs of equal deletion join. */
void range_list_add(struct range_list *l, struct arena *a, struct range_tombstone t);
/* Drops what d (a partition deletion) covers: every run that is not strictly stronger. */
void range_list_cover(struct range_list *l, struct deletion d);
/* The deletion covering position ck, or DELETION_NONE. O(log n). */
struct deletion range_list_at(const struct range_list *l, struct bytes ck);

#endif
