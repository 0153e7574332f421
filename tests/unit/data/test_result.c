// Merging answers: disjoint shards in token order, the order of keys, and what is refused. The merge of
// rows themselves is in the model test.
#include "cql/base/prng.h"
#include "cql/data/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_row(struct buf *out, const char *ck, int64_t timestamp, const char *value)
{
    struct buf body = {0};
    struct row_builder b;
    struct cell c = {.column_id = 1,
                     .timestamp = timestamp,
                     .local_deletion_s = LOCAL_DELETION_NEVER,
                     .value = bytes_str(value)};
    row_begin(&b, &body, timestamp, LIVENESS_NONE, DELETION_NONE);
    row_put_cell(&b, &c);
    op_put_row(out, bytes_str(ck), buf_bytes(&body));
    buf_free(&body);
}

static void put_partition(struct buf *out, struct bytes pk, const char *const *cks)
{
    result_begin_partition(out, pk);
    for (; *cks; cks++)
        put_row(out, *cks, 5, "v");
    op_put_end(out);
}

// "pk: ck ck | pk: …"
static void print(struct bytes result, struct buf *out)
{
    struct result_iter it = result_iter(result);
    struct bytes pk;
    struct cur ops;
    struct op op;
    out->n = 0;
    while (result_next(&it, &pk, &ops)) {
        buf_printf(out, "%.*s:", BYTES_FMT(pk));
        for (;;) {
            assert_int_equal(op_next(&ops, &op), OK);
            if (op.kind == OP_END)
                break;
            if (op.kind == OP_ROW)
                buf_printf(out, " %.*s", BYTES_FMT(op.ck));
            else
                buf_printf(out, " (%d)", op.kind);
        }
        buf_put_str(out, "|");
        result_leave(&it, &ops);
    }
    assert_false(it.cur.bad);
    buf_u8(out, 0);
}

static const char *const one_row[] = {"a", NULL};

enum { SHARDS = 16, KEYS = 500 };

struct keyed {
    uint8_t key[8];
    struct token token;
};

static int keyed_order(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    return partition_compare(x->token, bytes_of(x->key, 8), y->token, bytes_of(y->key, 8));
}

static void shards_interleave_by_token(void **state)
{
    (void)state;
    struct keyed keys[KEYS];
    struct buf shards[SHARDS] = {0}, expected = {0}, out = {0};
    for (int i = 0; i < KEYS; i++) {
        memcpy(keys[i].key, "key_____", 8);
        store_be32(keys[i].key + 4, (uint32_t)i);
        keys[i].token = token_of_key(bytes_of(keys[i].key, 8));
    }
    qsort(keys, KEYS, sizeof *keys, keyed_order);
    for (int i = 0; i < KEYS; i++) {
        struct bytes pk = bytes_of(keys[i].key, 8);
        put_partition(&shards[token_shard(keys[i].token, SHARDS, 8)], pk, one_row);
        put_partition(&expected, pk, one_row);
    }
    struct bytes inputs[SHARDS];
    for (int i = 0; i < SHARDS; i++)
        inputs[i] = buf_bytes(&shards[i]);
    struct read_command cmd = {.is_range = true};
    assert_int_equal(result_merge(inputs, SHARDS, &cmd, &out), OK);
    assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&expected)));
    for (int i = 0; i < SHARDS; i++)
        buf_free(&shards[i]);
    buf_free(&out);
    buf_free(&expected);
}

static void keys_come_in_the_order_asked(void **state)
{
    (void)state;
    struct bytes keys[] = {bytes_str("c"), bytes_str("a"), bytes_str("d"), bytes_str("b")};
    struct read_command cmd = {.keys = keys, .keys_count = 4};
    struct buf x = {0}, y = {0}, out = {0}, text = {0};
    static const char *const rows_x[] = {"1", "3", NULL}, *const rows_y[] = {"2", "3", "4", NULL};
    put_partition(&x, keys[0], rows_x);
    put_partition(&x, keys[3], rows_x);
    put_partition(&y, keys[1], rows_y);
    put_partition(&y, keys[3], rows_y);
    struct bytes inputs[] = {buf_bytes(&y), buf_bytes(&x), BYTES_NULL};
    assert_int_equal(result_merge(inputs, 3, &cmd, &out), OK);
    print(buf_bytes(&out), &text);
    assert_string_equal((char *)text.p, "c: 1 3|a: 2 3 4|b: 1 2 3 4|");
    cmd.keys_count = 3; // "b" was not asked for
    size_t n = out.n;
    assert_int_equal(result_merge(inputs, 3, &cmd, &out), ERR_CORRUPT);
    assert_int_equal(out.n, n);
    buf_free(&x);
    buf_free(&y);
    buf_free(&out);
    buf_free(&text);
}

static void tombstones_of_one_act_on_rows_of_all(void **state)
{
    (void)state;
    struct bytes key = bytes_str("k");
    struct read_command cmd = {.keys = &key, .keys_count = 1, .reversed = true};
    struct buf x = {0}, y = {0}, out = {0}, text = {0};
    result_begin_partition(&x, key);
    op_put_range_tombstone(&x, bytes_str("b"), bytes_str("d"), (struct deletion){5, 1});
    put_row(&x, "c", 6, "newer");
    op_put_end(&x);
    static const char *const rows[] = {"d", "c", "b", "a", NULL};
    put_partition(&y, key, rows);
    struct bytes inputs[] = {buf_bytes(&x), buf_bytes(&y)};
    assert_int_equal(result_merge(inputs, 2, &cmd, &out), OK);
    print(buf_bytes(&out), &text);
    assert_string_equal((char *)text.p, "k: (3) d c a|");

    // a partition that a deletion empties keeps the deletion; one with nothing at all is not there
    x.n = y.n = out.n = 0;
    result_begin_partition(&x, key);
    op_put_partition_deletion(&x, (struct deletion){5, 1});
    op_put_end(&x);
    put_partition(&y, key, rows);
    struct bytes deleted[] = {buf_bytes(&x), buf_bytes(&y)};
    assert_int_equal(result_merge(deleted, 2, &cmd, &out), OK);
    print(buf_bytes(&out), &text);
    assert_string_equal((char *)text.p, "k: (1)|");
    x.n = out.n = 0;
    result_begin_partition(&x, key);
    op_put_end(&x);
    struct bytes nothing[] = {buf_bytes(&x), buf_bytes(&x)};
    assert_int_equal(result_merge(nothing, 2, &cmd, &out), OK);
    assert_int_equal(out.n, 0);
    buf_free(&x);
    buf_free(&y);
    buf_free(&out);
    buf_free(&text);
}

static void bad_answers_are_refused(void **state)
{
    (void)state;
    struct bytes key = bytes_str("k");
    struct read_command cmd = {.keys = &key, .keys_count = 1};
    struct buf x = {0}, y = {0}, out = {0};
    static const char *const good[] = {"a", "b", NULL}, *const bad[] = {"b", "a", NULL};
    put_partition(&x, key, good);
    put_partition(&y, key, bad);
    struct bytes inputs[] = {buf_bytes(&x), buf_bytes(&y)};
    assert_int_equal(result_merge(inputs, 2, &cmd, &out), ERR_CORRUPT); // rows not in order
    cmd.reversed = true;
    assert_int_equal(result_merge(inputs, 2, &cmd, &out), ERR_CORRUPT);
    cmd.reversed = false;
    inputs[1] = inputs[0];
    assert_int_equal(result_merge(inputs, 2, &cmd, &out), OK);
    assert_true(bytes_equal(buf_bytes(&out), inputs[0]));
    for (size_t n = 1; n < x.n; n++) {
        uint8_t *cut = malloc(n);
        memcpy(cut, x.p, n);
        inputs[1] = bytes_of(cut, n);
        assert_int_equal(result_merge(inputs, 2, &cmd, &out), ERR_CORRUPT);
        assert_int_equal(result_merge(&inputs[1], 1, &cmd, &out), ERR_CORRUPT);
        free(cut);
    }
    // partitions out of order, and one twice
    size_t whole = x.n;
    put_partition(&x, key, good);
    inputs[0] = buf_bytes(&x);
    assert_int_equal(result_merge(inputs, 1, &cmd, &out), ERR_CORRUPT);
    cmd.is_range = true;
    assert_int_equal(result_merge(inputs, 1, &cmd, &out), ERR_CORRUPT);
    inputs[0].n = whole;
    assert_int_equal(result_merge(inputs, 1, &cmd, &out), OK);
    buf_free(&x);
    buf_free(&y);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_interleave_by_token),
        cmocka_unit_test(keys_come_in_the_order_asked),
        cmocka_unit_test(tombstones_of_one_act_on_rows_of_all),
        cmocka_unit_test(bad_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
