/* Clustering restrictions with bound values: encoded keys and half-open ranges of them.
 *
 * Keys are compared as bytes (type_key_encode), so a restriction turns into ranges of byte strings: for a prefix P of encoded
 * columns, "everything that starts with P" is [P, P FF), and "after it" begins at P FF. A tuple (a, b) > (x, y) is the union of
 * a > x and (a = x and b > y); each part is one range whatever the orders of a and b are, so mixed ASC and DESC need no case of
 * their own. Ranges of a start and an end are intersected and neighbours joined. */
#include "cql/plan/restrict_priv.h"

#include "cql/data/mutation.h"

#include <stdlib.h>

static const struct slice whole = {{(const uint8_t *)"", 0}, {(const uint8_t *)"\xFF", 1}};

struct keys {
    struct bytes *items; /* encoded, ascending, distinct */
    size_t count;
};

static struct bytes join(struct arena *a, struct bytes prefix, struct bytes rest, bool after)
{
    size_t n = prefix.n + rest.n;
    uint8_t *p = arena_alloc(a, n + 1);
    memcpy(p, prefix.p, prefix.n);
    if (rest.n)
        memcpy(p + prefix.n, rest.p, rest.n);
    p[n] = 0xFF;
    return bytes_of(p, n + after);
}

static struct bytes encode(const struct column *c, struct bytes v, struct arena *a)
{
    struct buf out = buf_in(a);
    buf_reserve(&out, v.n + 16);
    type_key_encode(c->type, v, c->desc, &out);
    return buf_bytes(&out);
}

static int compare_keys(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The values of an EQ or IN, encoded. */
static err_t eval_alternatives(const struct restriction *r, struct exec_env *env, struct keys *out)
{
    struct bytes *values;
    TRY(restriction_values(r, env, false, &values, &out->count));
    out->items = arena_alloc(env->arena, out->count * sizeof *out->items + 1);
    for (size_t i = 0; i < out->count; i++) {
        struct buf key = buf_in(env->arena);
        for (uint16_t j = 0; j < r->columns_count; j++)
            type_key_encode(r->columns[j]->type, values[i * r->columns_count + j],
                            r->columns[j]->desc, &key);
        out->items[i] = buf_bytes(&key);
    }
    if (out->count < 2)
        return OK;
    qsort(out->items, out->count, sizeof *out->items, compare_keys);
    size_t kept = 1;
    for (size_t i = 1; i < out->count; i++)
        if (!bytes_equal(out->items[kept - 1], out->items[i]))
            out->items[kept++] = out->items[i];
    out->count = kept;
    return OK;
}

/* Every prefix followed by every alternative: stays ascending, as no encoding is a prefix of another. */
static err_t multiply(struct keys *prefixes, const struct keys *by, struct exec_env *env)
{
    size_t longest = 0;
    for (size_t i = 0; i < by->count; i++)
        if (by->items[i].n > longest)
            longest = by->items[i].n;
    size_t have = prefixes->count ? prefixes->items[0].n : 0;
    TRY(restrict_product_check(prefixes->count, by->count, have + longest + sizeof(struct slice),
                               "clustering key", env));
    if (prefixes->count == 1 && prefixes->items[0].n == 0) {
        *prefixes = *by;
        return OK;
    }
    struct keys out = {arena_alloc(env->arena, prefixes->count * by->count * sizeof *out.items + 1),
                       0};
    for (size_t i = 0; i < prefixes->count; i++)
        for (size_t j = 0; j < by->count; j++)
            out.items[out.count++] = join(env->arena, prefixes->items[i], by->items[j], false);
    *prefixes = out;
    return OK;
}

static err_t check_clustering_length(struct bytes key, struct exec_env *env)
{
    if (key.n <= MUTATION_PK_MAX)
        return OK;
    return fail_set(env->fail, ERR_INVALID, "Key length of %zu is longer than maximum of %d", key.n,
                    MUTATION_PK_MAX);
}

err_t restrict_eval_clusterings(const struct restrictions *r, struct exec_env *env,
                                struct bytes **cks, size_t *count)
{
    struct bytes *start = arena_alloc(env->arena, sizeof *start);
    *start = bytes_str("");
    struct keys keys = {start, 1}, by;
    for (uint16_t i = 0; i < r->table->ck_count && r->ck[i]; i += r->ck[i]->columns_count) {
        TRY(eval_alternatives(r->ck[i], env, &by));
        TRY(multiply(&keys, &by, env));
    }
    for (size_t i = 0; i < keys.count; i++)
        TRY(check_clustering_length(keys.items[i], env));
    *cks = keys.items;
    *count = keys.count;
    return OK;
}

/* --- Slices --------------------------------------------------------------------------------------- */

struct ranges {
    struct slice *items; /* relative to a prefix: an upper end of {FF} is its end */
    size_t count;
};

static void add_range(struct ranges *l, struct bytes lower, struct bytes upper)
{
    if (bytes_compare(lower, upper) < 0)
        l->items[l->count++] = (struct slice){lower, upper};
}

static int compare_slices(const void *a, const void *b)
{
    return bytes_compare(((const struct slice *)a)->lower, ((const struct slice *)b)->lower);
}

/* The ranges of one bound. A null bound of a single column is lower than every value in the order that rows have (sic: so it is
 * in Cassandra, where a DESC column turns start and end around first). */
static err_t bound_ranges(const struct restriction *r, const struct restrict_bound *b,
                          bool is_start, struct exec_env *env, struct ranges *out)
{
    struct arena *a = env->arena;
    struct bytes *values = arena_alloc(a, r->columns_count * sizeof *values);
    uint16_t count;
    TRY(restrict_tuple_eval(&b->value, env, values, &count));
    out->items = arena_alloc(a, (count + 1u) * sizeof *out->items);
    out->count = 0;
    if (b->tuple && count == 0)
        return fail_set(env->fail, ERR_INVALID, "Invalid null value in condition for column %.*s",
                        BYTES_FMT(r->columns[0]->name));
    struct bytes prefix = bytes_str("");
    for (uint16_t i = 0; i < count; i++) {
        const struct column *c = r->columns[i];
        if (bytes_is_unset(values[i]))
            return fail_set(env->fail, ERR_INVALID, "Invalid unset value for column %.*s",
                            BYTES_FMT(c->name));
        bool low = is_start != c->desc; /* the bound is the lower end of the encoded order */
        if (bytes_is_null(values[i])) {
            if (b->tuple)
                return fail_set(env->fail, ERR_INVALID,
                                "Invalid null value in condition for column %.*s",
                                BYTES_FMT(c->name));
            if (low)
                add_range(out, prefix, join(a, prefix, BYTES_NULL, true));
            return OK;
        }
        struct bytes key = join(a, prefix, encode(c, values[i], a), false);
        struct bytes after = bytes_of(key.p, key.n + 1); /* join() leaves an FF behind */
        bool inclusive = b->inclusive && i + 1 == count;
        if (low)
            add_range(out, inclusive ? key : after, join(a, prefix, BYTES_NULL, true));
        else
            add_range(out, prefix, inclusive ? after : key);
        prefix = key;
    }
    qsort(out->items, out->count, sizeof *out->items, compare_slices);
    return OK;
}

static struct ranges intersect(const struct ranges *x, const struct ranges *y, struct arena *a)
{
    struct ranges out = {arena_alloc(a, (x->count + y->count + 1) * sizeof *out.items), 0};
    for (size_t i = 0, j = 0; i < x->count && j < y->count;) {
        const struct slice *p = &x->items[i], *q = &y->items[j];
        add_range(&out, bytes_compare(p->lower, q->lower) > 0 ? p->lower : q->lower,
                  bytes_compare(p->upper, q->upper) < 0 ? p->upper : q->upper);
        if (bytes_compare(p->upper, q->upper) < 0)
            i++;
        else
            j++;
    }
    return out;
}

static void join_neighbours(struct ranges *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (kept && bytes_equal(l->items[kept - 1].upper, l->items[i].lower))
            l->items[kept - 1].upper = l->items[i].upper;
        else
            l->items[kept++] = l->items[i];
    }
    l->count = kept;
}

static err_t slice_ranges(const struct restriction *r, struct exec_env *env, struct ranges *out)
{
    struct ranges start, end;
    if (r->start.set)
        TRY(bound_ranges(r, &r->start, true, env, &start));
    if (r->end.set)
        TRY(bound_ranges(r, &r->end, false, env, &end));
    if (r->start.set && r->end.set)
        *out = intersect(&start, &end, env->arena);
    else
        *out = r->start.set ? start : end;
    join_neighbours(out);
    return OK;
}

/* Prefixes times the ranges within each. */
static err_t make_slices(const struct keys *prefixes, const struct ranges *within,
                         struct exec_env *env, struct slice **out, size_t *count)
{
    size_t longest = sizeof(struct slice);
    for (size_t i = 0; i < within->count; i++)
        longest += within->items[i].lower.n + within->items[i].upper.n;
    for (size_t i = 0; i < prefixes->count; i++)
        if (2 * prefixes->items[i].n > longest)
            longest = 2 * prefixes->items[i].n + longest;
    TRY(restrict_product_check(prefixes->count, within->count, longest, "clustering key", env));
    *out = arena_alloc(env->arena, prefixes->count * within->count * sizeof **out + 1);
    *count = 0;
    for (size_t i = 0; i < prefixes->count; i++)
        for (size_t j = 0; j < within->count; j++) {
            const struct slice *s = &within->items[j];
            struct bytes p = prefixes->items[i];
            (*out)[(*count)++] = p.n == 0 ? *s
                                          : (struct slice){join(env->arena, p, s->lower, false),
                                                           join(env->arena, p, s->upper, false)};
        }
    return OK;
}

err_t restrict_eval_slices(const struct restrictions *r, struct exec_env *env,
                           struct slice **slices, size_t *count)
{
    struct slice *all = arena_alloc(env->arena, sizeof *all);
    if (r->ck_count == 0) {
        *all = whole;
        *slices = all;
        *count = 1;
        return OK;
    }
    struct bytes *start = arena_alloc(env->arena, sizeof *start);
    *all = whole;
    *start = bytes_str("");
    struct keys prefixes = {start, 1}, by;
    struct ranges within = {all, 1};
    for (uint16_t i = 0; i < r->table->ck_count && r->ck[i]; i += r->ck[i]->columns_count) {
        if (restriction_filters(r->ck[i], i))
            break;
        if (r->ck[i]->kind == RESTRICTION_SLICE) {
            TRY(slice_ranges(r->ck[i], env, &within));
            break;
        }
        TRY(eval_alternatives(r->ck[i], env, &by));
        TRY(multiply(&prefixes, &by, env));
    }
    return make_slices(&prefixes, &within, env, slices, count);
}
