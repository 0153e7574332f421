/* The merge of two rows. One walk over both, in the order of cells, that copies the winners' bytes:
 * neighbouring winners of one side are copied at once, so a row that wins wholly costs one walk and one
 * copy. Nothing is allocated but the output. See reconcile.h for the rules. */
#include "cql/data/reconcile.h"

#include "cql/data/row_priv.h"

static inline int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int cell_reconcile(const struct cell *a, const struct cell *b)
{
    bool a_dead = a->flags & CELL_TOMBSTONE, b_dead = b->flags & CELL_TOMBSTONE;
    if (((a->flags | b->flags) & CELL_COUNTER) && a_dead != b_dead)
        return a_dead ? 1 : -1;
    if (a->timestamp != b->timestamp)
        return a->timestamp > b->timestamp ? 1 : -1;
    if (a_dead != b_dead)
        return a_dead ? 1 : -1;
    bool a_expires = a->flags & CELL_EXPIRING, b_expires = b->flags & CELL_EXPIRING;
    if (a_expires != b_expires)
        return a_expires ? 1 : -1;
    if (a->local_deletion_s != b->local_deletion_s)
        return order_i64(a->local_deletion_s, b->local_deletion_s);
    if (a->ttl != b->ttl)
        return a->ttl < b->ttl ? 1 : -1;
    int c = bytes_compare(a->value, b->value);
    if (c != 0)
        return c;
    return (int)a->flags - (int)b->flags; /* a counter tombstone and a plain one: any fixed order */
}

struct liveness liveness_reconcile(struct liveness a, struct liveness b)
{
    if (a.timestamp != b.timestamp)
        return a.timestamp > b.timestamp ? a : b;
    if ((a.ttl > 0) != (b.ttl > 0))
        return a.ttl > 0 ? a : b;
    if (a.local_deletion_s != b.local_deletion_s)
        return a.local_deletion_s > b.local_deletion_s ? a : b;
    return a.ttl <= b.ttl ? a : b;
}

enum { SHARD_BYTES = 32 };

static bool counter_valid(struct bytes v)
{
    return v.n % SHARD_BYTES == 0;
}

/* Which of two shards of one id counts: higher clock, then higher count. Clock and count are signed. */
static const uint8_t *shard_newer(const uint8_t *a, const uint8_t *b)
{
    int c = order_i64((int64_t)load_be64(a + 16), (int64_t)load_be64(b + 16));
    if (c == 0)
        c = order_i64((int64_t)load_be64(a + 24), (int64_t)load_be64(b + 24));
    return c >= 0 ? a : b;
}

/* Walks the union of two counter values by id; appends it to out unless out is NULL. Returns its size. */
static size_t counter_union(struct bytes a, struct bytes b, struct buf *out)
{
    size_t n = 0;
    while (a.n || b.n) {
        int c = a.n == 0 ? 1 : b.n == 0 ? -1 : memcmp(a.p, b.p, 16);
        const uint8_t *shard = c < 0 ? a.p : c > 0 ? b.p : shard_newer(a.p, b.p);
        if (out)
            buf_put(out, shard, SHARD_BYTES);
        n += SHARD_BYTES;
        if (c <= 0)
            a = bytes_skip(a, SHARD_BYTES);
        if (c >= 0)
            b = bytes_skip(b, SHARD_BYTES);
    }
    return n;
}

/* The merge of two live counter cells of one column and path. */
static err_t counter_merge(struct row_builder *rb, const struct cell *a, const struct cell *b)
{
    if (!counter_valid(a->value) || !counter_valid(b->value))
        return ERR_CORRUPT;
    struct cell c = *a;
    c.flags |= b->flags;
    c.timestamp = a->timestamp > b->timestamp ? a->timestamp : b->timestamp;
    c.value = BYTES_NULL;
    size_t n = counter_union(a->value, b->value, NULL);
    row_put_cell(rb, &c);
    rb->out->n--; /* the length 0 of the empty value */
    buf_varint(rb->out, n);
    counter_union(a->value, b->value, rb->out);
    return OK;
}

/* One of the two rows, standing on a cell. */
struct side {
    struct cell_iter it;
    struct cell cell;
    const uint8_t *start; /* of the cell's bytes; they end at it.cur.p */
    bool has;
};

static inline void side_next(struct side *s)
{
    s->start = s->it.cur.p;
    s->has = cell_next(&s->it, &s->cell);
}

static inline struct side side_of(const struct row *r)
{
    struct side s = {.it = row_cells(r)};
    side_next(&s);
    return s;
}

static const struct row row_nothing = {
    .marker = LIVENESS_NONE, .deletion = DELETION_NONE, .cells = {(const uint8_t *)"", 0}};

/* Both stand on cells of the same column and path, neither a complex deletion. */
static err_t cells_merge(struct row_copy *out, struct side *a, struct side *b)
{
    int both = a->cell.flags & b->cell.flags, any = a->cell.flags | b->cell.flags;
    if (any & CELL_COUNTER) { /* what is covered takes no part: it would not be dropped alone */
        bool a_in = a->cell.timestamp > out->column_deletion.timestamp;
        bool b_in = b->cell.timestamp > out->column_deletion.timestamp;
        if (!a_in || !b_in) {
            row_copy_cell(out, a_in ? &a->cell : &b->cell, a_in ? a->start : b->start,
                          a_in ? &a->it : &b->it);
            return OK;
        }
        if ((both & CELL_COUNTER) && !(any & CELL_TOMBSTONE)) {
            row_copy_flush(out);
            out->empty = false;
            return counter_merge(&out->builder, &a->cell, &b->cell);
        }
    }
    struct side *s = cell_reconcile(&a->cell, &b->cell) >= 0 ? a : b;
    row_copy_cell(out, &s->cell, s->start, &s->it);
    return OK;
}

static err_t rows_merge(const struct row *ra, const struct row *rb, struct deletion covering,
                        struct buf *out, bool *out_empty)
{
    struct deletion deletion = deletion_max(ra->deletion, rb->deletion), active = deletion;
    if (!deletion_supersedes(deletion, covering)) {
        active = covering;
        deletion = DELETION_NONE;
    }
    struct liveness marker = liveness_reconcile(ra->marker, rb->marker);
    if (marker.timestamp <= active.timestamp)
        marker = LIVENESS_NONE;

    int64_t base =
        ra->base_timestamp > rb->base_timestamp ? ra->base_timestamp : rb->base_timestamp;
    struct row_copy copy;
    row_copy_begin(&copy, out, base, marker, deletion, active);
    struct side a = side_of(ra), b = side_of(rb);
    err_t err = OK;
    while ((a.has || b.has) && err == OK) {
        int c = !a.has ? 1 : !b.has ? -1 : cell_order(&a.cell, &b.cell);
        if (c == 0 && !(a.cell.flags & CELL_COMPLEX_DELETION)) {
            row_copy_column(&copy, a.cell.column_id);
            err = cells_merge(&copy, &a, &b);
        } else { /* of two complex deletions the second does not supersede a stronger first */
            struct side *s = c <= 0 ? &a : &b;
            if (c == 0 && deletion_supersedes(cell_deletion(&b.cell), cell_deletion(&a.cell)))
                s = &b;
            row_copy_cell(&copy, &s->cell, s->start, &s->it);
        }
        if (c <= 0)
            side_next(&a);
        if (c >= 0)
            side_next(&b);
    }
    bool bad = err != OK || a.it.cur.bad || b.it.cur.bad;
    *out_empty = row_copy_end(&copy);
    if (bad)
        out->n = copy.builder.start;
    return bad ? ERR_CORRUPT : OK;
}

static err_t row_copy_whole(struct bytes body, const struct row *r, struct buf *out,
                            bool *out_empty)
{
    *out_empty =
        r->cells.n == 0 && r->marker.timestamp == TIMESTAMP_NONE && deletion_is_none(r->deletion);
    if (!*out_empty)
        buf_put_bytes(out, body);
    return OK;
}

err_t row_merge(struct bytes a, struct bytes b, struct deletion covering, struct buf *out,
                bool *out_empty)
{
    struct row ra = row_nothing, rb = row_nothing;
    *out_empty = true;
    if (a.n)
        TRY(row_decode(a, &ra));
    if (b.n)
        TRY(row_decode(b, &rb));
    if (a.n == 0 && b.n == 0)
        return OK;
    if (a.n == 0)
        ra.base_timestamp = rb.base_timestamp;
    if (b.n == 0)
        rb.base_timestamp = ra.base_timestamp;
    if (deletion_is_none(covering)) {
        if (b.n == 0 || bytes_equal(a, b))
            return row_copy_whole(a, &ra, out, out_empty);
        if (a.n == 0)
            return row_copy_whole(b, &rb, out, out_empty);
    }
    return rows_merge(&ra, &rb, covering, out, out_empty);
}
