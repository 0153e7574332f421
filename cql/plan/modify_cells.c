/* Operations of one row evaluated with the bound values into cells.
 *
 * Null becomes a tombstone and unset nothing. Overwriting a whole collection deletes what was there at one microsecond before the
 * new cells, so that the deletion does not cover them. A list's cells are named by time UUIDs: appended ones by the present time,
 * prepended ones by its mirror image before 2010 (Cassandra's reference), so that each later prepend sorts before the earlier. */
#include "cql/plan/modify_priv.h"

#include "cql/data/reconcile.h"
#include "cql/types/value.h"

#define UUID_TICKS_OF_UNIX_EPOCH INT64_C(122192928000000000) /* 100 ns since 1582-10-15 */
#define PREPEND_REFERENCE_TICKS \
    (UUID_TICKS_OF_UNIX_EPOCH + INT64_C(1262304000000) * 10000) /* 2010-01-01 */

/* The order of cells in a row's body (row.h). */
static int cell_compare(const struct cell *a, const struct cell *b)
{
    if (a->column_id != b->column_id)
        return a->column_id < b->column_id ? -1 : 1;
    int a_complex = (a->flags & CELL_COMPLEX_DELETION) != 0,
        b_complex = (b->flags & CELL_COMPLEX_DELETION) != 0;
    return a_complex != b_complex ? b_complex - a_complex : bytes_compare(a->path, b->path);
}

static void push(struct modify_cells *l, const struct cell *cell)
{
    l->data_bytes += MODIFY_DATA_CELL + cell->path.n + cell->value.n;
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct cell *items = arena_array(l->arena, struct cell, cap);
        if (l->count)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        l->cap = cap;
    }
    if (l->count && cell_compare(&l->items[l->count - 1], cell) >= 0)
        l->sorted = false;
    l->items[l->count++] = *cell;
}

static uint8_t counter_flag(const struct column *c)
{
    return c->type->id == TYPE_COUNTER ? CELL_COUNTER : 0;
}

static uint8_t path_flag(struct bytes path)
{
    return path.p ? CELL_HAS_PATH : 0;
}

static void push_tombstone(struct modify_cells *l, const struct column *c, struct bytes path)
{
    push(l, &(struct cell){
                .column_id = c->id,
                .flags = (uint8_t)(CELL_TOMBSTONE | path_flag(path) | counter_flag(c)),
                .timestamp = l->timestamp,
                .local_deletion_s = l->env->now_s,
                .path = path,
            });
}

/* A live cell, or a tombstone when value is null. */
static void push_value(struct modify_cells *l, const struct column *c, struct bytes path,
                       struct bytes value)
{
    if (bytes_is_null(value)) {
        push_tombstone(l, c, path);
        return;
    }
    push(l, &(struct cell){
                .column_id = c->id,
                .flags = (uint8_t)(path_flag(path) | (l->ttl ? CELL_EXPIRING : 0)),
                .ttl = l->ttl,
                .timestamp = l->timestamp,
                .local_deletion_s = l->ttl ? l->env->now_s + l->ttl : LOCAL_DELETION_NEVER,
                .path = path,
                .value = value,
            });
}

/* Deletes the whole multi-cell column at the given time; at the beginning of time there is nothing to delete. */
static void push_complex_deletion(struct modify_cells *l, const struct column *c, int64_t timestamp)
{
    if (timestamp == TIMESTAMP_NONE)
        return;
    l->data_bytes -= MODIFY_DATA_CELL; /* counted with the column */
    push(l, &(struct cell){
                .column_id = c->id,
                .flags = CELL_COMPLEX_DELETION,
                .timestamp = timestamp,
                .local_deletion_s = l->env->now_s,
            });
}

static struct bytes encoded_path(struct modify_cells *l, const struct type *type, struct bytes v)
{
    struct buf b = buf_in(l->arena);
    buf_reserve(&b, v.n + 16);
    type_key_encode(type, v, false, &b);
    l->data_bytes -= b.n - v.n; /* push() counts the path as it is stored */
    return buf_bytes(&b);
}

static struct bytes field_path(struct modify_cells *l, uint16_t field)
{
    uint8_t *p = arena_alloc(l->arena, 2);
    store_be16(p, field);
    return bytes_of(p, 2);
}

/* --- Lists -------------------------------------------------------------------------------------- */

/* Takes count successive times from the generator and returns the first. */
static int64_t take_ticks(struct modify_cells *l, uint32_t count)
{
    struct timeuuid_gen *gen = l->env->timeuuid;
    int64_t ticks = UUID_TICKS_OF_UNIX_EPOCH + l->env->now.wall.us * 10;
    if (ticks <= gen->last_ticks)
        ticks = gen->last_ticks + 1;
    gen->last_ticks = ticks + count - 1;
    return ticks;
}

static struct bytes list_path(struct modify_cells *l, int64_t ticks)
{
    uint8_t uuid[16];
    uuid_of_ticks(ticks, l->env->timeuuid->clock_seq_node, uuid);
    return encoded_path(l, type_native(TYPE_TIMEUUID), bytes_of(uuid, sizeof uuid));
}

static void list_append(struct modify_cells *l, const struct column *c, struct bytes list)
{
    struct collection_iter it = collection_iter(c->type, list);
    int64_t ticks = take_ticks(l, it.left);
    struct bytes elem;
    while (collection_next(&it, &elem))
        push_value(l, c, list_path(l, ticks++), elem);
}

static void list_prepend(struct modify_cells *l, const struct column *c, struct bytes list)
{
    struct collection_iter it = collection_iter(c->type, list);
    uint32_t count = it.left;
    if (count == 0)
        return;
    int64_t last = take_ticks(l, count) + count - 1;
    struct bytes elem;
    while (collection_next(&it, &elem))
        push_value(l, c, list_path(l, 2 * PREPEND_REFERENCE_TICKS - last--), elem);
}

/* Live cells of a column in the row that was read, in order. */
struct existing {
    struct cell *items;
    size_t count;
};

static err_t existing_cells(const struct modify_cells *l, const struct column *c,
                            struct existing *out)
{
    *out = (struct existing){0};
    if (bytes_is_null(l->existing))
        return OK;
    struct row row;
    TRY(row_decode(l->existing, &row));
    size_t cap = 0;
    struct cell_iter it = row_cells(&row);
    for (struct cell cell; cell_next(&it, &cell);) {
        if (cell.column_id != c->id || !(cell.flags & CELL_HAS_PATH) ||
            !cell_is_live(&cell, l->env->now_s))
            continue;
        if (out->count == cap) {
            cap = cap ? cap * 2 : 16;
            struct cell *items = arena_array(l->arena, struct cell, cap);
            if (out->count)
                memcpy(items, out->items, out->count * sizeof *items);
            out->items = items;
        }
        out->items[out->count++] = cell;
    }
    return it.cur.bad ? ERR_CORRUPT : OK;
}

/* Evaluates a list index and finds its element. Unset: *unset is set where that is allowed (unset != NULL). */
static err_t find_index(struct modify_cells *l, const struct modify_op *op, const char *doing,
                        bool *unset, struct bytes *path)
{
    struct fail *fail = l->env->fail;
    struct bytes index;
    TRY(term_eval(op->key, l->env, &index));
    if (bytes_is_null(index))
        return fail_set(fail, ERR_INVALID, "Invalid null value for list index");
    if (bytes_is_unset(index)) {
        if (unset == NULL)
            return fail_set(fail, ERR_INVALID, "Invalid unset value for list index");
        *unset = true;
        return OK;
    }
    struct existing existing;
    TRY(existing_cells(l, op->column, &existing));
    if (existing.count == 0)
        return fail_set(fail, ERR_INVALID, "Attempted to %s which is null", doing);
    if (index.n != 4) /* the empty value */
        return fail_set(fail, ERR_INVALID, "Invalid null value for list index");
    int32_t i = value_i32(index);
    if (i < 0 || (size_t)i >= existing.count)
        return fail_set(fail, ERR_INVALID, "List index %d out of bound, list has size %zu", i,
                        existing.count);
    *path = existing.items[i].path;
    return OK;
}

static int compare_values(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static err_t list_remove_values(struct modify_cells *l, const struct column *c, struct bytes list)
{
    struct existing existing;
    TRY(existing_cells(l, c, &existing));
    struct collection_iter it = collection_iter(c->type, list);
    if (existing.count == 0 || it.left == 0)
        return OK;
    struct bytes *values = arena_array(l->arena, struct bytes, (size_t)it.left + 1);
    size_t count = 0;
    while (collection_next(&it, &values[count]))
        count++;
    qsort(values, count, sizeof *values, compare_values);
    for (size_t i = 0; i < existing.count; i++)
        if (bsearch(&existing.items[i].value, values, count, sizeof *values, compare_values))
            push_tombstone(l, c, existing.items[i].path);
    return OK;
}

/* --- The other operations ----------------------------------------------------------------------- */

/* Cells of a collection's elements (not a list's), or of a UDT's fields. */
static void add_elements(struct modify_cells *l, const struct column *c, struct bytes v)
{
    struct bytes key, value;
    struct collection_iter it;
    switch (c->type->id) {
    case TYPE_LIST: list_append(l, c, v); return;
    case TYPE_SET:
        it = collection_iter(c->type, v);
        while (collection_next(&it, &key))
            push_value(l, c, encoded_path(l, c->type->params[0], key), bytes_str(""));
        return;
    case TYPE_MAP:
        it = collection_iter(c->type, v);
        while (collection_next(&it, &key) && collection_next(&it, &value))
            push_value(l, c, encoded_path(l, c->type->params[0], key), value);
        return;
    default:
        for (uint16_t i = 0; i < c->type->params_count; i++) {
            value = tuple_field(v, i);
            if (!bytes_is_null(value))
                push_value(l, c, field_path(l, i), value);
        }
    }
}

static void remove_elements(struct modify_cells *l, const struct column *c, struct bytes v)
{
    struct type keys = {.id = TYPE_SET, .params_count = 1, .params = c->type->params};
    struct collection_iter it = collection_iter(&keys, v);
    struct bytes key;
    while (collection_next(&it, &key))
        push_tombstone(l, c, encoded_path(l, c->type->params[0], key));
}

/* The key of a map, or the element of a set. */
static err_t eval_key(struct modify_cells *l, const struct modify_op *op, struct bytes *path)
{
    struct bytes key;
    bool is_map = op->column->type->id == TYPE_MAP;
    TRY(term_eval(op->key, l->env, &key));
    *path = BYTES_NULL;
    if (bytes_is_null(key))
        return fail_set(l->env->fail, ERR_INVALID,
                        is_map ? "Invalid null map key" : "Invalid null set element");
    if (bytes_is_unset(key))
        return is_map ? fail_set(l->env->fail, ERR_INVALID, "Invalid unset map key") : OK;
    *path = encoded_path(l, op->column->type->params[0], key);
    return OK;
}

static err_t eval_value_op(struct modify_cells *l, const struct modify_op *op)
{
    const struct column *c = op->column;
    struct bytes v;
    TRY(term_eval(op->value, l->env, &v));
    if (bytes_is_unset(v))
        return OK;
    switch (op->kind) {
    case MODIFY_OP_SET: push_value(l, c, BYTES_NULL, v); return OK;
    case MODIFY_OP_SET_FIELD: push_value(l, c, field_path(l, op->field), v); return OK;
    case MODIFY_OP_SET_ALL: push_complex_deletion(l, c, l->timestamp - 1); break;
    default: break;
    }
    if (bytes_is_null(v))
        return OK;
    switch (op->kind) {
    case MODIFY_OP_PREPEND: list_prepend(l, c, v); return OK;
    case MODIFY_OP_REMOVE: remove_elements(l, c, v); return OK;
    case MODIFY_OP_REMOVE_VALUES: return list_remove_values(l, c, v);
    default: add_elements(l, c, v); return OK;
    }
}

static err_t eval_op(struct modify_cells *l, const struct modify_op *op)
{
    struct bytes path = BYTES_NULL, v;
    bool unset = false;
    switch (op->kind) {
    case MODIFY_OP_SET:
    case MODIFY_OP_SET_ALL:
    case MODIFY_OP_ADD:
    case MODIFY_OP_PREPEND:
    case MODIFY_OP_REMOVE:
    case MODIFY_OP_REMOVE_VALUES:
    case MODIFY_OP_SET_FIELD: return eval_value_op(l, op);
    case MODIFY_OP_SET_KEY:
        TRY(eval_key(l, op, &path));
        TRY(term_eval(op->value, l->env, &v));
        if (!bytes_is_unset(v))
            push_value(l, op->column, path, v);
        return OK;
    case MODIFY_OP_SET_INDEX:
        TRY(find_index(l, op, "set an element on a list", NULL, &path));
        TRY(term_eval(op->value, l->env, &v));
        if (!bytes_is_unset(v))
            push_value(l, op->column, path, v);
        return OK;
    case MODIFY_OP_DELETE_INDEX:
        TRY(find_index(l, op, "delete an element from a list", &unset, &path));
        break;
    case MODIFY_OP_DELETE_KEY:
        TRY(eval_key(l, op, &path));
        unset = bytes_is_null(path);
        break;
    case MODIFY_OP_DELETE_FIELD: path = field_path(l, op->field); break;
    case MODIFY_OP_DELETE:
        if (type_is_multicell(op->column->type)) {
            push_complex_deletion(l, op->column, l->timestamp);
            return OK;
        }
        break;
    }
    if (!unset)
        push_tombstone(l, op->column, path);
    return OK;
}

static int compare_cells(const void *a, const void *b)
{
    return cell_compare(a, b);
}

/* Puts the cells in order; of those with one place the stronger stays, and none that its column's deletion covers. */
static void normalise(struct modify_cells *l)
{
    qsort(l->items, l->count, sizeof *l->items, compare_cells);
    size_t kept = 0;
    const struct cell *deletion = NULL;
    for (size_t i = 0; i < l->count; i++) {
        struct cell *cell = &l->items[i];
        struct cell *last = kept ? &l->items[kept - 1] : NULL;
        if (deletion && deletion->column_id == cell->column_id &&
            cell->timestamp <= deletion->timestamp)
            continue;
        if (last && cell_compare(last, cell) == 0) {
            if (cell_reconcile(last, cell) < 0)
                *last = *cell;
            continue;
        }
        l->items[kept] = *cell;
        if (cell->flags & CELL_COMPLEX_DELETION)
            deletion = &l->items[kept];
        kept++;
    }
    l->count = kept;
    l->sorted = true;
}

err_t modify_cells_eval(struct modify_cells *l, const struct modify_ops *ops)
{
    l->sorted = true;
    l->count = l->data_bytes = 0;
    if (ops->count > l->cap) {
        l->cap = ops->count;
        l->items = arena_array(l->arena, struct cell, l->cap);
    }
    for (size_t i = 0; i < ops->count; i++) {
        if (type_is_multicell(ops->items[i].column->type) &&
            (i == 0 || ops->items[i - 1].column != ops->items[i].column))
            l->data_bytes += MODIFY_DATA_COMPLEX;
        TRY(eval_op(l, &ops->items[i]));
    }
    if (!l->sorted)
        normalise(l);
    return OK;
}

size_t modify_cells_bytes(const struct modify_cells *l)
{
    size_t bytes = 64;
    for (size_t i = 0; i < l->count; i++)
        bytes += 64 + l->items[i].path.n + l->items[i].value.n;
    return bytes;
}
