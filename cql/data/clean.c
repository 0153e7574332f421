/* What of a row a reader sees, and what a purge leaves. See reconcile.h. */
#include "cql/data/reconcile.h"

#include "cql/data/row_priv.h"

static inline bool marker_is_live(struct liveness m, int64_t now_s)
{
    return m.timestamp != TIMESTAMP_NONE && (m.ttl == 0 || m.local_deletion_s > now_s);
}

static bool cell_stays(const struct cell *c, const struct row_filter *f)
{
    if (f->keep && !f->keep(f->ctx, c->column_id, c->timestamp))
        return false;
    if (cell_is_live(c, f->now_s))
        return true;
    return !f->live_only && c->local_deletion_s > f->purge_before_s;
}

err_t row_clean(struct bytes body, const struct row_filter *f, struct buf *out, bool *out_empty)
{
    struct row r;
    *out_empty = true;
    TRY(row_decode(body, &r));
    struct deletion deletion = r.deletion;
    if (f->live_only || deletion.local_deletion_s <= f->purge_before_s)
        deletion = DELETION_NONE;
    struct liveness marker = r.marker;
    if (!marker_is_live(marker, f->now_s) &&
        (f->live_only || marker.local_deletion_s <= f->purge_before_s))
        marker = LIVENESS_NONE;

    /* What goes still covers what it covers: a builder's row need not be a merged one. */
    if (marker.timestamp <= r.deletion.timestamp)
        marker = LIVENESS_NONE;
    struct row_copy copy;
    row_copy_begin(&copy, out, r.base_timestamp, marker, deletion, r.deletion);
    struct cell_iter it = row_cells(&r);
    struct cell cell;
    for (const uint8_t *start = it.cur.p; cell_next(&it, &cell); start = it.cur.p)
        if (row_copy_admits(&copy, &cell) && cell_stays(&cell, f))
            row_copy_put(&copy, &cell, start, &it);
    *out_empty = row_copy_end(&copy);
    if (it.cur.bad)
        out->n = copy.builder.start;
    return it.cur.bad ? ERR_CORRUPT : OK;
}

err_t row_is_live(struct bytes body, int64_t now_s, bool *out)
{
    struct row r;
    *out = false;
    TRY(row_decode(body, &r));
    if (marker_is_live(r.marker, now_s) && r.marker.timestamp > r.deletion.timestamp) {
        *out = true;
        return OK;
    }
    struct deletion column_deletion = r.deletion;
    uint32_t column_id = 0;
    struct cell_iter it = row_cells(&r);
    struct cell c;
    while (cell_next(&it, &c)) {
        if (c.column_id != column_id)
            column_deletion = r.deletion;
        column_id = c.column_id;
        if (c.flags & CELL_COMPLEX_DELETION)
            column_deletion = deletion_max(column_deletion, cell_deletion(&c));
        else if (cell_is_live(&c, now_s) && c.timestamp > column_deletion.timestamp) {
            *out = true;
            return OK;
        }
    }
    return it.cur.bad ? ERR_CORRUPT : OK;
}
