/* Selectors evaluated on the row at hand, and aggregates over many. Values are built in the run's scratch, which lives for one row;
 * what an aggregate keeps is in the request's arena. */
#include "cql/plan/select_priv.h"
#include "cql/plan/term_priv.h"

#include "cql/types/value.h"

static err_t eval_args(struct select_run *r, const struct selector *s, struct bytes **out)
{
    *out = arena_alloc(&r->scratch, s->args_count * sizeof **out + 1);
    for (size_t i = 0; i < s->args_count; i++) {
        (*out)[i] = BYTES_NULL;
        if (s->args[i])
            TRY(selector_eval(r, s->args[i], &(*out)[i]));
    }
    return OK;
}

/* --- Parts of collections --------------------------------------------------------------------------- */

static const struct type *key_type(const struct type *t)
{
    return t->params[0];
}

/* One element at a time of a serialised set or map. */
static bool next_entry(struct collection_iter *it, const struct type *t, struct bytes *key,
                       struct bytes *value)
{
    if (!collection_next(it, key))
        return false;
    *value = *key;
    return t->id != TYPE_MAP || collection_next(it, value);
}

/* Where key stands in the collection; -1 when it does not. *value is what it gives. */
static int64_t find_element(const struct type *t, struct bytes collection, struct bytes key,
                            struct bytes *value)
{
    struct collection_iter it = collection_iter(t, collection);
    struct bytes k;
    for (int64_t i = 0; next_entry(&it, t, &k, value); i++)
        if (k.p && type_compare(key_type(t), k, key) == 0)
            return i;
    *value = BYTES_NULL;
    return -1;
}

static bool within(const struct type *t, struct bytes key, struct bytes from, struct bytes to)
{
    return key.p && (from.p == NULL || type_compare(key_type(t), key, from) >= 0) &&
           (to.p == NULL || type_compare(key_type(t), key, to) <= 0);
}

static struct bytes slot_value(const struct select_run *r, uint16_t slot)
{
    struct bytes v = slot == SLOT_NONE ? BYTES_NULL : r->slots[slot];
    return bytes_is_unset(v) ? BYTES_NULL : v;
}

static err_t eval_slice(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct bytes collection, key, value;
    const struct type *t = s->type;
    TRY(selector_eval(r, s->args[0], &collection));
    *out = BYTES_NULL;
    if (bytes_is_null(collection))
        return OK;
    struct bytes from = slot_value(r, s->slot), to = slot_value(r, s->slot2);
    struct buf slice = buf_in(&r->scratch);
    uint32_t count = 0;
    collection_begin(&slice, 0);
    struct collection_iter it = collection_iter(t, collection);
    while (next_entry(&it, t, &key, &value)) {
        if (!within(t, key, from, to))
            continue;
        count++;
        value_put(&slice, key);
        if (t->id == TYPE_MAP)
            value_put(&slice, value);
    }
    store_be32(slice.p, count);
    if (count || t->frozen)
        *out = buf_bytes(&slice);
    return OK;
}

/* --- WRITETIME, MAXWRITETIME, TTL -------------------------------------------------------------------- */

#define NO_TIME INT64_MIN

/* The times of a value: one, or one for each element of a multi-cell one; count 0: there are none. */
struct times {
    bool multi;
    size_t count;
    int64_t *items;
};

static int64_t time_of(const struct select_run *r, bool ttl, int64_t timestamp, int32_t cell_ttl,
                       int64_t local_deletion_s)
{
    if (!ttl)
        return timestamp;
    int64_t left = local_deletion_s - r->view.now_s;
    return cell_ttl && left >= 0 ? left : NO_TIME;
}

static err_t column_times(struct select_run *r, const struct column *c, bool ttl, struct times *out)
{
    const struct cell_ref *ref = row_view_cell(&r->view, c);
    *out = (struct times){.multi = type_is_multicell(c->type)};
    if (ref == NULL)
        return OK;
    if (!out->multi) {
        out->items = arena_alloc(&r->scratch, sizeof *out->items);
        out->count = 1;
        out->items[0] = time_of(r, ttl, ref->timestamp, ref->ttl, ref->local_deletion_s);
        return OK;
    }
    bool udt = c->type->id == TYPE_UDT;
    out->count = udt ? c->type->params_count : ref->count;
    out->items = arena_alloc(&r->scratch, out->count * sizeof *out->items + 1);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = NO_TIME;
    struct cell_iter it = ref->cells;
    struct cell cell;
    for (uint32_t i = 0; i < ref->count;) {
        if (!cell_next(&it, &cell))
            return ERR_CORRUPT;
        if (!cell_is_live(&cell, r->view.now_s))
            continue;
        size_t at = udt && cell.path.n == 2 ? load_be16(cell.path.p) : i;
        if (at < out->count)
            out->items[at] =
                time_of(r, ttl, cell.timestamp, cell.flags & CELL_EXPIRING ? cell.ttl : 0,
                        cell.local_deletion_s);
        i++;
    }
    return OK;
}

static err_t times_of(struct select_run *r, const struct selector *s, bool ttl, struct times *out)
{
    struct bytes value, element, key;
    int64_t index = 0;
    if (s->kind == SELECTOR_COLUMN)
        return column_times(r, s->column, ttl, out);
    TRY(times_of(r, s->args[0], ttl, out));
    TRY(selector_eval(r, s->args[0], &value));
    if (out->count == 0 || bytes_is_null(value)) {
        out->count = 0;
        return OK;
    }
    const struct type *t = s->args[0]->type;
    if (s->kind == SELECTOR_SLICE) {
        struct bytes from = slot_value(r, s->slot), to = slot_value(r, s->slot2);
        struct collection_iter it = collection_iter(t, value);
        int64_t first = -1, last = -1;
        for (; next_entry(&it, t, &key, &element); index++) {
            if (!within(t, key, from, to))
                continue;
            first = first < 0 ? index : first;
            last = index;
        }
        if (first < 0 || !out->multi) {
            out->count = first < 0 ? 0 : out->count;
            return OK;
        }
        out->items += first;
        out->count = (size_t)(last - first + 1);
        return OK;
    }
    if (s->kind == SELECTOR_FIELD)
        index = tuple_field(value, s->field).p || out->multi ? s->field : -1;
    else
        index = find_element(t, value, slot_value(r, s->slot), &element);
    if (index < 0 || (out->multi && (size_t)index >= out->count)) {
        out->count = 0;
    } else if (out->multi) {
        out->items += index;
        out->count = 1;
    }
    out->multi = false;
    return OK;
}

static err_t eval_times(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct times times;
    bool ttl = s->kind == SELECTOR_TTL;
    *out = BYTES_NULL;
    TRY(times_of(r, s->args[0], ttl, &times));
    if (times.count == 0)
        return OK;
    if (times.multi && s->kind != SELECTOR_MAXWRITETIME) {
        struct buf list = buf_in(&r->scratch);
        collection_begin(&list, (uint32_t)times.count);
        for (size_t i = 0; i < times.count; i++) {
            struct bytes one = BYTES_NULL;
            if (times.items[i] != NO_TIME)
                one = ttl ? value_of_i32(&r->scratch, (int32_t)times.items[i])
                          : value_of_i64(&r->scratch, times.items[i]);
            value_put(&list, one);
        }
        *out = buf_bytes(&list);
        return OK;
    }
    int64_t best = NO_TIME;
    for (size_t i = 0; i < times.count; i++)
        best = times.items[i] > best ? times.items[i] : best;
    if (best != NO_TIME)
        *out = ttl ? value_of_i32(&r->scratch, (int32_t)best) : value_of_i64(&r->scratch, best);
    return OK;
}

/* --- Constructors ------------------------------------------------------------------------------------- */

static err_t eval_constructor(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct bytes *items;
    struct buf value = buf_in(&r->scratch);
    TRY(eval_args(r, s, &items));
    for (size_t i = 0; i < s->args_count; i++) {
        bool key = s->kind == SELECTOR_SET || (s->kind == SELECTOR_MAP && i % 2 == 0);
        if (!bytes_is_null(items[i]))
            continue;
        if (key)
            return fail_set(r->env->fail, ERR_INVALID, "null is not supported inside collections");
        if (s->kind == SELECTOR_VECTOR)
            return fail_set(r->env->fail, ERR_INVALID, "null is not supported inside vectors");
    }
    if (s->kind == SELECTOR_SET) {
        *out = set_of_elements(s->type, items, s->args_count, &r->scratch);
        return OK;
    }
    if (s->kind == SELECTOR_MAP) {
        *out = map_of_entries(s->type, items, s->args_count / 2, &r->scratch);
        return OK;
    }
    if (s->kind == SELECTOR_LIST)
        collection_begin(&value, (uint32_t)s->args_count);
    for (size_t i = 0; i < s->args_count; i++)
        if (s->kind == SELECTOR_VECTOR)
            vector_put_element(s->type, &value, items[i]);
        else
            value_put(&value, items[i]);
    *out = buf_bytes(&value);
    return OK;
}

static err_t eval_field(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct bytes value;
    TRY(selector_eval(r, s->args[0], &value));
    *out = bytes_is_null(value) ? BYTES_NULL : tuple_field(value, s->field);
    return OK;
}

static err_t eval_element(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct bytes collection;
    TRY(selector_eval(r, s->args[0], &collection));
    *out = BYTES_NULL;
    if (!bytes_is_null(collection))
        (void)find_element(s->args[0]->type, collection, slot_value(r, s->slot), out);
    return OK;
}

static err_t eval_call(struct select_run *r, const struct selector *s, struct bytes *out)
{
    struct bytes *args;
    TRY(eval_args(r, s, &args));
    return s->func->call(s->func, &r->func_env, args, out);
}

err_t selector_eval(struct select_run *r, const struct selector *s, struct bytes *out)
{
    switch (s->kind) {
    case SELECTOR_COLUMN: return row_view_value(&r->view, s->column, &r->scratch, out);
    case SELECTOR_TERM: *out = slot_value(r, s->slot); return OK;
    case SELECTOR_CALL: return eval_call(r, s, out);
    case SELECTOR_AGGREGATE:
    case SELECTOR_COUNT_ROWS: *out = r->aggregate_values[s->aggregate]; return OK;
    case SELECTOR_FIELD: return eval_field(r, s, out);
    case SELECTOR_ELEMENT: return eval_element(r, s, out);
    case SELECTOR_SLICE: return eval_slice(r, s, out);
    case SELECTOR_WRITETIME:
    case SELECTOR_MAXWRITETIME:
    case SELECTOR_TTL: return eval_times(r, s, out);
    case SELECTOR_SAME: return selector_eval(r, s->args[0], out);
    default: return eval_constructor(r, s, out);
    }
}

/* --- Aggregates --------------------------------------------------------------------------------------- */

err_t aggregates_add(struct select_run *r)
{
    r->rows_counted++;
    for (uint16_t i = 0; i < r->select->aggregates_count; i++) {
        const struct selector *s = r->select->aggregates[i];
        struct bytes *args;
        if (s->kind == SELECTOR_COUNT_ROWS)
            continue;
        TRY(eval_args(r, s, &args));
        TRY(s->func->add(s->func, &r->aggregate_env, r->states[i], args));
    }
    return OK;
}

err_t aggregates_finish(struct select_run *r)
{
    for (uint16_t i = 0; i < r->select->aggregates_count; i++) {
        const struct selector *s = r->select->aggregates[i];
        if (s->kind == SELECTOR_COUNT_ROWS)
            r->aggregate_values[i] = value_of_i64(r->env->arena, (int64_t)r->rows_counted);
        else
            TRY(s->func->finish(s->func, &r->aggregate_env, r->states[i], &r->aggregate_values[i]));
    }
    return OK;
}

void aggregates_reset(struct select_run *r)
{
    r->rows_counted = 0;
    for (uint16_t i = 0; i < r->select->aggregates_count; i++) {
        const struct selector *s = r->select->aggregates[i];
        if (s->kind == SELECTOR_COUNT_ROWS)
            continue;
        if (r->states[i] == NULL)
            r->states[i] = arena_alloc(r->env->arena, s->func->state_bytes + 1);
        memset(r->states[i], 0, s->func->state_bytes);
    }
}
