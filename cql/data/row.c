/* The row encoding: rows, cells and ops to bytes and back. See row.h for the layout.
 *
 * Timestamps are written as differences to the row's base timestamp in wrapping arithmetic, so any base
 * is correct and the usual one (the mutation's timestamp) makes each of them one byte. */
#include "cql/data/row.h"

static inline int64_t timestamp_get(struct cur *c, int64_t base)
{
    return (int64_t)((uint64_t)base + (uint64_t)cur_zigzag(c));
}

static inline void timestamp_put(struct buf *b, int64_t base, int64_t timestamp)
{
    buf_zigzag(b, (int64_t)((uint64_t)timestamp - (uint64_t)base));
}

/* Local deletion times are not negative; a hostile one is. */
static inline int64_t seconds_get(struct cur *c)
{
    uint64_t v = cur_varint(c);
    if (__builtin_expect(v > INT64_MAX, 0)) {
        c->bad = true;
        c->p = c->end;
        return 0;
    }
    return (int64_t)v;
}

static inline int32_t ttl_get(struct cur *c)
{
    uint64_t v = cur_varint(c);
    if (__builtin_expect(v - 1 >= INT32_MAX, 0)) { /* 0 would mean "does not expire" */
        c->bad = true;
        c->p = c->end;
        return 0;
    }
    return (int32_t)v;
}

err_t row_decode(struct bytes body, struct row *out)
{
    struct cur c = cur_of(body);
    uint8_t flags = cur_u8(&c);
    out->base_timestamp = cur_zigzag(&c);
    out->marker = LIVENESS_NONE;
    out->deletion = DELETION_NONE;
    if (flags & ROW_MARKER) {
        out->marker.timestamp = timestamp_get(&c, out->base_timestamp);
        if (flags & ROW_MARKER_EXPIRING) {
            out->marker.ttl = ttl_get(&c);
            out->marker.local_deletion_s = seconds_get(&c);
        }
        if (out->marker.timestamp == TIMESTAMP_NONE)
            return ERR_CORRUPT;
    } else if (flags & ROW_MARKER_EXPIRING) {
        return ERR_CORRUPT;
    }
    if (flags & ROW_DELETION) {
        out->deletion.timestamp = timestamp_get(&c, out->base_timestamp);
        out->deletion.local_deletion_s = seconds_get(&c);
        if (out->deletion.timestamp == TIMESTAMP_NONE)
            return ERR_CORRUPT;
    }
    if (!cur_ok(&c) || flags > (ROW_MARKER | ROW_MARKER_EXPIRING | ROW_DELETION))
        return ERR_CORRUPT;
    out->cells = (struct bytes){c.p, cur_left(&c)};
    return OK;
}

/* Which combinations of flags a cell can have. */
static inline bool flags_valid(uint8_t f)
{
    if (f > (CELL_COUNTER << 1) - 1)
        return false;
    if (f & CELL_COMPLEX_DELETION)
        return f == CELL_COMPLEX_DELETION;
    if ((f & CELL_EXPIRING) && (f & (CELL_TOMBSTONE | CELL_COUNTER)))
        return false;
    return true;
}

bool cell_next(struct cell_iter *it, struct cell *out)
{
    struct cur *c = &it->cur;
    if (cur_at_end(c))
        return false;
    uint64_t id = cur_varint(c);
    uint8_t flags = cur_u8(c);
    out->column_id = (uint32_t)id;
    out->flags = flags;
    out->timestamp = timestamp_get(c, it->base_timestamp);
    out->ttl = 0;
    out->local_deletion_s = LOCAL_DELETION_NEVER;
    if (flags & (CELL_EXPIRING | CELL_TOMBSTONE | CELL_COMPLEX_DELETION)) {
        if (flags & CELL_EXPIRING)
            out->ttl = ttl_get(c);
        out->local_deletion_s = seconds_get(c);
    }
    out->path = flags & CELL_HAS_PATH ? cur_lstr(c) : BYTES_NULL;
    out->value = flags & (CELL_TOMBSTONE | CELL_COMPLEX_DELETION) ? BYTES_NULL : cur_lstr(c);
    if (__builtin_expect(c->bad || id > UINT32_MAX || !flags_valid(flags), 0)) {
        c->bad = true;
        c->p = c->end;
        return false;
    }
    return true;
}

void row_begin(struct row_builder *b, struct buf *out, int64_t base_timestamp,
               struct liveness marker, struct deletion deletion)
{
    *b = (struct row_builder){out, base_timestamp, out->n};
    bool has_marker = marker.timestamp != TIMESTAMP_NONE;
    bool has_deletion = !deletion_is_none(deletion);
    bool expires = has_marker && marker.ttl > 0;
    buf_u8(out, (uint8_t)((has_marker ? ROW_MARKER : 0) | (expires ? ROW_MARKER_EXPIRING : 0) |
                          (has_deletion ? ROW_DELETION : 0)));
    buf_zigzag(out, base_timestamp);
    if (has_marker)
        timestamp_put(out, base_timestamp, marker.timestamp);
    if (expires) {
        buf_varint(out, (uint64_t)marker.ttl);
        buf_varint(out, (uint64_t)marker.local_deletion_s);
    }
    if (has_deletion) {
        timestamp_put(out, base_timestamp, deletion.timestamp);
        buf_varint(out, (uint64_t)deletion.local_deletion_s);
    }
}

void row_put_cell(struct row_builder *b, const struct cell *c)
{
    struct buf *out = b->out;
    buf_reserve(out, 64 + c->path.n + c->value.n);
    buf_varint(out, c->column_id);
    buf_u8(out, c->flags);
    timestamp_put(out, b->base_timestamp, c->timestamp);
    if (c->flags & CELL_EXPIRING)
        buf_varint(out, (uint64_t)c->ttl);
    if (c->flags & (CELL_EXPIRING | CELL_TOMBSTONE | CELL_COMPLEX_DELETION))
        buf_varint(out, (uint64_t)c->local_deletion_s);
    if (c->flags & CELL_HAS_PATH)
        buf_lstr(out, c->path);
    if (!(c->flags & (CELL_TOMBSTONE | CELL_COMPLEX_DELETION)))
        buf_lstr(out, c->value);
}

static struct deletion deletion_get(struct cur *c)
{
    struct deletion d;
    d.timestamp = cur_zigzag(c);
    d.local_deletion_s = seconds_get(c);
    if (d.timestamp == TIMESTAMP_NONE)
        c->bad = true;
    return d;
}

err_t op_next(struct cur *c, struct op *out)
{
    out->kind = OP_END;
    if (cur_at_end(c))
        return c->bad ? ERR_CORRUPT : OK;
    uint8_t kind = cur_u8(c);
    switch (kind) {
    case OP_END: return OK;
    case OP_PARTITION_DELETION: out->deletion = deletion_get(c); break;
    case OP_STATIC_ROW: out->body = cur_lstr(c); break;
    case OP_RANGE_TOMBSTONE:
        out->lower = cur_lstr(c);
        out->upper = cur_lstr(c);
        out->deletion = deletion_get(c);
        break;
    case OP_ROW:
        out->ck = cur_lstr(c);
        out->body = cur_lstr(c);
        break;
    default: return ERR_CORRUPT;
    }
    if (!cur_ok(c))
        return ERR_CORRUPT;
    out->kind = (enum op_kind)kind;
    return OK;
}

static void deletion_put(struct buf *out, struct deletion d)
{
    buf_zigzag(out, d.timestamp);
    buf_varint(out, (uint64_t)d.local_deletion_s);
}

void op_put_partition_deletion(struct buf *out, struct deletion d)
{
    buf_u8(out, OP_PARTITION_DELETION);
    deletion_put(out, d);
}

void op_put_range_tombstone(struct buf *out, struct bytes lower, struct bytes upper,
                            struct deletion d)
{
    buf_u8(out, OP_RANGE_TOMBSTONE);
    buf_lstr(out, lower);
    buf_lstr(out, upper);
    deletion_put(out, d);
}

void op_put_row(struct buf *out, struct bytes ck, struct bytes body)
{
    buf_reserve(out, 21 + ck.n + body.n);
    buf_u8(out, OP_ROW);
    buf_lstr(out, ck);
    buf_lstr(out, body);
}

void op_put_static_row(struct buf *out, struct bytes body)
{
    buf_u8(out, OP_STATIC_ROW);
    buf_lstr(out, body);
}

void op_put_end(struct buf *out)
{
    buf_u8(out, OP_END);
}
