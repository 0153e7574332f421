// Bytes as a mutation from a peer or a log. The check must not be misled, and what it lets through must be
// safe and sane for all that follows: decoded, merged with itself, cleaned, put in a memtable, read as a
// result. The input is tried as it is, and as the ops behind a good header, as no fuzzer guesses a token.
#include "cql/base/buf.h"
#include "cql/data/mutation.h"
#include "cql/data/read.h"
#include "cql/data/reconcile.h"
#include "storage/memtable.h"

#include <stdlib.h>

static const struct table table = {.slot = 1, .id = {{1}}, .incarnation = 1};

static void require(bool x)
{
    if (!x)
        abort();
}

// A row merged with itself, and with what a merge left of it, is itself; less than everything is left by cleaning.
static void check_body(struct bytes body, bool valid)
{
    struct buf self = {0}, again = {0}, clean = {0};
    bool empty, empty_again, empty_clean, live;
    err_t err = row_merge(body, body, (struct deletion){5, 5}, &self, &empty);
    require(!valid || err == OK);
    if (err == OK && !empty) {
        require(row_merge(buf_bytes(&self), body, (struct deletion){5, 5}, &again, &empty_again) ==
                OK);
        require(!empty_again);
        if (valid)
            require(bytes_equal(buf_bytes(&self), buf_bytes(&again)));
    }
    struct row_filter f = {.now_s = 100, .purge_before_s = 50, .live_only = body.n % 2};
    err = row_clean(body, &f, &clean, &empty_clean);
    require(!valid || err == OK);
    require(row_is_live(body, 100, &live) != OK || err != OK || !f.live_only ||
            live != empty_clean);
    buf_free(&self);
    buf_free(&again);
    buf_free(&clean);
}

static void check_ops(struct bytes ops, bool valid)
{
    struct cur c = cur_of(ops);
    struct op op;
    while (op_next(&c, &op) == OK && op.kind != OP_END)
        if (op.kind == OP_ROW || op.kind == OP_STATIC_ROW)
            check_body(op.body, valid);
}

static void check_memtable(const struct mutation *mutation, bool valid)
{
    struct memtable *m = memtable_new();
    for (int i = 0; i < 2; i++) {
        err_t err = memtable_apply(m, &table, mutation, 1);
        require(!valid || err == OK);
    }
    struct memtable_cursor cursor;
    struct memtable_partition p;
    memtable_seek(m, table.slot, TOKEN_MIN, &cursor);
    while (memtable_next(&cursor, &p)) {
        struct memtable_rows rows;
        struct memtable_row row;
        struct bytes last = BYTES_NULL;
        memtable_rows_begin(&p, bytes_of("", 0), bytes_of("\xff", 1), false, &rows);
        while (memtable_rows_next(&rows, &row)) {
            require(last.p == NULL || bytes_compare(last, row.ck) < 0);
            last = row.ck;
            check_body(row.body, valid);
        }
    }
    memtable_free(m);
}

static void check_result(struct bytes b)
{
    struct bytes key = bytes_str("k"), both[2] = {b, b};
    struct read_command cmd = {.keys = &key, .keys_count = 1, .is_range = b.n % 2};
    struct buf out = {0}, again = {0};
    if (result_merge(both, 2, &cmd, &out) == OK) {
        struct bytes merged[2] = {buf_bytes(&out), buf_bytes(&out)};
        require(result_merge(merged, 1, &cmd, &again) == OK);
        require(bytes_equal(merged[0], buf_bytes(&again)));
    }
    buf_free(&out);
    buf_free(&again);
}

static void check_mutation(struct bytes b)
{
    struct mutation m;
    bool valid = mutation_validate(b) == OK;
    if (mutation_decode(b, &m) != OK) {
        require(!valid);
        return;
    }
    m.incarnation = table.incarnation;
    check_ops(m.ops, valid);
    check_memtable(&m, valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct buf b = {0};
    check_mutation(input);
    mutation_begin(&b, &table, (struct wall_us){0}, bytes_str("k"));
    buf_put_bytes(&b, input);
    check_mutation(buf_bytes(&b));
    b.n = 0;
    result_begin_partition(&b, bytes_str("k"));
    buf_put_bytes(&b, input);
    op_put_end(&b);
    check_result(buf_bytes(&b));
    check_result(input);
    buf_free(&b);
    return 0;
}
