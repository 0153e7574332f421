/* An execution: chunks of read rows in, result rows out.
 *
 * For every partition: its static row, then its rows; each row that matches the filters is *taken*: it becomes a result row, or
 * goes into the group or the aggregates at hand. A partition that turns out to have static content only gives one row when nothing
 * restricts its rows. Groups keep a copy of their first row, whose columns stand beside the aggregates in the result (as in
 * Cassandra); a group is closed when the first row of another one comes, so a page always ends between groups.
 *
 * position is that of the last row taken (or of the group's last), from which the next page goes on. */
#include "cql/plan/select_priv.h"

#include "cql/types/value.h"

#include <stdlib.h>

void select_scratch_reset(struct select_run *r)
{
    if (r->scratch.chunk)
        arena_free(&r->scratch);
    r->scratch = (struct arena){.at = r->scratch_block,
                                .end = r->scratch_block + SELECT_SCRATCH_BYTES,
                                .chunk_bytes = ARENA_CHUNK_BYTES_DEFAULT};
}

static bool stopped(const struct select_run *r)
{
    return r->page_full || r->finished;
}

static void copy_to(struct buf *to, struct bytes from)
{
    to->n = 0;
    buf_put_bytes(to, from);
}

/* --- Result rows ---------------------------------------------------------------------------------- */

static err_t put_columns(struct select_run *r)
{
    const struct select *q = r->select;
    if (q->plain) {
        for (size_t i = 0; i < q->selectors_count; i++)
            TRY(row_view_put(&r->view, &q->table->columns[q->plain[i]], &r->scratch, r->rows));
        return OK;
    }
    for (size_t i = 0; i < q->selectors_count; i++) {
        struct bytes v;
        TRY(selector_eval(r, q->selectors[i], &v));
        value_put(r->rows, v);
    }
    return OK;
}

/* Remembers where the row just put stands and by what it is sorted. */
static err_t put_sort_row(struct select_run *r, size_t start)
{
    const struct select *q = r->select;
    if (r->sorted_count == r->sorted_cap) {
        size_t cap = r->sorted_cap ? 2 * r->sorted_cap : 64;
        struct sort_row *rows = arena_alloc(r->env->arena, cap * sizeof *rows);
        if (r->sorted_count)
            memcpy(rows, r->sorted, r->sorted_count * sizeof *rows);
        r->sorted = rows;
        r->sorted_cap = cap;
    }
    struct sort_row *row = &r->sorted[r->sorted_count++];
    *row = (struct sort_row){start, r->rows->n - start,
                             arena_alloc(r->env->arena, q->order_count * sizeof *row->keys)};
    for (size_t i = 0; i < q->order_count; i++) {
        TRY(row_view_value(&r->view, q->order[i].column, &r->scratch, &row->keys[i]));
        row->keys[i] = arena_dup(r->env->arena, row->keys[i]);
    }
    return OK;
}

/* Appends what the view (and the aggregates' results) give, and counts it against the limits. */
static err_t emit(struct select_run *r)
{
    size_t start = r->rows->n;
    TRY(put_columns(r));
    r->partition_emitted++;
    if (r->partition_emitted >= r->per_partition)
        r->partition_skip = true;
    if (r->select->post_order)
        return put_sort_row(r, start);
    r->emitted++;
    if (r->limit_left != UINT64_MAX && --r->limit_left == 0)
        r->finished = true;
    if (r->page_left != UINT64_MAX && --r->page_left == 0)
        r->page_full = true;
    return OK;
}

/* --- Groups ---------------------------------------------------------------------------------------- */

static err_t open_group(struct select_run *r, struct bytes body)
{
    r->group_open = true;
    r->group_has_row = r->view.has_row;
    r->group_has_static = r->has_static;
    copy_to(&r->group_pk, r->pk);
    copy_to(&r->group_ck, r->view.ck);
    copy_to(&r->group_body, body);
    copy_to(&r->group_static, r->has_static ? buf_bytes(&r->static_copy) : bytes_str(""));
    return OK;
}

/* Shows the group's first row again. */
static err_t view_group(struct select_run *r)
{
    TRY(row_view_partition(&r->view, buf_bytes(&r->group_pk)));
    TRY(row_view_static(&r->view, buf_bytes(&r->group_static)));
    if (r->group_has_row)
        TRY(row_view_row(&r->view, buf_bytes(&r->group_ck), buf_bytes(&r->group_body),
                         &r->scratch));
    return OK;
}

static err_t close_group(struct select_run *r)
{
    if (!r->group_open)
        return OK;
    r->group_open = false;
    TRY(view_group(r));
    TRY(aggregates_finish(r));
    TRY(emit(r));
    aggregates_reset(r);
    return OK;
}

/* Shows the row at hand again, after a group was closed. */
static err_t view_again(struct select_run *r, bool has_row, struct bytes ck, struct bytes body)
{
    TRY(row_view_partition(&r->view, r->pk));
    if (r->has_static)
        TRY(row_view_static(&r->view, buf_bytes(&r->static_copy)));
    return has_row ? row_view_row(&r->view, ck, body, &r->scratch) : OK;
}

/* What tells groups of one partition apart: the clustering prefix, its last column through the function where there is one. */
static err_t group_key(struct select_run *r, struct buf *out)
{
    const struct select *q = r->select;
    uint16_t prefix = q->group_selector ? q->group_ck - 1u : q->group_ck;
    struct cur c = cur_of(r->view.ck);
    out->n = 0;
    for (uint16_t i = 0; r->view.has_row && i < prefix; i++)
        TRY(type_key_skip(table_ck(q->table, i)->type, table_ck(q->table, i)->desc, &c));
    buf_put(out, r->view.ck.p, (size_t)(c.p - r->view.ck.p));
    if (q->group_selector) {
        struct bytes v;
        TRY(selector_eval(r, q->group_selector, &v));
        value_put(out, v);
    }
    return OK;
}

static err_t take_into_group(struct select_run *r, struct bytes body)
{
    struct buf key = buf_in(&r->scratch);
    struct bytes ck = r->view.ck;
    bool has_row = r->view.has_row;
    TRY(group_key(r, &key));
    if (r->group_open && !bytes_equal(buf_bytes(&key), buf_bytes(&r->group_key))) {
        TRY(close_group(r));
        if (stopped(r) || r->partition_skip)
            return OK; /* the row at hand begins a group that is not of this page, or not wanted */
        TRY(view_again(r, has_row, ck, body));
    }
    if (!r->group_open) {
        copy_to(&r->group_key, buf_bytes(&key));
        TRY(open_group(r, body));
    }
    return aggregates_add(r);
}

/* --- Rows and partitions ----------------------------------------------------------------------------- */

/* A row, or the static content of a partition without rows. */
static err_t take(struct select_run *r, struct bytes body)
{
    bool fits;
    TRY(filters_match(&r->filters, &r->view, &r->scratch, &fits));
    if (!fits)
        return OK;
    if (r->select->is_aggregate) {
        if (!r->group_open)
            TRY(open_group(r, body));
        TRY(aggregates_add(r));
    } else if (r->select->groups) {
        TRY(take_into_group(r, body));
    } else {
        TRY(emit(r));
    }
    if (r->select->distinct)
        r->partition_skip = true;
    return OK;
}

static err_t leave_partition(struct select_run *r)
{
    if (!r->in_partition)
        return OK;
    if (r->has_static && !r->partition_rows && r->select->static_rows && !r->partition_skip) {
        row_view_no_row(&r->view);
        TRY(take(r, bytes_str("")));
    }
    if (r->select->groups)
        TRY(close_group(r));
    r->position.partition_done = true;
    r->in_partition = false;
    return OK;
}

static err_t enter_partition(struct select_run *r, struct bytes pk)
{
    copy_to(&r->pk_copy, pk);
    r->pk = buf_bytes(&r->pk_copy);
    r->in_partition = true;
    r->has_static = r->partition_rows = r->partition_skip = false;
    r->partition_emitted = 0;
    r->position = (struct read_position){.set = true, .pk = r->pk, .ck = bytes_str("")};
    return row_view_partition(&r->view, r->pk);
}

static err_t take_static(struct select_run *r, struct bytes body)
{
    copy_to(&r->static_copy, body);
    r->has_static = true;
    return row_view_static(&r->view, buf_bytes(&r->static_copy));
}

static err_t take_row(struct select_run *r, const struct op *op)
{
    r->partition_rows = true;
    if (r->select->count_only) {
        r->rows_counted++;
        return OK;
    }
    if (r->partition_skip)
        return OK;
    err_t err = row_view_row(&r->view, op->ck, op->body, &r->scratch);
    if (err == OK)
        err = take(r, op->body);
    bool between_groups = r->select->groups && (stopped(r) || r->partition_skip);
    if (!between_groups) {
        r->position.rows_begun = true;
        r->position.ck = op->ck;
    }
    select_scratch_reset(r);
    return err;
}

/* One partition of a chunk. *ended: its ops were read to their end. */
static err_t consume_partition(struct select_run *r, struct bytes pk, struct cur *ops, bool *ended)
{
    struct op op;
    *ended = false;
    if (r->in_partition && !bytes_equal(r->pk, pk)) {
        TRY(leave_partition(r));
        if (stopped(r)) {
            r->data_left = true;
            return OK;
        }
    }
    if (!r->in_partition)
        TRY(enter_partition(r, pk));
    while (!stopped(r)) {
        TRY(op_next(ops, &op));
        if (op.kind == OP_END) {
            *ended = true;
            return OK;
        }
        if (op.kind == OP_STATIC_ROW)
            TRY(take_static(r, op.body));
        else if (op.kind == OP_ROW)
            TRY(take_row(r, &op));
    }
    struct cur rest = *ops;
    TRY(op_next(&rest, &op));
    r->data_left |= op.kind != OP_END || !cur_at_end(&rest) || r->select->groups;
    return OK;
}

static err_t consume(struct select_run *r, struct bytes result, bool more)
{
    struct result_iter it = result_iter(result);
    struct bytes pk;
    struct cur ops;
    bool ended = true;
    while (!stopped(r) && result_next(&it, &pk, &ops)) {
        TRY(consume_partition(r, pk, &ops, &ended));
        if (ended)
            result_leave(&it, &ops);
    }
    if (it.cur.bad)
        return ERR_CORRUPT;
    r->data_left |= more;
    if (!more && !stopped(r)) {
        TRY(leave_partition(r));
        r->data_left = false;
    }
    return OK;
}

err_t select_consume(struct select_run *r, struct bytes result, bool more, bool *want_more)
{
    err_t err = bytes_is_null(result) ? consume(r, bytes_str(""), more) : consume(r, result, more);
    select_scratch_reset(r);
    if (r->position.rows_begun &&
        r->position.ck.p != r->position_ck.p) { /* the chunk will be gone */
        copy_to(&r->position_ck, r->position.ck);
        r->position.ck = buf_bytes(&r->position_ck);
    }
    *want_more = err == OK && more && !stopped(r);
    return err;
}

/* --- The end ------------------------------------------------------------------------------------------ */

static err_t finish_aggregate(struct select_run *r)
{
    if (r->group_open) {
        TRY(view_group(r));
    } else {
        r->view.pk = BYTES_NULL;
        r->view.static_seen++;
        row_view_no_row(&r->view);
    }
    TRY(aggregates_finish(r));
    TRY(put_columns(r));
    r->emitted = 1;
    return OK;
}

static int compare_rows(const void *pa, const void *pb, void *run)
{
    const struct select *q = ((const struct select_run *)run)->select;
    const struct sort_row *a = pa, *b = pb;
    for (size_t i = 0; i < q->order_count; i++) {
        int c = (a->keys[i].p != NULL) - (b->keys[i].p != NULL);
        if (c == 0 && a->keys[i].p)
            c = type_compare(q->order[i].column->type, a->keys[i], b->keys[i]);
        if (c)
            return q->order[i].descending ? -c : c;
    }
    return (a->start > b->start) - (a->start < b->start);
}

static void finish_sorted(struct select_run *r)
{
    if (r->sorted_count)
        qsort_r(r->sorted, r->sorted_count, sizeof *r->sorted, compare_rows, r);
    size_t count = r->sorted_count < r->limit_left ? r->sorted_count : (size_t)r->limit_left,
           total = 0;
    uint8_t *copy = arena_alloc(r->env->arena, r->rows->n - r->rows_start + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(copy + total, r->rows->p + r->sorted[i].start, r->sorted[i].len);
        total += r->sorted[i].len;
    }
    r->rows->n = r->rows_start;
    buf_put(r->rows, copy, total);
    r->emitted = (uint32_t)count;
}

static err_t finish(struct select_run *r)
{
    if (r->select->is_aggregate)
        return finish_aggregate(r);
    if (r->select->groups && !stopped(r))
        TRY(close_group(r));
    if (r->select->post_order)
        finish_sorted(r);
    return OK;
}

err_t select_finish(struct select_run *r, uint32_t *count, struct bytes *paging_state)
{
    err_t err = finish(r);
    /* A full page of groups says that there is more even at the end of the data, as Cassandra's does: it finds out by reading. */
    bool more_pages =
        r->paged && r->page_full && !r->finished && (r->data_left || r->select->groups);
    select_scratch_reset(r);
    *count = r->emitted;
    *paging_state = BYTES_NULL;
    if (err != OK || !more_pages)
        return err;
    struct page_state page = {
        .position = r->position,
        .limited = r->limit_left != UINT64_MAX,
        .remaining = r->limit_left,
        .partition_done = r->partition_emitted,
    };
    page.position.partition_done |= r->partition_skip;
    *paging_state = page_state_encode(&page, r->env->arena);
    return OK;
}
