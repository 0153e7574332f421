/* Rows, cells and tombstones: the one encoding used in mutations, log, memtable, LMDB, read results, hints and repair.
 *
 * A partition is a stream of *ops* in this order: at most one OP_PARTITION_DELETION, at most one OP_STATIC_ROW, then
 * OP_RANGE_TOMBSTONEs ordered by lower bound, then OP_ROWs ordered by clustering key (memcmp), then OP_END where the stream is
 * embedded. In a mutation the order within kinds is free; merged streams (memtable, level, read results) are ordered.
 *
 *   op            = kind u8, content
 *   PARTITION_DELETION  timestamp zigzag, local_deletion_s varint
 *   STATIC_ROW    body lstr
 *   RANGE_TOMBSTONE     lower lstr, upper lstr, timestamp zigzag, local_deletion_s varint
 *   ROW           ck lstr, body lstr
 *   body          = flags u8, base timestamp zigzag,
 *                   [marker: timestamp delta zigzag, [ttl varint, local_deletion_s varint]]  (ROW_MARKER, ROW_MARKER_EXPIRING)
 *                   [deletion: timestamp delta zigzag, local_deletion_s varint]              (ROW_DELETION)
 *                   cell*                                  to the end of the body, ordered by (column id, complex deletion first, path)
 *   cell          = column id varint, flags u8, timestamp delta zigzag,
 *                   [ttl varint] (EXPIRING), [local_deletion_s varint] (EXPIRING, TOMBSTONE, COMPLEX_DELETION),
 *                   [path lstr] (HAS_PATH), [value lstr] (unless TOMBSTONE or COMPLEX_DELETION)
 *
 * Clustering keys and bounds are byte strings in the order-preserving encoding (type_key_encode of each component, in order). All
 * ranges are half-open [lower, upper) in memcmp order: "a prefix P inclusive" from below is P, "after everything that starts with P"
 * is P || 0xFF; the unbounded lower is the empty string, the unbounded upper is {0xFF}. A table without clustering columns has one row
 * a partition, with the empty clustering key.
 *
 * A body is *canonical*: its cells are in strict order, and nothing in it is covered by a tombstone in it (row deletion over marker and
 * cells, complex deletion over the cells of its column). row_merge() makes only such, builders must, mutation_validate() checks it.
 *
 * Value of a counter cell: one (id 16 bytes, clock be64, count be64) for each counter shard, by ascending id.
 *
 * Cell paths: list: the 16 bytes of a timeuuid, ordered as type_key_encode of timeuuid; set: the element; map: the key, both
 * order-preserving encoded (type_key_encode ascending) so that memcmp orders them; UDT: the field index, 2 bytes big-endian. */
#ifndef CQL_DATA_ROW_H
#define CQL_DATA_ROW_H

#include "cql/base/buf.h"

#define TIMESTAMP_NONE       INT64_MIN /* "no marker", "no deletion": older than everything */
#define LOCAL_DELETION_NEVER INT64_MAX

/* A tombstone of a partition, row, range or collection. Covers atoms with timestamp <= its own. */
struct deletion {
    int64_t timestamp;        /* microseconds; TIMESTAMP_NONE: there is none */
    int64_t local_deletion_s; /* wall seconds at which it was made: gc_grace counts from here */
};
#define DELETION_NONE ((struct deletion){TIMESTAMP_NONE, LOCAL_DELETION_NEVER})
static inline bool deletion_is_none(struct deletion d)
{
    return d.timestamp == TIMESTAMP_NONE;
}
/* a is kept beside an active b: strictly stronger. */
static inline bool deletion_supersedes(struct deletion a, struct deletion b)
{
    return a.timestamp != b.timestamp ? a.timestamp > b.timestamp
                                      : a.local_deletion_s > b.local_deletion_s;
}
/* The stronger one: higher timestamp, then later local deletion time. */
static inline struct deletion deletion_max(struct deletion a, struct deletion b)
{
    if (a.timestamp != b.timestamp)
        return a.timestamp > b.timestamp ? a : b;
    return a.local_deletion_s >= b.local_deletion_s ? a : b;
}

/* The row marker that INSERT writes: makes a row exist without any cell (Cassandra's primary key liveness). */
struct liveness {
    int64_t timestamp;        /* TIMESTAMP_NONE: there is none */
    int32_t ttl;              /* seconds; 0: does not expire */
    int64_t local_deletion_s; /* when it expires; LOCAL_DELETION_NEVER */
};
#define LIVENESS_NONE ((struct liveness){TIMESTAMP_NONE, 0, LOCAL_DELETION_NEVER})

enum {
    CELL_TOMBSTONE = 1,
    CELL_EXPIRING = 2,
    CELL_HAS_PATH = 4, /* element of a multi-cell collection or UDT */
    CELL_COMPLEX_DELETION =
        8, /* deletion of the whole multi-cell column; covers its cells with timestamp <= */
    CELL_COUNTER = 16,
};

struct cell {
    uint32_t column_id;
    uint8_t flags;
    int32_t ttl;
    int64_t timestamp;
    int64_t
        local_deletion_s; /* EXPIRING: when it expires; TOMBSTONE, COMPLEX_DELETION: when it was made */
    struct bytes path, value;
};

/* Does the cell's value count at now_s. */
static inline bool cell_is_live(const struct cell *c, int64_t now_s)
{
    return !(c->flags & (CELL_TOMBSTONE | CELL_COMPLEX_DELETION)) &&
           (!(c->flags & CELL_EXPIRING) || c->local_deletion_s > now_s);
}

enum { ROW_MARKER = 1, ROW_MARKER_EXPIRING = 2, ROW_DELETION = 4 };

/* A decoded row header; cells are still encoded. Points into the body. */
struct row {
    struct liveness marker;
    struct deletion deletion;
    int64_t base_timestamp;
    struct bytes cells;
};

/* ERR_CORRUPT when malformed. Does not look at the cells. */
err_t row_decode(struct bytes body, struct row *out) MUST_USE;

struct cell_iter {
    struct cur cur;
    int64_t base_timestamp;
};
static inline struct cell_iter row_cells(const struct row *r)
{
    return (struct cell_iter){cur_of(r->cells), r->base_timestamp};
}
/* False at the end, or when malformed: then it->cur.bad is set. */
bool cell_next(struct cell_iter *it, struct cell *out);

/* Building a body: begin, then cells in (column id, complex deletion first, path) order, then end. */
struct row_builder {
    struct buf *out;
    int64_t base_timestamp;
    size_t start;
};
void row_begin(struct row_builder *b, struct buf *out, int64_t base_timestamp,
               struct liveness marker, struct deletion deletion);
void row_put_cell(struct row_builder *b, const struct cell *c);

enum op_kind { OP_END, OP_PARTITION_DELETION, OP_STATIC_ROW, OP_RANGE_TOMBSTONE, OP_ROW };

struct op {
    enum op_kind kind;
    struct deletion deletion;  /* PARTITION_DELETION, RANGE_TOMBSTONE */
    struct bytes lower, upper; /* RANGE_TOMBSTONE */
    struct bytes ck;           /* ROW */
    struct bytes body;         /* ROW, STATIC_ROW */
};
/* The next op; *out.kind == OP_END at OP_END or at the end of the input. ERR_CORRUPT when malformed. */
err_t op_next(struct cur *c, struct op *out) MUST_USE;
void op_put_partition_deletion(struct buf *out, struct deletion d);
void op_put_range_tombstone(struct buf *out, struct bytes lower, struct bytes upper,
                            struct deletion d);
void op_put_row(struct buf *out, struct bytes ck, struct bytes body);
void op_put_static_row(struct buf *out, struct bytes body);
void op_put_end(struct buf *out);

#endif
