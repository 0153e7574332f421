// The memtable against sorted arrays: look-ups, iteration both ways, bounds, seeks; and its own promises:
// memory does not grow when a row is written again, tables and incarnations are apart, cut ops do no harm.
#include "cql/base/prng.h"
#include "storage/memtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct table table_of(uint32_t slot, uint64_t incarnation)
{
    return (struct table){.slot = slot, .id = {{(uint8_t)slot}}, .incarnation = incarnation};
}

static void put_row(struct buf *ops, struct bytes ck, int64_t timestamp, struct bytes value)
{
    struct buf body = {0};
    struct row_builder b;
    struct cell c = {.column_id = 1,
                     .timestamp = timestamp,
                     .local_deletion_s = LOCAL_DELETION_NEVER,
                     .value = value};
    row_begin(&b, &body, timestamp, LIVENESS_NONE, DELETION_NONE);
    row_put_cell(&b, &c);
    op_put_row(ops, ck, buf_bytes(&body));
    buf_free(&body);
}

static err_t apply(struct memtable *m, const struct table *t, struct token token, struct bytes pk,
                   struct buf *ops, uint64_t seq)
{
    struct mutation mutation = {
        .incarnation = t->incarnation, .token = token, .pk = pk, .ops = buf_bytes(ops)};
    err_t err = memtable_apply(m, t, &mutation, seq);
    ops->n = 0;
    return err;
}

static struct bytes value_of(struct bytes body)
{
    struct row r;
    struct cell c;
    assert_int_equal(row_decode(body, &r), OK);
    struct cell_iter it = row_cells(&r);
    assert_true(cell_next(&it, &c));
    return c.value;
}

enum { ROWS = 6000 };

struct key {
    uint8_t bytes[24];
    size_t n;
};

static struct bytes key_bytes(const struct key *k)
{
    return bytes_of(k->bytes, k->n);
}

static int key_order(const void *a, const void *b)
{
    return bytes_compare(key_bytes(a), key_bytes(b));
}

// Keys as tables have them: counters with long common prefixes, short ones, zeros at the end.
static struct key draw_key(struct prng *r, int shape)
{
    struct key k = {{0}, 0};
    if (shape == 0) {
        memcpy(k.bytes, "\x40\0\0\0\0", 5);
        store_be32(k.bytes + 5, (uint32_t)prng_below(r, 3 * ROWS));
        k.n = 9;
    } else if (shape == 1) {
        memcpy(k.bytes, "customer-number-", 16);
        store_be32(k.bytes + 16, (uint32_t)prng_u64(r));
        k.n = 16 + prng_below(r, 5);
    } else {
        k.n = prng_below(r, 12);
        for (size_t i = 0; i < k.n; i++)
            k.bytes[i] = (uint8_t)prng_below(r, 3);
    }
    return k;
}

static void check_rows(const struct memtable_partition *p, const struct key *keys, size_t count,
                       struct bytes lower, struct bytes upper, bool reversed)
{
    size_t from = 0, to = 0;
    while (from < count && bytes_compare(key_bytes(&keys[from]), lower) < 0)
        from++;
    while (to < count && bytes_compare(key_bytes(&keys[to]), upper) < 0)
        to++;
    struct memtable_rows it;
    struct memtable_row row;
    memtable_rows_begin(p, lower, upper, reversed, &it);
    for (size_t i = 0; from + i < to; i++) {
        assert_true(memtable_rows_next(&it, &row));
        const struct key *k = &keys[reversed ? to - 1 - i : from + i];
        assert_true(bytes_equal(row.ck, key_bytes(k)));
        assert_true(bytes_equal(value_of(row.body), row.ck));
    }
    assert_false(memtable_rows_next(&it, &row));
    assert_false(memtable_rows_next(&it, &row));
}

enum arrival { RANDOM, ASCENDING, DESCENDING };

static void rows_are_ordered(int shape, enum arrival arrival, size_t count)
{
    struct prng r;
    prng_init(&r, (uint64_t)shape * 100 + count);
    struct memtable *m = memtable_new();
    struct table t = table_of(3, 1);
    struct token token = {42};
    struct key *keys = calloc(count, sizeof *keys), *sorted = calloc(count, sizeof *keys);
    struct buf ops = {0};
    for (size_t i = 0; i < count; i++)
        keys[i] = draw_key(&r, shape);
    memcpy(sorted, keys, count * sizeof *keys);
    qsort(sorted, count, sizeof *keys, key_order);
    for (size_t i = 0; i < count; i++) {
        const struct key *k = arrival == RANDOM      ? &keys[i]
                              : arrival == ASCENDING ? &sorted[i]
                                                     : &sorted[count - 1 - i];
        put_row(&ops, key_bytes(k), 1, key_bytes(k));
        assert_int_equal(apply(m, &t, token, bytes_str("pk"), &ops, i + 1), OK);
    }
    size_t unique = 0;
    for (size_t i = 0; i < count; i++)
        if (unique == 0 || key_order(&sorted[unique - 1], &sorted[i]) != 0)
            sorted[unique++] = sorted[i];

    struct memtable_partition p;
    struct memtable_row row;
    assert_true(memtable_find(m, 3, token, bytes_str("pk"), &p));
    assert_int_equal(p.rows_count, unique);
    for (size_t i = 0; i < unique; i++) {
        assert_true(memtable_row_find(&p, key_bytes(&sorted[i]), &row));
        assert_true(bytes_equal(row.ck, key_bytes(&sorted[i])));
    }
    for (int i = 0; i < 200; i++) {
        struct key other = draw_key(&r, shape);
        bool there = bsearch(&other, sorted, unique, sizeof other, key_order) != NULL;
        assert_int_equal(memtable_row_find(&p, key_bytes(&other), &row), there);
    }
    check_rows(&p, sorted, unique, bytes_of("", 0), bytes_of("\xff", 1), false);
    check_rows(&p, sorted, unique, bytes_of("", 0), bytes_of("\xff", 1), true);
    for (int i = 0; i < 40; i++) {
        struct key a = draw_key(&r, shape), b = draw_key(&r, shape);
        check_rows(&p, sorted, unique, key_bytes(&a), key_bytes(&b), i % 2);
        check_rows(&p, sorted, unique, key_bytes(&sorted[prng_below(&r, unique)]),
                   key_bytes(&sorted[prng_below(&r, unique)]), i % 2);
    }
    memtable_free(m);
    buf_free(&ops);
    free(keys);
    free(sorted);
}

static void rows_iterate_in_order(void **state)
{
    (void)state;
    for (int shape = 0; shape < 3; shape++)
        for (enum arrival arrival = RANDOM; arrival <= DESCENDING; arrival++) {
            rows_are_ordered(shape, arrival, ROWS);
            for (size_t count = 1; count < 12; count++)
                rows_are_ordered(shape, arrival, count);
            rows_are_ordered(shape, arrival, 65);
        }
}

static struct bytes pk_of(int i, uint8_t *room)
{
    room[0] = (uint8_t)('a' + i % 7);
    room[1] = (uint8_t)i;
    return bytes_of(room, 1 + (size_t)(i % 2));
}

// Few tokens, so that keys collide: then length decides, then bytes.
static void partitions_iterate_in_order(void **state)
{
    (void)state;
    struct memtable *m = memtable_new();
    struct table t = table_of(5, 1), other = table_of(6, 1);
    struct buf ops = {0};
    struct prng r;
    prng_init(&r, 9);
    uint8_t room[2];
    for (int i = 0; i < 4000; i++) {
        int64_t token = prng_below(&r, 2) ? (int64_t)prng_below(&r, 5) - 2 : (int64_t)prng_u64(&r);
        put_row(&ops, bytes_str(""), 1, bytes_str("v"));
        assert_int_equal(apply(m, i % 3 ? &t : &other, (struct token){token},
                               pk_of((int)prng_below(&r, 250), room), &ops, 1),
                         OK);
    }
    struct memtable_table view;
    assert_true(memtable_table_find(m, 5, &view));
    struct memtable_partition *all = calloc(view.partitions_count, sizeof *all);
    struct memtable_partition p;
    struct memtable_cursor c;
    size_t count = 0;
    memtable_seek(m, 5, TOKEN_MIN, &c);
    while (memtable_next(&c, &p)) {
        if (count)
            assert_true(partition_compare(all[count - 1].token, all[count - 1].pk, p.token, p.pk) <
                        0);
        all[count++] = p;
    }
    assert_int_equal(count, view.partitions_count);
    assert_false(memtable_next(&c, &p));
    for (size_t i = 0; i < count; i++) {
        assert_true(memtable_find(m, 5, all[i].token, all[i].pk, &p));
        assert_ptr_equal(p.entry, all[i].entry);
        assert_int_equal(p.rows_count, 1);
        memtable_seek_partition(m, 5, all[i].token, all[i].pk, false, &c);
        assert_true(memtable_next(&c, &p));
        assert_ptr_equal(p.entry, all[i].entry);
        memtable_seek_partition(m, 5, all[i].token, all[i].pk, true, &c);
        assert_int_equal(memtable_next(&c, &p), i + 1 < count);
        if (i + 1 < count)
            assert_ptr_equal(p.entry, all[i + 1].entry);
        memtable_seek(m, 5, all[i].token, &c); // the first of this token
        assert_true(memtable_next(&c, &p));
        assert_int_equal(p.token.value, all[i].token.value);
        assert_true(i == 0 || all[i - 1].token.value < p.token.value || p.entry != all[i].entry);
    }
    memtable_seek(m, 4, TOKEN_MIN, &c); // no such slot
    assert_false(memtable_next(&c, &p));
    assert_false(memtable_find(m, 4, all[0].token, all[0].pk, &p));
    free(all);
    memtable_free(m);
    buf_free(&ops);
}

static void tombstones_and_static_rows_are_kept(void **state)
{
    (void)state;
    struct memtable *m = memtable_new();
    struct table t = table_of(1, 1);
    struct buf ops = {0}, body = {0};
    struct bytes pk = bytes_str("pk");
    struct memtable_partition p;
    struct row_builder b;
    put_row(&ops, bytes_str("ck"), 1, bytes_str("v"));
    assert_int_equal(apply(m, &t, (struct token){1}, pk, &ops, 10), OK);
    assert_true(memtable_find(m, 1, (struct token){1}, pk, &p));
    assert_true(deletion_is_none(p.deletion));
    assert_int_equal(p.seq, 0);
    assert_int_equal(p.static_row.n, 0);
    assert_int_equal(p.ranges->count, 0);

    op_put_range_tombstone(&ops, bytes_str("a"), bytes_str("b"), (struct deletion){5, 1});
    op_put_range_tombstone(&ops, bytes_str("b"), bytes_str("c"), (struct deletion){9, 1});
    row_begin(&b, &body, 3, LIVENESS_NONE, (struct deletion){3, 3});
    op_put_static_row(&ops, buf_bytes(&body));
    assert_int_equal(apply(m, &t, (struct token){1}, pk, &ops, 12), OK);
    op_put_partition_deletion(&ops, (struct deletion){7, 1});
    assert_int_equal(apply(m, &t, (struct token){1}, pk, &ops, 11), OK);
    op_put_partition_deletion(&ops, (struct deletion){6, 1});
    op_put_range_tombstone(&ops, bytes_str("x"), bytes_str("y"), (struct deletion){7, 1});
    assert_int_equal(apply(m, &t, (struct token){1}, pk, &ops, 9), OK);
    assert_true(memtable_find(m, 1, (struct token){1}, pk, &p));
    assert_int_equal(p.deletion.timestamp, 7);
    assert_int_equal(p.ranges->count, 1);
    assert_int_equal(p.ranges->items[0].deletion.timestamp, 9);
    assert_true(bytes_equal(p.static_row, buf_bytes(&body)));
    assert_int_equal(p.seq, 12);
    struct memtable_row row;
    assert_true(memtable_row_find(&p, bytes_str("ck"), &row)); // the reader's business
    assert_int_equal(row.seq, 10);
    assert_int_equal(memtable_seq_max(m), 12);
    memtable_free(m);
    buf_free(&ops);
    buf_free(&body);
}

// One row written a hundred thousand times, its value growing and shrinking, takes little.
static void writing_again_takes_no_memory(void **state)
{
    (void)state;
    struct memtable *m = memtable_new();
    struct table t = table_of(1, 1);
    struct buf ops = {0};
    uint8_t value[2000] = {0};
    size_t settled = 0;
    for (int i = 1; i <= 100000; i++) {
        size_t n = (size_t)(i * 7919) % sizeof value;
        put_row(&ops, bytes_str("ck"), i, bytes_of(value, n));
        assert_int_equal(apply(m, &t, (struct token){1}, bytes_str("pk"), &ops, (uint64_t)i), OK);
        if (i == 20000)
            settled = memtable_bytes(m);
    }
    assert_int_equal(memtable_bytes(m), settled);
    assert_true(settled < 40000);
    struct memtable_partition p;
    struct memtable_row row;
    assert_true(memtable_find(m, 1, (struct token){1}, bytes_str("pk"), &p));
    assert_int_equal(p.rows_count, 1);
    assert_true(memtable_row_find(&p, bytes_str("ck"), &row));
    assert_int_equal(value_of(row.body).n, (100000u * 7919u) % sizeof value);
    assert_int_equal(row.seq, 100000);
    put_row(&ops, bytes_str("ck"), 1, bytes_str("old")); // loses, but its seq is the older as well
    assert_int_equal(apply(m, &t, (struct token){1}, bytes_str("pk"), &ops, 5), OK);
    assert_true(memtable_row_find(&p, bytes_str("ck"), &row));
    assert_int_equal(row.seq, 100000);
    memtable_free(m);
    buf_free(&ops);
}

static void tables_and_incarnations_are_apart(void **state)
{
    (void)state;
    struct memtable *m = memtable_new();
    struct buf ops = {0};
    struct memtable_table view;
    struct memtable_partition p;
    struct bytes pk = bytes_str("pk");
    assert_true(memtable_is_empty(m));
    for (uint32_t slot = 20; slot-- > 0;) {
        struct table t = table_of(slot, 5);
        put_row(&ops, bytes_str("ck"), 1, bytes_str("v"));
        assert_int_equal(apply(m, &t, (struct token){1}, pk, &ops, slot + 1), OK);
    }
    assert_false(memtable_is_empty(m));
    uint32_t expected = 0;
    for (size_t i = 0; memtable_table_next(m, &i, &view); expected++) {
        assert_int_equal(view.slot, expected);
        assert_int_equal(view.table_id.b[0], expected);
        assert_int_equal(view.incarnation, 5);
        assert_int_equal(view.partitions_count, 1);
    }
    assert_int_equal(expected, 20);
    memtable_drop_table(m, 7);
    memtable_drop_table(m, 7);
    assert_false(memtable_find(m, 7, (struct token){1}, pk, &p));
    assert_false(memtable_table_find(m, 7, &view));
    assert_true(memtable_find(m, 8, (struct token){1}, pk, &p));

    struct table older = table_of(8, 4), newer = table_of(8, 6);
    put_row(&ops, bytes_str("other"), 1, bytes_str("v"));
    assert_int_equal(apply(m, &older, (struct token){1}, bytes_str("old"), &ops, 30), OK);
    assert_false(memtable_find(m, 8, (struct token){1}, bytes_str("old"), &p));
    put_row(&ops, bytes_str("other"), 1, bytes_str("v"));
    assert_int_equal(apply(m, &newer, (struct token){1}, bytes_str("new"), &ops, 31), OK);
    assert_false(memtable_find(m, 8, (struct token){1}, pk, &p));
    assert_true(memtable_find(m, 8, (struct token){1}, bytes_str("new"), &p));
    memtable_free(m);
    buf_free(&ops);
}

static void malformed_ops_are_refused(void **state)
{
    (void)state;
    struct table t = table_of(1, 1);
    struct buf ops = {0};
    put_row(&ops, bytes_str("ck"), 1, bytes_str("value"));
    op_put_partition_deletion(&ops, (struct deletion){1, 1});
    op_put_range_tombstone(&ops, bytes_str("a"), bytes_str("b"), (struct deletion){5, 1});
    struct memtable *m = memtable_new();
    int refused = 0;
    for (size_t n = 0; n <= ops.n; n++)
        for (size_t flip = 0; flip <= n; flip++) {
            uint8_t *cut = malloc(n + 1);
            memcpy(cut, ops.p, n);
            if (flip < n)
                cut[flip] ^= 0x81;
            struct mutation mutation = {
                .incarnation = 1, .pk = bytes_str("pk"), .ops = bytes_of(cut, n)};
            refused += memtable_apply(m, &t, &mutation, 1) != OK;
            free(cut);
        }
    assert_true(refused > 100);
    memtable_free(m);
    buf_free(&ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_iterate_in_order),
        cmocka_unit_test(partitions_iterate_in_order),
        cmocka_unit_test(tombstones_and_static_rows_are_kept),
        cmocka_unit_test(writing_again_takes_no_memory),
        cmocka_unit_test(tables_and_incarnations_are_apart),
        cmocka_unit_test(malformed_ops_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
