// The merge against a naive map of Cassandra's rules.
//
// A round draws mutations over a tiny universe (few keys, columns, timestamps), so that ties and overlaps
// are the rule. The naive side keeps every atom ever written and decides at the end, by looking at all of
// them, which one each place shows; it merges nothing. The other side puts the same mutations, in a random
// order, some of them twice, into random groups: each group is a memtable, each memtable is read as a result,
// and the results are merged in a random order. Whatever the order and grouping, both must print the same
// text: that is commutativity, associativity, idempotence and correctness at once. Counters are not here
// (a counter's timestamps do not commute with deletions, in Cassandra as well).
#include "cql/base/prng.h"
#include "cql/data/read.h"
#include "cql/data/reconcile.h"
#include "storage/memtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    PKS = 2,
    CKS = 5,     // clustering keys "b", "d", "f", …: bounds lie at and between them
    COLUMNS = 4, // 1, 2: simple; 3, 4: multi-cell
    PATHS = 3,
    ATOMS_MAX = 4096,
    STATIC = -1, // ck index of the static row
};

// --- What was written ----------------------------------------------------------------------------

enum atom_kind { MARKER, CELL, ROW_TOMBSTONE, COMPLEX, RANGE, PARTITION };

struct atom {
    enum atom_kind kind;
    int pk, ck, column, path; // path -1: none
    int lower, upper;         // RANGE: of bound positions 0 … 2 * CKS + 1
    int64_t timestamp, ldt;
    int32_t ttl;
    bool dead;
    int value;
};

struct world {
    struct prng rng;
    struct atom atoms[ATOMS_MAX];
    int atoms_count;
};

static int below(struct world *w, int n)
{
    return (int)prng_below(&w->rng, (uint64_t)n);
}

static const char *const pk_names[PKS] = {"one", "two"};

// Bound position 2 * i + 1 is where clustering key i stands; even ones lie between.
static struct bytes bound_bytes(int position)
{
    static uint8_t letters[2 * CKS + 2];
    if (position == 0)
        return bytes_of("", 0);
    if (position == 2 * CKS + 1)
        return bytes_of("\xff", 1);
    letters[position] = (uint8_t)('a' + position);
    return bytes_of(&letters[position], 1);
}

static struct bytes ck_bytes(int ck)
{
    return bound_bytes(2 * ck + 1);
}

static struct bytes value_bytes(int value)
{
    static const char *const values[] = {"", "a", "b", "ab", "\xf0"};
    return bytes_str(values[value]);
}

static struct bytes path_bytes(int path)
{
    static const char *const paths[PATHS] = {"k", "ka", "z"};
    return bytes_str(paths[path]);
}

static struct atom *atom_add(struct world *w, enum atom_kind kind, int pk)
{
    assert_true(w->atoms_count < ATOMS_MAX);
    struct atom *a = &w->atoms[w->atoms_count++];
    *a = (struct atom){.kind = kind, .pk = pk, .path = -1, .ldt = LOCAL_DELETION_NEVER};
    a->timestamp = 1 + below(w, 6);
    return a;
}

static void draw_expiry(struct world *w, struct atom *a)
{
    if (below(w, 3))
        return;
    a->ttl = 1 + below(w, 3);
    a->ldt = 10 + below(w, 4);
}

static struct deletion atom_deletion(const struct atom *a)
{
    return (struct deletion){a->timestamp, a->ldt};
}

// --- Building mutations --------------------------------------------------------------------------

static struct cell cell_of(const struct atom *a)
{
    struct cell c = {.column_id = (uint32_t)a->column,
                     .timestamp = a->timestamp,
                     .local_deletion_s = a->ldt,
                     .ttl = a->ttl};
    if (a->kind == COMPLEX) {
        c.flags = CELL_COMPLEX_DELETION;
        return c;
    }
    c.flags = (uint8_t)((a->dead ? CELL_TOMBSTONE : 0) | (a->ttl ? CELL_EXPIRING : 0) |
                        (a->path >= 0 ? CELL_HAS_PATH : 0));
    if (a->path >= 0)
        c.path = path_bytes(a->path);
    if (!a->dead)
        c.value = value_bytes(a->value);
    return c;
}

static void draw_cell(struct world *w, struct row_builder *b, int pk, int ck, int column, int path,
                      int64_t newer_than)
{
    struct atom *a = atom_add(w, CELL, pk);
    a->ck = ck;
    a->column = column;
    a->path = path;
    if (a->timestamp <= newer_than) // a builder's row holds nothing that its own tombstones cover
        a->timestamp = newer_than + 1;
    if (below(w, 4) == 0) {
        a->dead = true;
        a->ldt = 5 + below(w, 3);
    } else {
        a->value = below(w, 5);
        draw_expiry(w, a);
    }
    struct cell c = cell_of(a);
    row_put_cell(b, &c);
}

static void draw_row(struct world *w, struct buf *ops, int pk, int ck)
{
    struct buf body = {0};
    struct liveness marker = LIVENESS_NONE;
    struct deletion deletion = DELETION_NONE;
    int64_t floor = 0;
    if (ck != STATIC && below(w, 6) == 0) {
        struct atom *a = atom_add(w, ROW_TOMBSTONE, pk);
        a->ck = ck;
        a->ldt = 5 + below(w, 3);
        deletion = atom_deletion(a);
        floor = a->timestamp;
    }
    if (ck != STATIC && below(w, 2)) {
        struct atom *a = atom_add(w, MARKER, pk);
        a->ck = ck;
        if (a->timestamp <= floor)
            a->timestamp = floor + 1;
        draw_expiry(w, a);
        marker = (struct liveness){a->timestamp, a->ttl, a->ldt};
    }
    struct row_builder b;
    row_begin(&b, &body, below(w, 8) - 1, marker, deletion);
    for (int column = 1; column <= COLUMNS; column++) {
        int64_t newer_than = floor;
        if (column <= 2) {
            if (below(w, 2))
                draw_cell(w, &b, pk, ck, column, -1, floor);
            continue;
        }
        if (below(w, 4) == 0) {
            struct atom *a = atom_add(w, COMPLEX, pk);
            a->ck = ck;
            a->column = column;
            a->ldt = 5 + below(w, 3);
            if (a->timestamp <= floor)
                a->timestamp = floor + 1;
            newer_than = a->timestamp;
            struct cell c = cell_of(a);
            row_put_cell(&b, &c);
        }
        for (int path = 0; path < PATHS; path++)
            if (below(w, 3) == 0)
                draw_cell(w, &b, pk, ck, column, path, newer_than);
    }
    if (ck == STATIC)
        op_put_static_row(ops, buf_bytes(&body));
    else
        op_put_row(ops, ck_bytes(ck), buf_bytes(&body));
    buf_free(&body);
}

static struct table the_table = {.slot = 7, .id = {{1, 2, 3}}, .incarnation = 1};

static void draw_mutation(struct world *w, struct buf *out)
{
    int pk = below(w, PKS);
    mutation_begin(out, &the_table, (struct wall_us){0}, bytes_str(pk_names[pk]));
    for (int i = 1 + below(w, 4); i > 0; i--) {
        int what = below(w, 12);
        if (what == 0) {
            struct atom *a = atom_add(w, PARTITION, pk);
            a->ldt = 5 + below(w, 3);
            if (below(w, 2)) // mostly weak: a strong one hides everything else
                a->timestamp = 1;
            op_put_partition_deletion(out, atom_deletion(a));
        } else if (what <= 3) {
            struct atom *a = atom_add(w, RANGE, pk);
            a->ldt = 5 + below(w, 3);
            a->lower = below(w, 2 * CKS + 1);
            a->upper = a->lower + 1 + below(w, 2 * CKS + 1 - a->lower);
            op_put_range_tombstone(out, bound_bytes(a->lower), bound_bytes(a->upper),
                                   atom_deletion(a));
        } else {
            draw_row(w, out, pk, what == 4 ? STATIC : below(w, CKS));
        }
    }
    assert_int_equal(mutation_validate(buf_bytes(out)), OK);
}

// --- The naive answer ----------------------------------------------------------------------------

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int value_order(const struct atom *a, const struct atom *b)
{
    return a->dead ? 0 : bytes_compare(value_bytes(a->value), value_bytes(b->value));
}

// Cassandra's rules one after another; the larger one wins.
static int atom_order(const struct atom *a, const struct atom *b)
{
    int c = order(a->timestamp, b->timestamp);
    if (c == 0)
        c = order(a->dead, b->dead);
    if (c == 0)
        c = order(a->ttl != 0, b->ttl != 0);
    if (c == 0)
        c = order(a->ldt, b->ldt);
    if (c == 0)
        c = order(b->ttl, a->ttl);
    if (c == 0)
        c = value_order(a, b);
    return c;
}

// The strongest atom of a kind at a place.
static const struct atom *best(const struct world *w, enum atom_kind kind, int pk, int ck,
                               int column, int path)
{
    const struct atom *found = NULL;
    for (int i = 0; i < w->atoms_count; i++) {
        const struct atom *a = &w->atoms[i];
        if (a->kind != kind || a->pk != pk || a->ck != ck || a->column != column || a->path != path)
            continue;
        if (!found || atom_order(a, found) > 0)
            found = a;
    }
    return found;
}

static struct deletion stronger(struct deletion d, const struct atom *a)
{
    if (!a)
        return d;
    int c = order(a->timestamp, d.timestamp);
    return c > 0 || (c == 0 && a->ldt > d.local_deletion_s) || deletion_is_none(d)
               ? atom_deletion(a)
               : d;
}

// The strongest range tombstone over the position.
static struct deletion best_range(const struct world *w, int pk, int position)
{
    struct deletion d = DELETION_NONE;
    for (int i = 0; i < w->atoms_count; i++) {
        const struct atom *a = &w->atoms[i];
        if (a->kind == RANGE && a->pk == pk && a->lower <= position && position < a->upper)
            d = stronger(d, a);
    }
    return d;
}

static bool is_stronger(struct deletion a, struct deletion b)
{
    if (deletion_is_none(a) || deletion_is_none(b))
        return !deletion_is_none(a);
    int c = order(a.timestamp, b.timestamp);
    return c > 0 || (c == 0 && a.local_deletion_s > b.local_deletion_s);
}

// What a reader or purge leaves of an atom; without a view everything stays.
struct view {
    bool set, live_only;
    int64_t now_s, purge_before_s;
};

static bool stays(const struct view *v, bool tombstone, bool expiring, int64_t ldt)
{
    if (!v->set)
        return true;
    if (!tombstone && (!expiring || ldt > v->now_s))
        return true;
    return !v->live_only && ldt > v->purge_before_s;
}

static void print_deletion(struct buf *out, const char *what, struct deletion d)
{
    buf_printf(out, "%s %lld/%lld", what, (long long)d.timestamp, (long long)d.local_deletion_s);
}

static void print_atom(struct buf *out, const struct cell *c)
{
    buf_printf(out, " [%u %u %lld %d %lld ", c->column_id, c->flags, (long long)c->timestamp,
               c->ttl, (long long)c->local_deletion_s);
    buf_put_bytes(out, c->path);
    buf_u8(out, '=');
    buf_put_bytes(out, c->value);
    buf_u8(out, ']');
}

static void naive_row(const struct world *w, int pk, int ck, struct deletion covering,
                      const struct view *v, struct buf *out)
{
    size_t start = out->n;
    if (ck == STATIC)
        buf_printf(out, "  static");
    else
        buf_printf(out, "  row %.*s", BYTES_FMT(ck_bytes(ck)));
    size_t content = out->n;
    struct deletion active = covering;
    const struct atom *row = best(w, ROW_TOMBSTONE, pk, ck, 0, -1);
    struct deletion own = stronger(DELETION_NONE, row);
    if (is_stronger(own, covering)) {
        active = own;
        if (stays(v, true, false, own.local_deletion_s))
            print_deletion(out, " deleted", own);
    }
    const struct atom *m = best(w, MARKER, pk, ck, 0, -1);
    if (m && m->timestamp > active.timestamp && stays(v, false, m->ttl != 0, m->ldt))
        buf_printf(out, " marker %lld %d %lld", (long long)m->timestamp, m->ttl, (long long)m->ldt);
    for (int column = 1; column <= COLUMNS; column++) {
        const struct atom *complex = best(w, COMPLEX, pk, ck, column, -1);
        struct deletion column_active = active;
        if (is_stronger(stronger(DELETION_NONE, complex), active)) {
            column_active = atom_deletion(complex);
            struct cell c = cell_of(complex);
            if (stays(v, true, false, complex->ldt))
                print_atom(out, &c);
        }
        for (int path = -1; path < PATHS; path++) {
            const struct atom *a = best(w, CELL, pk, ck, column, path);
            if (!a || a->timestamp <= column_active.timestamp ||
                !stays(v, a->dead, a->ttl != 0, a->ldt))
                continue;
            struct cell c = cell_of(a);
            print_atom(out, &c);
        }
    }
    if (out->n == content)
        out->n = start;
    else
        buf_u8(out, '\n');
}

static void naive_partition(const struct world *w, int pk, const struct view *v, bool reversed,
                            struct buf *out)
{
    size_t start = out->n;
    buf_printf(out, "%s\n", pk_names[pk]);
    size_t content = out->n;
    struct deletion deletion = stronger(DELETION_NONE, best(w, PARTITION, pk, 0, 0, -1));
    if (!deletion_is_none(deletion) && !v->set) {
        print_deletion(out, "  deleted", deletion);
        buf_u8(out, '\n');
    }
    naive_row(w, pk, STATIC, deletion, v, out);
    struct deletion run = DELETION_NONE;
    for (int position = 0, begun = 0; position <= 2 * CKS + 1 && !v->set; position++) {
        struct deletion d = position <= 2 * CKS ? best_range(w, pk, position) : DELETION_NONE;
        if (!is_stronger(d, deletion))
            d = DELETION_NONE;
        if (d.timestamp == run.timestamp && d.local_deletion_s == run.local_deletion_s)
            continue;
        if (!deletion_is_none(run)) {
            buf_printf(out, "  range %.*s-%.*s", BYTES_FMT(bound_bytes(begun)),
                       BYTES_FMT(bound_bytes(position)));
            print_deletion(out, "", run);
            buf_u8(out, '\n');
        }
        run = d;
        begun = position;
    }
    for (int i = 0; i < CKS; i++) {
        int ck = reversed ? CKS - 1 - i : i;
        struct deletion range = best_range(w, pk, 2 * ck + 1);
        naive_row(w, pk, ck, is_stronger(range, deletion) ? range : deletion, v, out);
    }
    if (out->n == content)
        out->n = start;
}

static int pk_order(const void *a, const void *b)
{
    struct bytes x = bytes_str(pk_names[*(const int *)a]), y = bytes_str(pk_names[*(const int *)b]);
    return partition_compare(token_of_key(x), x, token_of_key(y), y);
}

static void naive_print(const struct world *w, const struct view *v, bool reversed, struct buf *out)
{
    int pks[PKS] = {0, 1};
    qsort(pks, PKS, sizeof *pks, pk_order);
    for (int i = 0; i < PKS; i++)
        naive_partition(w, pks[i], v, reversed, out);
}

// --- The real answer -----------------------------------------------------------------------------

// A memtable read as a replica answers: tombstones applied, in order.
static void read_memtable(const struct memtable *m, bool reversed, struct buf *out)
{
    struct memtable_cursor cursor;
    struct memtable_partition p;
    struct buf body = {0};
    bool empty;
    memtable_seek(m, the_table.slot, TOKEN_MIN, &cursor);
    while (memtable_next(&cursor, &p)) {
        result_begin_partition(out, p.pk);
        if (!deletion_is_none(p.deletion))
            op_put_partition_deletion(out, p.deletion);
        if (p.static_row.n) {
            body.n = 0;
            assert_int_equal(row_merge(p.static_row, BYTES_NULL, p.deletion, &body, &empty), OK);
            if (!empty)
                op_put_static_row(out, buf_bytes(&body));
        }
        for (size_t i = 0; i < p.ranges->count; i++) {
            const struct range_tombstone *r = &p.ranges->items[i];
            op_put_range_tombstone(out, r->lower, r->upper, r->deletion);
        }
        struct memtable_rows rows;
        struct memtable_row row;
        memtable_rows_begin(&p, bytes_of("", 0), bytes_of("\xff", 1), reversed, &rows);
        while (memtable_rows_next(&rows, &row)) {
            body.n = 0;
            struct deletion covering = deletion_max(p.deletion, range_list_at(p.ranges, row.ck));
            assert_int_equal(row_merge(row.body, BYTES_NULL, covering, &body, &empty), OK);
            if (!empty)
                op_put_row(out, row.ck, buf_bytes(&body));
        }
        op_put_end(out);
    }
    buf_free(&body);
}

// A row as it is, or what row_clean() leaves of it; nothing when it is empty.
static void print_row(struct bytes body, const char *what, struct bytes ck, const struct view *v,
                      struct buf *out)
{
    struct buf clean = {0};
    bool empty = false, live, anything_live = false;
    if (v->set) {
        struct row_filter f = {
            .now_s = v->now_s, .purge_before_s = v->purge_before_s, .live_only = v->live_only};
        assert_int_equal(row_clean(body, &f, &clean, &empty), OK);
        assert_int_equal(row_is_live(body, v->now_s, &live), OK);
        anything_live = live;
        body = buf_bytes(&clean);
    }
    if (v->set && v->live_only)
        assert_int_equal(anything_live, !empty);
    if (!empty) {
        struct row r;
        struct cell c;
        assert_int_equal(row_decode(body, &r), OK);
        buf_printf(out, "  %s%.*s", what, BYTES_FMT(ck));
        if (!deletion_is_none(r.deletion))
            print_deletion(out, " deleted", r.deletion);
        if (r.marker.timestamp != TIMESTAMP_NONE)
            buf_printf(out, " marker %lld %d %lld", (long long)r.marker.timestamp, r.marker.ttl,
                       (long long)r.marker.local_deletion_s);
        struct cell_iter it = row_cells(&r);
        while (cell_next(&it, &c))
            print_atom(out, &c);
        assert_false(it.cur.bad);
        buf_u8(out, '\n');
    }
    buf_free(&clean);
}

static void result_print(struct bytes result, const struct view *v, struct buf *out)
{
    struct result_iter it = result_iter(result);
    struct bytes pk;
    struct cur ops;
    struct op op;
    while (result_next(&it, &pk, &ops)) {
        size_t start = out->n;
        buf_printf(out, "%.*s\n", BYTES_FMT(pk));
        size_t content = out->n;
        for (;;) {
            assert_int_equal(op_next(&ops, &op), OK);
            if (op.kind == OP_END)
                break;
            if (op.kind == OP_ROW)
                print_row(op.body, "row ", op.ck, v, out);
            if (op.kind == OP_STATIC_ROW)
                print_row(op.body, "static", bytes_of("", 0), v, out);
            if (op.kind == OP_PARTITION_DELETION && !v->set) {
                print_deletion(out, "  deleted", op.deletion);
                buf_u8(out, '\n');
            }
            if (op.kind == OP_RANGE_TOMBSTONE && !v->set) {
                buf_printf(out, "  range %.*s-%.*s", BYTES_FMT(op.lower), BYTES_FMT(op.upper));
                print_deletion(out, "", op.deletion);
                buf_u8(out, '\n');
            }
        }
        if (out->n == content)
            out->n = start;
        result_leave(&it, &ops);
    }
    assert_false(it.cur.bad);
}

enum { MUTATIONS_MAX = 24, GROUPS_MAX = 5 };

static struct read_command command(bool reversed)
{
    return (struct read_command){.table = &the_table,
                                 .is_range = true,
                                 .start = TOKEN_MIN,
                                 .end = TOKEN_MAX,
                                 .reversed = reversed};
}

static void apply(struct memtable *m, const struct buf *b)
{
    struct mutation mutation;
    assert_int_equal(mutation_decode(buf_bytes(b), &mutation), OK);
    assert_int_equal(memtable_apply(m, &the_table, &mutation, 1), OK);
}

// Every mutation goes to one group at least, in a random order; some go to several, or twice to one.
static void group_and_read(struct world *w, const struct buf *mutations, int count, bool reversed,
                           struct buf *results, int groups)
{
    struct memtable *tables[GROUPS_MAX];
    for (int g = 0; g < groups; g++)
        tables[g] = memtable_new();
    int at[2 * MUTATIONS_MAX];
    for (int i = 0; i < count; i++)
        at[i] = i;
    int total = count + below(w, count);
    for (int i = count; i < total; i++)
        at[i] = below(w, count);
    for (int i = total - 1; i > 0; i--) {
        int j = below(w, i + 1), swap = at[i];
        at[i] = at[j];
        at[j] = swap;
    }
    for (int i = 0; i < total; i++)
        apply(tables[below(w, groups)], &mutations[at[i]]);
    for (int g = 0; g < groups; g++) {
        read_memtable(tables[g], reversed, &results[g]);
        memtable_free(tables[g]);
    }
}

// Merges the results two or more at a time, in a random order, until one is left in results[0].
static void merge_all(struct world *w, struct buf *results, int count, bool reversed)
{
    struct read_command cmd = command(reversed);
    do {
        int take = count <= 2 ? count : 2 + below(w, count - 1);
        struct bytes inputs[GROUPS_MAX + 1];
        for (int i = 0; i < take; i++) {
            int j = i + below(w, count - i);
            struct buf swap = results[i];
            results[i] = results[j];
            results[j] = swap;
            inputs[i] = buf_bytes(&results[i]);
        }
        inputs[take] = inputs[0]; // the first one twice: idempotence
        struct buf merged = {0};
        assert_int_equal(result_merge(inputs, (size_t)take + 1, &cmd, &merged), OK);
        for (int i = 0; i < take; i++)
            buf_free(&results[i]);
        results[0] = merged;
        for (int i = take; i < count; i++)
            results[i - take + 1] = results[i];
        count = count - take + 1;
    } while (count > 1);
}

static void compare(const struct buf *expected, const struct buf *got, uint64_t seed)
{
    if (bytes_equal(buf_bytes(expected), buf_bytes(got)))
        return;
    print_error("seed %llu\nexpected:\n%.*s\ngot:\n%.*s\n", (unsigned long long)seed,
                BYTES_FMT(buf_bytes(expected)), BYTES_FMT(buf_bytes(got)));
    fail();
}

static void run_round(uint64_t seed, struct world *w)
{
    prng_init(&w->rng, seed);
    w->atoms_count = 0;
    struct buf mutations[MUTATIONS_MAX] = {0}, results[GROUPS_MAX] = {0};
    int count = 1 + below(w, MUTATIONS_MAX), groups = 1 + below(w, GROUPS_MAX);
    bool reversed = below(w, 2);
    for (int i = 0; i < count; i++)
        draw_mutation(w, &mutations[i]);
    group_and_read(w, mutations, count, reversed, results, groups);
    merge_all(w, results, groups, reversed);

    for (int what = 0; what < 3; what++) {
        struct view v = {what > 0, what == 1, 9 + below(w, 6),
                         what == 2 ? 3 + below(w, 11) : INT64_MIN};
        struct buf expected = {0}, got = {0};
        naive_print(w, &v, reversed, &expected);
        result_print(buf_bytes(&results[0]), &v, &got);
        compare(&expected, &got, seed);
        buf_free(&expected);
        buf_free(&got);
    }
    buf_free(&results[0]);
    for (int i = 0; i < count; i++)
        buf_free(&mutations[i]);
}

static void any_order_and_grouping_gives_the_naive_result(void **state)
{
    (void)state;
    const char *text = getenv("HELENUS_MODEL_ROUNDS");
    long rounds = text ? strtol(text, NULL, 10) : 3000;
    struct world *w = calloc(1, sizeof *w);
    for (long i = 0; i < rounds; i++)
        run_round((uint64_t)i, w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_and_grouping_gives_the_naive_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
