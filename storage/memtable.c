/* The memtable: tables → partitions → rows, each level ordered, over one arena. See memtable.h.
 *
 * A partition of one row, the usual case of a key-value table, is two allocations: the partition with its
 * key, the row with its clustering key and body behind one another. What few partitions have (deletion,
 * static row, range tombstones) hangs off a pointer. A row that grows gets blocks of growing size classes,
 * and blocks it leaves are used again, so that overwriting one row for ever takes no more memory. */
#include "storage/memtable.h"

#include <stdlib.h>

/* A body that was merged lies in a block of its own; a first one behind its key. */
struct block {
    uint8_t *p;
    uint32_t n, cap;
};

struct row_item {
    struct tree_item item;
    struct block body;
    uint64_t seq;
    uint8_t key[]; /* clustering key, then the first body */
};

/* What only some partitions have. */
struct partition_extra {
    struct deletion deletion;
    struct block static_row; /* n == 0: none */
    struct range_list ranges;
    uint64_t seq;
};

struct memtable_entry {
    struct tree_item item;
    struct tree rows;
    struct token token;
    struct partition_extra *extra; /* NULL: none */
    uint8_t key[];                 /* pk */
};

struct table_content {
    uint32_t slot;
    struct uuid id;
    uint64_t incarnation;
    struct tree partitions;
};

enum { BLOCK_CLASSES = 60, BLOCK_BYTES_MIN = 32 };

struct memtable {
    struct arena arena;
    struct tree_memory nodes;
    struct table_content *tables;          /* by slot */
    size_t tables_count, tables_cap, last; /* last: index of the table last written */
    struct block_free {
        struct block_free *next;
    } * free[BLOCK_CLASSES];
    struct buf scratch; /* a merged row before it is put in its place */
    uint64_t seq_max;
    bool applied;
};

static const struct tree_rules partition_rules = {offsetof(struct memtable_entry, key), true};
static const struct tree_rules row_rules = {offsetof(struct row_item, key), false};
static const struct range_list no_ranges = {0};

struct memtable *memtable_new(void)
{
    struct memtable *m = calloc(1, sizeof *m);
    ensure(m != NULL);
    arena_init(&m->arena, 0);
    m->nodes.arena = &m->arena;
    return m;
}

void memtable_free(struct memtable *m)
{
    if (m == NULL)
        return;
    arena_free(&m->arena);
    buf_free(&m->scratch);
    free(m->tables);
    free(m);
}

size_t memtable_bytes(const struct memtable *m)
{
    return arena_bytes(&m->arena) + m->scratch.cap + m->tables_cap * sizeof *m->tables;
}

bool memtable_is_empty(const struct memtable *m)
{
    return !m->applied;
}

size_t memtable_tables_count(const struct memtable *m)
{
    return m->tables_count;
}

uint64_t memtable_seq_max(const struct memtable *m)
{
    return m->seq_max;
}

/* Small memtables (virtual tables, idle shards) take little; large ones ask the system seldom. */
static void *alloc(struct memtable *m, size_t n)
{
    size_t used = arena_bytes(&m->arena);
    m->arena.chunk_bytes = used < 64 << 10 ? 16 << 10 : used < 4 << 20 ? 256 << 10 : 1 << 20;
    return arena_alloc(&m->arena, (n + 15) & ~(size_t)15);
}

/* Sizes of blocks: 32, 48, 64, 96, 128, … The least class that holds n. */
static unsigned block_class(uint32_t n, uint32_t *cap)
{
    if (n <= BLOCK_BYTES_MIN) {
        *cap = BLOCK_BYTES_MIN;
        return 0;
    }
    unsigned log2 = 31 - (unsigned)__builtin_clz(n - 1); /* 2^log2 < n <= 2^(log2 + 1) */
    uint32_t low = 1u << log2;
    bool half = n <= low + low / 2;
    *cap = half ? low + low / 2 : low * 2;
    return (log2 - 5) * 2 + (half ? 1 : 2);
}

static void block_free(struct memtable *m, struct block b)
{
    uint32_t cap;
    unsigned class = block_class(b.cap, &cap);
    struct block_free *f = (struct block_free *)(void *)b.p;
    if (b.p == NULL || cap != b.cap)
        return; /* behind a key: not a block of its own */
    f->next = m->free[class];
    m->free[class] = f;
}

/* Puts a body in a block, which may already hold one. own: the block may be given back. */
static void block_put(struct memtable *m, struct block *b, struct bytes body, bool own)
{
    if (body.n > b->cap) {
        if (own)
            block_free(m, *b);
        unsigned class = block_class((uint32_t)body.n, &b->cap);
        struct block_free *f = m->free[class];
        if (f) {
            m->free[class] = f->next;
            b->p = (uint8_t *)f;
        } else {
            b->p = alloc(m, b->cap);
        }
    }
    if (body.n)
        memcpy(b->p, body.p, body.n);
    b->n = (uint32_t)body.n;
}

/* Bodies that could not be stored; far above what a mutation can hold. */
#define BODY_BYTES_MAX (1u << 30)

/* Merges a body into a block. */
static err_t block_merge(struct memtable *m, struct block *b, struct bytes body, bool own)
{
    bool empty;
    m->scratch.n = 0;
    TRY(row_merge(bytes_of(b->p, b->n), body, DELETION_NONE, &m->scratch, &empty));
    if (m->scratch.n > BODY_BYTES_MAX)
        return ERR_CORRUPT;
    if (!empty)
        block_put(m, b, buf_bytes(&m->scratch), own);
    return OK;
}

/* --- Tables ------------------------------------------------------------------------------------- */

/* The first table with a slot >= slot. */
static size_t table_search(const struct memtable *m, uint32_t slot)
{
    size_t low = 0, high = m->tables_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (m->tables[mid].slot < slot)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct table_content *table_get(const struct memtable *m, uint32_t slot)
{
    size_t i = table_search(m, slot);
    return i < m->tables_count && m->tables[i].slot == slot ? &m->tables[i] : NULL;
}

/* The table's content, made when there is none; NULL when the mutation is of an older incarnation. */
static struct table_content *table_for(struct memtable *m, const struct table *t,
                                       uint64_t incarnation)
{
    size_t i = m->last;
    if (i >= m->tables_count || m->tables[i].slot != t->slot)
        i = table_search(m, t->slot);
    m->last = i;
    if (i < m->tables_count && m->tables[i].slot == t->slot) {
        struct table_content *c = &m->tables[i];
        if (c->incarnation > incarnation)
            return NULL;
        if (c->incarnation < incarnation)
            c->partitions = (struct tree){0};
        c->incarnation = incarnation;
        return c;
    }
    if (m->tables_count == m->tables_cap) {
        m->tables_cap = m->tables_cap ? m->tables_cap * 2 : 4;
        m->tables = realloc(m->tables, m->tables_cap * sizeof *m->tables);
        ensure(m->tables != NULL);
    }
    memmove(&m->tables[i + 1], &m->tables[i], (m->tables_count - i) * sizeof *m->tables);
    m->tables_count++;
    m->tables[i] = (struct table_content){.slot = t->slot, .id = t->id, .incarnation = incarnation};
    return &m->tables[i];
}

void memtable_drop_table(struct memtable *m, uint32_t slot)
{
    size_t i = table_search(m, slot);
    if (i == m->tables_count || m->tables[i].slot != slot)
        return;
    m->tables_count--;
    memmove(&m->tables[i], &m->tables[i + 1], (m->tables_count - i) * sizeof *m->tables);
}

static struct memtable_table table_view(const struct table_content *c)
{
    return (struct memtable_table){c->slot, c->id, c->incarnation, c->partitions.count};
}

bool memtable_table_next(const struct memtable *m, size_t *i, struct memtable_table *out)
{
    if (*i >= m->tables_count)
        return false;
    *out = table_view(&m->tables[(*i)++]);
    return true;
}

bool memtable_table_find(const struct memtable *m, uint32_t slot, struct memtable_table *out)
{
    const struct table_content *c = table_get(m, slot);
    if (c)
        *out = table_view(c);
    return c != NULL;
}

/* --- Writing ------------------------------------------------------------------------------------ */

static uint64_t token_prefix(struct token t)
{
    return (uint64_t)t.value ^ (1ull << 63);
}

static struct memtable_entry *partition_for(struct memtable *m, struct table_content *c,
                                            struct token token, struct bytes pk)
{
    struct tree_path path;
    struct memtable_entry *e =
        tree_locate(&c->partitions, &partition_rules, token_prefix(token), pk, &path);
    if (e)
        return e;
    e = alloc(m, sizeof *e + pk.n);
    *e = (struct memtable_entry){.item.key_n = (uint32_t)pk.n, .token = token};
    if (pk.n)
        memcpy(e->key, pk.p, pk.n);
    tree_insert(&c->partitions, &partition_rules, &m->nodes, &path, e);
    return e;
}

static err_t row_add(struct memtable *m, struct memtable_entry *e, const struct op *op,
                     uint64_t seq)
{
    if (op->ck.n > MUTATION_CK_MAX || op->body.n > BODY_BYTES_MAX)
        return ERR_CORRUPT;
    struct tree_path path;
    struct row_item *row = tree_locate(&e->rows, &row_rules, 0, op->ck, &path);
    if (row) {
        if (seq > row->seq)
            row->seq = seq;
        return block_merge(m, &row->body, op->body, row->body.p != row->key + row->item.key_n);
    }
    bool empty;
    m->scratch.n = 0;
    TRY(row_merge(op->body, BYTES_NULL, DELETION_NONE, &m->scratch, &empty));
    if (empty)
        return OK;
    size_t size = (sizeof *row + op->ck.n + m->scratch.n + 15) & ~(size_t)15;
    row = alloc(m, size);
    row->item.key_n = (uint32_t)op->ck.n;
    row->seq = seq;
    if (op->ck.n)
        memcpy(row->key, op->ck.p, op->ck.n);
    row->body = (struct block){row->key + op->ck.n, 0, (uint32_t)(size - sizeof *row - op->ck.n)};
    block_put(m, &row->body, buf_bytes(&m->scratch), false);
    tree_insert(&e->rows, &row_rules, &m->nodes, &path, row);
    return OK;
}

static struct partition_extra *extra_for(struct memtable *m, struct memtable_entry *e, uint64_t seq)
{
    if (e->extra == NULL) {
        e->extra = alloc(m, sizeof *e->extra);
        *e->extra = (struct partition_extra){.deletion = DELETION_NONE};
    }
    if (seq > e->extra->seq)
        e->extra->seq = seq;
    return e->extra;
}

static err_t op_apply(struct memtable *m, struct memtable_entry *e, const struct op *op,
                      uint64_t seq)
{
    if (op->kind == OP_ROW)
        return row_add(m, e, op, seq);
    struct partition_extra *x = extra_for(m, e, seq);
    switch (op->kind) {
    case OP_PARTITION_DELETION:
        x->deletion = deletion_max(x->deletion, op->deletion);
        range_list_cover(&x->ranges, x->deletion);
        return OK;
    case OP_RANGE_TOMBSTONE:
        if (op->lower.n > MUTATION_CK_MAX || op->upper.n > MUTATION_CK_MAX)
            return ERR_CORRUPT;
        if (deletion_supersedes(op->deletion, x->deletion))
            range_list_add(&x->ranges, &m->arena,
                           (struct range_tombstone){op->lower, op->upper, op->deletion});
        return OK;
    case OP_STATIC_ROW: return block_merge(m, &x->static_row, op->body, true);
    default: return ERR_CORRUPT;
    }
}

err_t memtable_apply(struct memtable *m, const struct table *t, const struct mutation *mutation,
                     uint64_t seq)
{
    if (mutation->pk.n > MUTATION_PK_MAX)
        return ERR_CORRUPT;
    struct table_content *c = table_for(m, t, mutation->incarnation);
    m->applied = true;
    if (seq > m->seq_max)
        m->seq_max = seq;
    if (c == NULL)
        return OK;
    struct memtable_entry *e = NULL;
    struct cur cur = cur_of(mutation->ops);
    struct op op;
    for (;;) {
        TRY(op_next(&cur, &op));
        if (op.kind == OP_END)
            return OK;
        if (e == NULL)
            e = partition_for(m, c, mutation->token, mutation->pk);
        TRY(op_apply(m, e, &op, seq));
    }
}

/* --- Reading ------------------------------------------------------------------------------------ */

static void partition_view(const struct memtable_entry *e, struct memtable_partition *out)
{
    const struct partition_extra *x = e->extra;
    *out = (struct memtable_partition){
        .token = e->token,
        .pk = bytes_of(e->key, e->item.key_n),
        .deletion = x ? x->deletion : DELETION_NONE,
        .static_row = x ? bytes_of(x->static_row.p, x->static_row.n) : BYTES_NULL,
        .ranges = x ? &x->ranges : &no_ranges,
        .seq = x ? x->seq : 0,
        .rows_count = e->rows.count,
        .entry = e,
    };
}

bool memtable_find(const struct memtable *m, uint32_t slot, struct token token, struct bytes pk,
                   struct memtable_partition *out)
{
    const struct table_content *c = table_get(m, slot);
    if (c == NULL)
        return false;
    struct tree_path path;
    const struct memtable_entry *e =
        tree_locate(&c->partitions, &partition_rules, token_prefix(token), pk, &path);
    if (e)
        partition_view(e, out);
    return e != NULL;
}

void memtable_seek_partition(const struct memtable *m, uint32_t slot, struct token token,
                             struct bytes pk, bool after, struct memtable_cursor *cursor)
{
    const struct table_content *c = table_get(m, slot);
    cursor->pos = (struct tree_pos){0};
    if (c)
        cursor->pos = tree_seek(&c->partitions, &partition_rules, token_prefix(token), pk, after);
}

void memtable_seek(const struct memtable *m, uint32_t slot, struct token token,
                   struct memtable_cursor *cursor)
{
    memtable_seek_partition(m, slot, token, BYTES_NULL, false, cursor);
}

bool memtable_next(struct memtable_cursor *cursor, struct memtable_partition *out)
{
    const struct memtable_entry *e = tree_next(&cursor->pos);
    if (e)
        partition_view(e, out);
    return e != NULL;
}

static void row_view(const struct row_item *row, struct memtable_row *out)
{
    out->ck = bytes_of(row->key, row->item.key_n);
    out->body = bytes_of(row->body.p, row->body.n);
    out->seq = row->seq;
}

void memtable_rows_begin(const struct memtable_partition *p, struct bytes lower, struct bytes upper,
                         bool reversed, struct memtable_rows *it)
{
    struct bytes start = reversed ? upper : lower;
    it->reversed = reversed;
    it->bound = reversed ? lower : upper;
    it->pos = tree_seek(&p->entry->rows, &row_rules, 0, start, false);
}

bool memtable_rows_next(struct memtable_rows *it, struct memtable_row *out)
{
    const struct row_item *row = it->reversed ? tree_prev(&it->pos) : tree_next(&it->pos);
    if (row == NULL)
        return false;
    int c = bytes_compare(bytes_of(row->key, row->item.key_n), it->bound);
    if (it->reversed ? c < 0 : c >= 0) {
        it->pos = (struct tree_pos){0}; /* stays at the end however often it is asked */
        return false;
    }
    row_view(row, out);
    return true;
}

bool memtable_row_find(const struct memtable_partition *p, struct bytes ck,
                       struct memtable_row *out)
{
    struct tree_path path;
    const struct row_item *row = tree_locate(&p->entry->rows, &row_rules, 0, ck, &path);
    if (row)
        row_view(row, out);
    return row != NULL;
}
