/* Range tombstones as a sorted array of maximal runs: the pointwise maximum of all that were added. */
#include "cql/data/reconcile.h"

#include <stdlib.h>

/* The first run whose upper bound is > at. */
static size_t first_after(const struct range_list *l, struct bytes at)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (bytes_compare(l->items[mid].upper, at) > 0)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

struct deletion range_list_at(const struct range_list *l, struct bytes ck)
{
    if (l->count == 0)
        return DELETION_NONE;
    size_t i = first_after(l, ck);
    if (i == l->count || bytes_compare(l->items[i].lower, ck) > 0)
        return DELETION_NONE;
    return l->items[i].deletion;
}

void range_list_cover(struct range_list *l, struct deletion d)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (deletion_supersedes(l->items[i].deletion, d))
            l->items[kept++] = l->items[i];
    l->count = kept;
}

static bool deletion_equal(struct deletion a, struct deletion b)
{
    return a.timestamp == b.timestamp && a.local_deletion_s == b.local_deletion_s;
}

struct pieces {
    struct range_tombstone *items;
    size_t count;
};

/* Appends [lower, upper) with d; joined to the piece before it when that ends here with the same d. */
static void piece_put(struct pieces *p, struct bytes lower, struct bytes upper, struct deletion d)
{
    if (bytes_compare(lower, upper) >= 0)
        return;
    struct range_tombstone *last = p->count ? &p->items[p->count - 1] : NULL;
    if (last && deletion_equal(last->deletion, d) && bytes_equal(last->upper, lower))
        last->upper = upper;
    else
        p->items[p->count++] = (struct range_tombstone){lower, upper, d};
}

/* Appends what the runs [from, to), all of which t overlaps, and t become: at most 2 * (to - from) + 1 pieces. */
static void pieces_cut(const struct range_list *l, size_t from, size_t to, struct range_tombstone t,
                       struct pieces *p)
{
    struct bytes at = t.lower;
    for (size_t i = from; i < to; i++) {
        const struct range_tombstone *x = &l->items[i];
        struct bytes begin = bytes_compare(x->lower, t.lower) > 0 ? x->lower : t.lower;
        struct bytes end = bytes_compare(x->upper, t.upper) < 0 ? x->upper : t.upper;
        piece_put(p, x->lower, t.lower, x->deletion);
        piece_put(p, at, x->lower, t.deletion);
        piece_put(p, begin, end, deletion_max(x->deletion, t.deletion));
        piece_put(p, t.upper, x->upper, x->deletion);
        at = end;
    }
    piece_put(p, at, t.upper, t.deletion);
}

static void items_reserve(struct range_list *l, struct arena *a, size_t count)
{
    if (count <= l->cap)
        return;
    size_t cap = l->cap ? l->cap * 2 : 4;
    while (cap < count)
        cap *= 2;
    struct range_tombstone *items = arena_array(a, struct range_tombstone, cap);
    if (l->count)
        memcpy(items, l->items, l->count * sizeof *items);
    l->items = items;
    l->cap = cap;
}

/* Replaces the runs [from, to) by the pieces. Bounds that are t's own are copied, once. */
static void splice(struct range_list *l, struct arena *a, size_t from, size_t to,
                   const struct pieces *p, struct range_tombstone t)
{
    struct bytes lower = BYTES_NULL, upper = BYTES_NULL;
    for (size_t i = 0; i < p->count; i++) {
        struct bytes *bounds[2] = {&p->items[i].lower, &p->items[i].upper};
        for (int j = 0; j < 2; j++) {
            struct bytes *own = bounds[j]->p == t.lower.p   ? &lower
                                : bounds[j]->p == t.upper.p ? &upper
                                                            : NULL;
            if (own == NULL)
                continue;
            if (own->p == NULL || own->n != bounds[j]->n)
                *own = arena_dup(a, *bounds[j]);
            *bounds[j] = *own;
        }
    }
    items_reserve(l, a, l->count - (to - from) + p->count);
    memmove(&l->items[from + p->count], &l->items[to], (l->count - to) * sizeof *l->items);
    memcpy(&l->items[from], p->items, p->count * sizeof *l->items);
    l->count = l->count - (to - from) + p->count;
}

void range_list_add(struct range_list *l, struct arena *a, struct range_tombstone t)
{
    if (deletion_is_none(t.deletion) || bytes_compare(t.lower, t.upper) >= 0)
        return;
    size_t from = first_after(l, t.lower), to = from;
    while (to < l->count && bytes_compare(l->items[to].lower, t.upper) < 0)
        to++;
    /* wholly inside a run that is as strong: the common case of repeated deletes */
    if (to == from + 1 && bytes_compare(l->items[from].lower, t.lower) <= 0 &&
        bytes_compare(l->items[from].upper, t.upper) >= 0 &&
        !deletion_supersedes(t.deletion, l->items[from].deletion))
        return;
    struct range_tombstone few[16];
    size_t needed = 2 * (to - from) + 3;
    struct pieces p = {few, 0};
    if (needed > sizeof few / sizeof *few) {
        p.items = malloc(needed * sizeof *p.items);
        ensure(p.items != NULL);
    }
    /* Neighbours that t only touches may join with what it leaves at its ends. */
    bool left = from > 0 && bytes_equal(l->items[from - 1].upper, t.lower);
    bool right = to < l->count && bytes_equal(l->items[to].lower, t.upper);
    if (left)
        p.items[p.count++] = l->items[from - 1];
    pieces_cut(l, from, to, t, &p);
    if (right)
        piece_put(&p, l->items[to].lower, l->items[to].upper, l->items[to].deletion);
    splice(l, a, from - left, to + right, &p, t);
    if (p.items != few)
        free(p.items);
}
