/* Collections put together in the one form that is stored and compared: sets and the keys of maps sorted by their type, without
 * duplicates, at every depth. */
#include "cql/plan/term_priv.h"

#include "cql/types/value.h"

#include <stdlib.h>

struct sorting {
    const struct type *type;
    const struct bytes *items;
    size_t stride;
};

static int compare_items(const void *pa, const void *pb, void *context)
{
    const struct sorting *s = context;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    int c = type_compare(s->type, s->items[a * s->stride], s->items[b * s->stride]);
    return c ? c : (a > b) - (a < b);
}

/* Indexes of items in order, the last of equal ones kept; *count is how many. */
static uint32_t *sorted_items(const struct type *type, const struct bytes *items, size_t stride,
                              size_t *count, struct arena *a)
{
    struct sorting s = {type, items, stride};
    uint32_t *order = arena_alloc(a, *count * sizeof *order + 1);
    for (size_t i = 0; i < *count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, *count, sizeof *order, compare_items, &s);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (kept &&
            type_compare(type, items[order[kept - 1] * stride], items[order[i] * stride]) == 0)
            kept--;
        order[kept++] = order[i];
    }
    *count = kept;
    return order;
}

struct bytes set_of_elements(const struct type *t, struct bytes *elements, size_t count,
                             struct arena *a)
{
    uint32_t *order = sorted_items(t->params[0], elements, 1, &count, a);
    struct buf out = buf_in(a);
    collection_begin(&out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        value_put(&out, elements[order[i]]);
    return buf_bytes(&out);
}

struct bytes map_of_entries(const struct type *t, struct bytes *entries, size_t count,
                            struct arena *a)
{
    uint32_t *order = sorted_items(t->params[0], entries, 2, &count, a);
    struct buf out = buf_in(a);
    collection_begin(&out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        value_put(&out, entries[2 * order[i]]);
        value_put(&out, entries[2 * order[i] + 1]);
    }
    return buf_bytes(&out);
}

/* Has it a set or map that could be out of order. */
static bool needs_order(const struct type *t)
{
    if (t->id == TYPE_SET || t->id == TYPE_MAP)
        return true;
    for (uint16_t i = 0; i < t->params_count; i++)
        if (needs_order(t->params[i]))
            return true;
    return false;
}

static bool in_order(const struct type *t, struct bytes v)
{
    struct collection_iter it = collection_iter(t, v);
    struct bytes previous = BYTES_NULL, item, value;
    while (collection_next(&it, &item)) {
        if (bytes_is_null(item) || (previous.p && type_compare(t->params[0], previous, item) >= 0))
            return false;
        previous = item;
        if (t->id == TYPE_MAP && !collection_next(&it, &value))
            return false;
    }
    return true;
}

static struct bytes normalise_collection(const struct type *t, struct bytes v, struct arena *a)
{
    bool nested = needs_order(t->params[0]) || (t->id == TYPE_MAP && needs_order(t->params[1]));
    if (!nested && (t->id == TYPE_LIST || in_order(t, v)))
        return v;
    size_t stride = t->id == TYPE_MAP ? 2 : 1, n = 0;
    size_t total = (size_t)collection_count(t, v) * stride;
    struct bytes *items = arena_alloc(a, total * sizeof *items + 1);
    struct collection_iter it = collection_iter(t, v);
    while (n < total && collection_next(&it, &items[n])) {
        items[n] = value_normalise(t->params[t->id == TYPE_MAP ? n % 2 : 0], items[n], a);
        n++;
    }
    if (t->id == TYPE_SET)
        return set_of_elements(t, items, n, a);
    if (t->id == TYPE_MAP)
        return map_of_entries(t, items, n / 2, a);
    struct buf out = buf_in(a);
    collection_begin(&out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        value_put(&out, items[i]);
    return buf_bytes(&out);
}

struct bytes value_normalise(const struct type *t, struct bytes v, struct arena *a)
{
    if (bytes_is_null(v) || v.n == 0 || t->params_count == 0)
        return v;
    if (type_is_collection(t))
        return normalise_collection(t, v, a);
    if ((t->id != TYPE_TUPLE && t->id != TYPE_UDT) || !needs_order(t))
        return v;
    struct buf out = buf_in(a);
    struct cur c = cur_of(v);
    for (uint16_t i = 0; i < t->params_count && !cur_at_end(&c); i++) {
        uint32_t n = cur_be32(&c);
        struct bytes field = n >= 0x80000000u ? BYTES_NULL : cur_take(&c, n);
        value_put(&out, value_normalise(t->params[i], field, a));
    }
    return buf_bytes(&out);
}
