/* One row taken apart. Cells are found in one pass over the body and remembered by column index; values stay where they are until
 * they are copied into the answer. A cell_ref counts only when its `seen` is that of the row (or partition) at hand, so nothing has
 * to be cleared between rows. */
#include "cql/plan/select_priv.h"

#include "cql/data/mutation.h"
#include "cql/types/value.h"

void row_view_init(struct row_view *v, const struct select *s, int64_t now_s, struct arena *a)
{
    size_t columns = s->table->columns_count,
           keys = (size_t)s->table->pk_count + s->table->ck_count;
    *v = (struct row_view){.select = s, .now_s = now_s, .static_seen = 1, .row_seen = 1};
    v->cells = arena_alloc(a, columns * sizeof *v->cells + (keys + 1) * sizeof(struct bytes));
    for (size_t i = 0; i < columns; i++)
        v->cells[i].seen = 0;
    v->pk_values = (struct bytes *)(v->cells + columns);
    v->ck_values = v->pk_values + s->table->pk_count;
}

static err_t take_cells(struct row_view *v, struct bytes body, bool is_static, uint32_t seen)
{
    const struct table *t = v->select->table;
    struct row row;
    struct cell cell;
    TRY(row_decode(body, &row));
    struct cell_iter it = row_cells(&row), before = it;
    while (cell_next(&it, &cell)) {
        struct cell_iter at = before;
        before = it;
        const struct column *c = table_column_by_id(t, cell.column_id);
        if (c == NULL || !v->select->needed[c->index] || (c->kind == COLUMN_STATIC) != is_static)
            continue; /* dropped, or nobody asked */
        if (!cell_is_live(&cell, v->now_s))
            continue;
        struct cell_ref *ref = &v->cells[c->index];
        if (ref->seen != seen) {
            ref->seen = seen;
            ref->count = 0;
            ref->cells = at;
        }
        ref->count++;
        ref->value = cell.value;
        ref->timestamp = cell.timestamp;
        ref->ttl = cell.flags & CELL_EXPIRING ? cell.ttl : 0;
        ref->local_deletion_s = cell.local_deletion_s;
    }
    return it.cur.bad ? ERR_CORRUPT : OK;
}

err_t row_view_partition(struct row_view *v, struct bytes pk)
{
    v->pk = pk;
    v->static_seen++;
    row_view_no_row(v);
    if (v->select->needs_pk && !pk_decode(pk, v->select->table->pk_count, v->pk_values))
        return ERR_CORRUPT;
    return OK;
}

err_t row_view_static(struct row_view *v, struct bytes body)
{
    v->static_seen++;
    return v->select->needs_static && body.n ? take_cells(v, body, true, v->static_seen) : OK;
}

err_t row_view_row(struct row_view *v, struct bytes ck, struct bytes body, struct arena *scratch)
{
    const struct table *t = v->select->table;
    v->row_seen++;
    v->has_row = true;
    v->ck = ck;
    struct cur c = cur_of(ck);
    for (uint16_t i = 0; i < v->select->needed_ck; i++)
        TRY(type_key_decode(table_ck(t, i)->type, table_ck(t, i)->desc, &c, scratch,
                            &v->ck_values[i]));
    return v->select->needs_regular ? take_cells(v, body, false, v->row_seen) : OK;
}

void row_view_no_row(struct row_view *v)
{
    v->row_seen++;
    v->has_row = false;
    v->ck = bytes_str("");
}

const struct cell_ref *row_view_cell(const struct row_view *v, const struct column *c)
{
    const struct cell_ref *ref = &v->cells[c->index];
    return ref->seen == (c->kind == COLUMN_STATIC ? v->static_seen : v->row_seen) ? ref : NULL;
}

/* --- Multi-cell values ------------------------------------------------------------------------------ */

err_t cell_path_value(const struct type *t, struct bytes path, struct arena *a, struct bytes *out)
{
    struct cur c = cur_of(path);
    return type_key_decode(t->params[0], false, &c, a, out);
}

static bool next_live(struct cell_iter *it, const struct row_view *v, struct cell *cell)
{
    while (cell_next(it, cell))
        if (cell_is_live(cell, v->now_s))
            return true;
    return false;
}

static err_t put_udt(const struct row_view *v, const struct type *t, const struct cell_ref *ref,
                     struct buf *out)
{
    struct cell_iter it = ref->cells;
    struct cell cell;
    uint32_t left = ref->count;
    bool have = left && next_live(&it, v, &cell);
    for (uint16_t i = 0; i < t->params_count; i++) {
        struct bytes value = BYTES_NULL;
        if (have && cell.path.n == 2 && load_be16(cell.path.p) == i) {
            value = cell.value;
            have = --left && next_live(&it, v, &cell);
        }
        value_put(out, value);
    }
    return it.cur.bad ? ERR_CORRUPT : OK;
}

/* The serialised collection or user type, without a length in front. */
static err_t put_multicell(const struct row_view *v, const struct type *t,
                           const struct cell_ref *ref, struct arena *scratch, struct buf *out)
{
    if (t->id == TYPE_UDT)
        return put_udt(v, t, ref, out);
    struct cell_iter it = ref->cells;
    struct cell cell;
    collection_begin(out, ref->count);
    for (uint32_t i = 0; i < ref->count; i++) {
        struct bytes element = BYTES_NULL;
        if (!next_live(&it, v, &cell))
            return ERR_CORRUPT;
        if (t->id != TYPE_LIST) {
            TRY(cell_path_value(t, cell.path, scratch, &element));
            value_put(out, element);
        }
        if (t->id != TYPE_SET)
            value_put(out, cell.value);
    }
    return OK;
}

/* The total of a counter: one (id 16 bytes, clock, count) for each of its shards. */
static err_t counter_total(struct bytes value, int64_t *out)
{
    uint64_t total = 0;
    if (value.n % 32)
        return ERR_CORRUPT;
    for (size_t i = 0; i < value.n; i += 32)
        total += load_be64(value.p + i + 24);
    *out = (int64_t)total;
    return OK;
}

err_t row_view_value(const struct row_view *v, const struct column *c, struct arena *scratch,
                     struct bytes *out)
{
    *out = BYTES_NULL;
    if (c->kind == COLUMN_PARTITION_KEY) {
        *out = v->pk.p ? v->pk_values[c->position] : BYTES_NULL;
        return OK;
    }
    if (c->kind == COLUMN_CLUSTERING) {
        *out = v->has_row ? v->ck_values[c->position] : BYTES_NULL;
        return OK;
    }
    const struct cell_ref *ref = row_view_cell(v, c);
    if (ref == NULL)
        return OK;
    if (type_is_multicell(c->type)) {
        struct buf value = buf_in(scratch);
        TRY(put_multicell(v, c->type, ref, scratch, &value));
        *out = buf_bytes(&value);
    } else if (c->type->id == TYPE_COUNTER) {
        int64_t total;
        TRY(counter_total(ref->value, &total));
        *out = value_of_i64(scratch, total);
    } else {
        *out = ref->value;
    }
    return OK;
}

err_t row_view_put(const struct row_view *v, const struct column *c, struct arena *scratch,
                   struct buf *out)
{
    struct bytes value;
    const struct cell_ref *ref =
        c->kind == COLUMN_STATIC || c->kind == COLUMN_REGULAR ? row_view_cell(v, c) : NULL;
    bool multicell = ref && type_is_multicell(c->type);
    if (ref && !multicell && c->type->id != TYPE_COUNTER) { /* the usual case */
        value_put(out, ref->value);
        return OK;
    }
    if (multicell) { /* straight into the answer, its length patched in */
        size_t at = out->n;
        buf_be32(out, 0);
        TRY(put_multicell(v, c->type, ref, scratch, out));
        store_be32(out->p + at, (uint32_t)(out->n - at - 4));
        return OK;
    }
    TRY(row_view_value(v, c, scratch, &value));
    value_put(out, value);
    return OK;
}
