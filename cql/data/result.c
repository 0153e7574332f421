/* Answers of replicas and shards: iteration, and the k-way merge into one.
 *
 * The merge looks at one partition at a time. The sources that have the least partition give it: one
 * alone (the rule for shards, which are disjoint) is copied as bytes; several are merged: first all
 * tombstones and the static row, which come before the rows in every stream, then row by row, each
 * under the strongest tombstone of any source. Sources are few (replicas, shards): the least is found
 * by looking at each. */
#include "cql/data/read.h"

#include "cql/data/reconcile.h"

enum { RESULT_PARTITION = 1 };

bool result_next(struct result_iter *it, struct bytes *pk, struct cur *ops)
{
    struct cur *c = &it->cur;
    if (cur_at_end(c))
        return false;
    uint8_t mark = cur_u8(c);
    *pk = cur_lstr(c);
    if (mark != RESULT_PARTITION || !cur_ok(c)) {
        c->bad = true;
        c->p = c->end;
        return false;
    }
    *ops = *c;
    return true;
}

err_t result_skip(struct result_iter *it, struct cur *ops)
{
    struct op op;
    do {
        if (cur_at_end(ops))
            return ERR_CORRUPT; /* cut: there is no OP_END */
        TRY(op_next(ops, &op));
    } while (op.kind != OP_END);
    result_leave(it, ops);
    return OK;
}

void result_begin_partition(struct buf *out, struct bytes pk)
{
    buf_u8(out, RESULT_PARTITION);
    buf_lstr(out, pk);
}

struct source {
    struct result_iter it;
    bool has;    /* stands on a partition */
    bool chosen; /* … which is the one being written */
    struct bytes pk;
    struct token token;   /* is_range */
    size_t key_index;     /* else: of pk in cmd->keys */
    const uint8_t *start; /* of the partition's bytes */
    struct cur ops;
    struct op op; /* the op that is looked at; OP_END at the end of the partition */
};

struct merge {
    const struct read_command *cmd;
    struct source *sources;
    size_t count;
    struct buf *out;
    struct arena arena;    /* range tombstones of the partition */
    struct buf scratch[2]; /* a row under way, in turns */
};

static err_t source_next(const struct merge *m, struct source *s)
{
    struct bytes last_pk = s->pk;
    struct token last_token = s->token;
    bool first = s->start == NULL;
    s->start = s->it.cur.p;
    s->has = result_next(&s->it, &s->pk, &s->ops);
    if (!s->has)
        return s->it.cur.bad ? ERR_CORRUPT : OK;
    if (m->cmd->is_range) {
        s->token = token_of_key(s->pk);
        if (!first && partition_compare(last_token, last_pk, s->token, s->pk) >= 0)
            return ERR_CORRUPT;
        return OK;
    }
    for (size_t i = first ? 0 : s->key_index + 1; i < m->cmd->keys_count; i++)
        if (bytes_equal(m->cmd->keys[i], s->pk)) {
            s->key_index = i;
            return OK;
        }
    return ERR_CORRUPT;
}

static int source_compare(const struct merge *m, const struct source *a, const struct source *b)
{
    if (m->cmd->is_range)
        return partition_compare(a->token, a->pk, b->token, b->pk);
    return (a->key_index > b->key_index) - (a->key_index < b->key_index);
}

/* Marks the sources that stand on the least partition; returns how many. *least: one of them. */
static size_t choose(struct merge *m, struct source **least)
{
    size_t chosen = 0;
    *least = NULL;
    for (size_t i = 0; i < m->count; i++) {
        struct source *s = &m->sources[i];
        s->chosen = false;
        if (!s->has)
            continue;
        int c = *least ? source_compare(m, s, *least) : -1;
        if (c < 0) {
            for (size_t j = 0; j < i; j++)
                m->sources[j].chosen = false;
            *least = s;
            chosen = 0;
        }
        if (c <= 0) {
            s->chosen = true;
            chosen++;
        }
    }
    return chosen;
}

/* The next op of a source within its partition. Rows must come in order, each once. */
static err_t source_op(const struct merge *m, struct source *s)
{
    struct op last = s->op;
    if (cur_at_end(&s->ops))
        return ERR_CORRUPT;
    TRY(op_next(&s->ops, &s->op));
    if (last.kind != OP_ROW)
        return OK;
    if (s->op.kind == OP_END)
        return OK;
    if (s->op.kind != OP_ROW)
        return ERR_CORRUPT;
    int c = bytes_compare(last.ck, s->op.ck);
    return (m->cmd->reversed ? c > 0 : c < 0) ? OK : ERR_CORRUPT;
}

struct tombstones {
    struct deletion partition;
    struct range_list ranges;
};

/* Reads every chosen source up to its first row; gathers tombstones. Static rows are merged into scratch[*in]. */
static err_t merge_heads(struct merge *m, struct tombstones *t, int *in)
{
    bool any_static = false;
    for (size_t i = 0; i < m->count; i++) {
        struct source *s = &m->sources[i];
        if (!s->chosen)
            continue;
        s->op = (struct op){.kind = OP_END};
        TRY(source_op(m, s));
        for (; s->op.kind != OP_ROW && s->op.kind != OP_END;) {
            if (s->op.kind == OP_PARTITION_DELETION)
                t->partition = deletion_max(t->partition, s->op.deletion);
            if (s->op.kind == OP_RANGE_TOMBSTONE)
                range_list_add(&t->ranges, &m->arena,
                               (struct range_tombstone){s->op.lower, s->op.upper, s->op.deletion});
            if (s->op.kind == OP_STATIC_ROW) {
                struct buf *from = &m->scratch[*in], *to = &m->scratch[!*in];
                struct bytes so_far = any_static ? buf_bytes(from) : BYTES_NULL;
                bool empty;
                to->n = 0;
                TRY(row_merge(so_far, s->op.body, DELETION_NONE, to, &empty));
                any_static = !empty;
                *in = !*in;
            }
            TRY(source_op(m, s));
        }
    }
    if (!any_static)
        m->scratch[*in].n = 0;
    return OK;
}

/* The least (greatest when reversed) clustering key that a chosen source stands on; false at the end. */
static bool least_ck(const struct merge *m, struct bytes *ck)
{
    bool any = false;
    for (size_t i = 0; i < m->count; i++) {
        const struct source *s = &m->sources[i];
        if (!s->chosen || s->op.kind != OP_ROW)
            continue;
        int c = any ? bytes_compare(s->op.ck, *ck) : 0;
        if (any && (m->cmd->reversed ? c <= 0 : c >= 0))
            continue;
        *ck = s->op.ck;
        any = true;
    }
    return any;
}

/* Merges the rows with this key of all chosen sources under their tombstones and moves past them. */
static err_t merge_row(struct merge *m, const struct tombstones *t, struct bytes ck)
{
    struct deletion covering = deletion_max(t->partition, range_list_at(&t->ranges, ck));
    struct bytes row = BYTES_NULL;
    int in = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct source *s = &m->sources[i];
        if (!s->chosen || s->op.kind != OP_ROW || !bytes_equal(s->op.ck, ck))
            continue;
        struct buf *to = &m->scratch[in];
        bool empty;
        to->n = 0;
        TRY(row_merge(row, s->op.body, covering, to, &empty));
        row = empty ? BYTES_NULL : buf_bytes(to);
        in = !in;
        TRY(source_op(m, s));
    }
    if (row.n)
        op_put_row(m->out, ck, row);
    return OK;
}

static err_t merge_partition(struct merge *m, struct bytes pk)
{
    struct tombstones t = {.partition = DELETION_NONE};
    size_t start = m->out->n;
    int in = 0;
    TRY(merge_heads(m, &t, &in));
    range_list_cover(&t.ranges, t.partition);

    result_begin_partition(m->out, pk);
    size_t content = m->out->n;
    if (!deletion_is_none(t.partition))
        op_put_partition_deletion(m->out, t.partition);
    if (m->scratch[in].n) {
        struct buf *body = &m->scratch[!in];
        bool empty;
        body->n = 0;
        TRY(row_merge(buf_bytes(&m->scratch[in]), BYTES_NULL, t.partition, body, &empty));
        if (!empty)
            op_put_static_row(m->out, buf_bytes(body));
    }
    for (size_t i = 0; i < t.ranges.count; i++) {
        const struct range_tombstone *r = &t.ranges.items[i];
        op_put_range_tombstone(m->out, r->lower, r->upper, r->deletion);
    }
    struct bytes ck = BYTES_NULL;
    while (least_ck(m, &ck))
        TRY(merge_row(m, &t, ck));
    if (m->out->n == content)
        m->out->n = start;
    else
        op_put_end(m->out);
    return OK;
}

static err_t merge_all(struct merge *m)
{
    for (size_t i = 0; i < m->count; i++)
        TRY(source_next(m, &m->sources[i]));
    struct source *least;
    for (size_t chosen; (chosen = choose(m, &least)) > 0;) {
        if (chosen == 1) {
            TRY(result_skip(&least->it, &least->ops));
            buf_put(m->out, least->start, (size_t)(least->it.cur.p - least->start));
            TRY(source_next(m, least));
            continue;
        }
        TRY(merge_partition(m, least->pk));
        arena_reset(&m->arena);
        for (size_t i = 0; i < m->count; i++)
            if (m->sources[i].chosen) {
                result_leave(&m->sources[i].it, &m->sources[i].ops);
                TRY(source_next(m, &m->sources[i]));
            }
    }
    return OK;
}

err_t result_merge(const struct bytes *results, size_t count, const struct read_command *cmd,
                   struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct merge m = {.cmd = cmd, .count = count, .out = out};
    m.sources = arena_array(&arena, struct source, count);
    arena_init(&m.arena, 0);
    for (size_t i = 0; i < count; i++)
        m.sources[i].it = result_iter(results[i]);
    size_t start = out->n;
    err_t err = merge_all(&m);
    if (err != OK)
        out->n = start;
    buf_free(&m.scratch[0]);
    buf_free(&m.scratch[1]);
    arena_free(&m.arena);
    arena_free(&arena);
    return err;
}
