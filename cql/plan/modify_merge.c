/* Changes to one partition joined into one mutation.
 *
 * A request usually makes one change, and its mutation is written at once. A batch's changes are sorted by table, partition, kind and
 * clustering key; rows that meet are merged as replicas would merge them, so a batch costs a replica no more than its outcome. */
#include "cql/plan/modify_priv.h"

#include "cql/data/reconcile.h"

err_t modify_changes_add(struct modify_changes *l, struct exec_env *env,
                         const struct modify_change *change)
{
    l->bytes +=
        64 + change->pk.n + change->lower.n + change->upper.n + change->ck.n + change->body.n;
    if (l->bytes > MODIFY_BYTES_MAX)
        return fail_set(env->fail, ERR_INVALID, "The statement changes more than %zu bytes",
                        MODIFY_BYTES_MAX);
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 2;
        struct modify_change *items = arena_array(env->arena, struct modify_change, cap);
        if (l->count)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        l->cap = cap;
    }
    l->items[l->count] = *change;
    l->items[l->count].index = l->count;
    l->count++;
    return OK;
}

static int compare_partition(const struct modify_change *a, const struct modify_change *b)
{
    int by_table = memcmp(a->table->id.b, b->table->id.b, sizeof a->table->id.b);
    return by_table ? by_table : bytes_compare(a->pk, b->pk);
}

static int compare_changes(const void *pa, const void *pb)
{
    const struct modify_change *a = pa, *b = pb;
    int order = compare_partition(a, b);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0 && a->kind == OP_RANGE_TOMBSTONE)
        order = bytes_compare(a->lower, b->lower);
    if (order == 0 && a->kind == OP_ROW)
        order = bytes_compare(a->ck, b->ck);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Do a and b, neighbours in order, become one op. */
static bool joinable(const struct modify_change *a, const struct modify_change *b)
{
    return a->kind == b->kind && (a->kind == OP_PARTITION_DELETION || a->kind == OP_STATIC_ROW ||
                                  (a->kind == OP_ROW && bytes_equal(a->ck, b->ck)));
}

static err_t join(struct modify_change *a, const struct modify_change *b, struct arena *arena)
{
    if (a->kind == OP_PARTITION_DELETION) {
        a->deletion = deletion_max(a->deletion, b->deletion);
        return OK;
    }
    a->data_bytes += b->data_bytes - MODIFY_DATA_ROW;
    struct buf body = buf_in(arena);
    buf_reserve(&body, a->body.n + b->body.n + 16);
    bool empty;
    TRY(row_merge(a->body, b->body, DELETION_NONE, &body, &empty));
    a->body = buf_bytes(&body);
    return OK;
}

static void put_change(struct buf *out, const struct modify_change *c)
{
    switch (c->kind) {
    case OP_PARTITION_DELETION: op_put_partition_deletion(out, c->deletion); break;
    case OP_STATIC_ROW: op_put_static_row(out, c->body); break;
    case OP_RANGE_TOMBSTONE: op_put_range_tombstone(out, c->lower, c->upper, c->deletion); break;
    case OP_ROW: op_put_row(out, c->ck, c->body); break;
    case OP_END: break;
    }
}

/* The mutation of count changes of one partition. */
static struct built_mutation build(const struct modify_change *changes, size_t count,
                                   struct exec_env *env)
{
    const struct modify_change *first = &changes[0];
    size_t bytes = 64 + first->pk.n, data_bytes = MODIFY_DATA_PARTITION;
    for (size_t i = 0; i < count; i++) {
        bytes += 64 + changes[i].lower.n + changes[i].upper.n + changes[i].ck.n + changes[i].body.n;
        data_bytes += changes[i].data_bytes;
    }
    struct buf out = buf_in(env->arena);
    out.p = arena_alloc(env->arena, bytes);
    out.cap = bytes;
    mutation_begin(&out, first->table, env->now.wall, first->pk);
    for (size_t i = 0; i < count; i++)
        put_change(&out, &changes[i]);
    return (struct built_mutation){
        .table = first->table,
        .token = token_of_key(first->pk),
        .bytes = buf_bytes(&out),
        .data_bytes = data_bytes,
    };
}

/* A group of changes and when its first one appeared. */
struct group {
    size_t start, count, index;
};

static int compare_groups(const void *pa, const void *pb)
{
    const struct group *a = pa, *b = pb;
    return (a->index > b->index) - (a->index < b->index);
}

/* Sorts, joins rows that meet, and finds the groups of one partition each. */
static err_t group_changes(struct modify_changes *l, struct arena *arena, struct group **groups_out,
                           size_t *count_out)
{
    qsort(l->items, l->count, sizeof *l->items, compare_changes);
    struct group *groups = arena_array(arena, struct group, l->count);
    size_t groups_count = 0, kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct modify_change *c = &l->items[i];
        struct group *g = groups_count ? &groups[groups_count - 1] : NULL;
        if (g == NULL || compare_partition(&l->items[g->start], c) != 0) {
            groups[groups_count++] = (struct group){kept, 1, c->index};
            l->items[kept++] = *c;
            continue;
        }
        if (c->index < g->index)
            g->index = c->index;
        if (joinable(&l->items[kept - 1], c)) {
            TRY(join(&l->items[kept - 1], c, arena));
            continue;
        }
        l->items[kept++] = *c;
        g->count++;
    }
    l->count = kept;
    qsort(groups, groups_count, sizeof *groups, compare_groups);
    *groups_out = groups;
    *count_out = groups_count;
    return OK;
}

err_t modify_merge(struct modify_changes *l, struct exec_env *env, struct built_mutation **out,
                   size_t *count)
{
    *count = 0;
    *out = arena_array(env->arena, struct built_mutation, l->count + 1);
    if (l->count == 0)
        return OK;
    if (l->count == 1) {
        (*out)[0] = build(&l->items[0], 1, env);
        *count = 1;
        return OK;
    }
    struct group *groups;
    size_t groups_count;
    TRY(group_changes(l, env->arena, &groups, &groups_count));
    for (size_t i = 0; i < groups_count; i++)
        (*out)[(*count)++] = build(&l->items[groups[i].start], groups[i].count, env);
    return OK;
}
