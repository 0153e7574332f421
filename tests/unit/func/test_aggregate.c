// Aggregates over sequences of values, as Apache Cassandra 5.0.9 computes them.
#include "cql/func/func.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena a;

// The aggregate of values written as texts; NULL-terminated, "null" is null. Each value's memory is gone before the next comes.
static const char *aggregate(const char *name, enum type_id id, const char *const *texts)
{
    const struct type *type = type_native(id);
    const struct func *f;
    struct fail failure = {.arena = &a};
    struct func_env env = {.arena = &a, .fail = &failure};
    if (func_resolve(BYTES_NULL, bytes_str(name), &type, 1, NULL, NULL, 0, &a, &f, &failure) != OK)
        return arena_cstr(&a, failure.message);
    assert_true(f->is_aggregate);
    assert_null(f->call);
    void *state = arena_zalloc(&a, 1, f->state_bytes);
    struct bytes v;
    for (; *texts; texts++) {
        struct arena scratch;
        arena_init(&scratch, 0);
        v = BYTES_NULL;
        if (strcmp(*texts, "null") != 0)
            assert_int_equal(type_from_text(type, bytes_str(*texts), &scratch, &v, &failure), OK);
        err_t err = f->add(f, &env, state, &v);
        arena_free(&scratch);
        if (err != OK)
            return arena_cstr(&a, failure.message);
    }
    assert_int_equal(f->finish(f, &env, state, &v), OK);
    struct buf b = buf_in(&a);
    type_print(f->result, &b);
    buf_u8(&b, ' ');
    if (bytes_is_null(v))
        buf_put_str(&b, "null");
    else
        type_to_text(f->result, v, &b);
    return arena_cstr(&a, buf_bytes(&b));
}

#define AGGREGATE(expected, name, type, ...)                                \
    do {                                                                    \
        const char *const texts[] = {__VA_ARGS__, NULL};                    \
        assert_string_equal(aggregate(name, TYPE_##type, texts), expected); \
    } while (0)

static void counts(void **state)
{
    (void)state;
    AGGREGATE("bigint 2", "count", TEXT, "a", "null", "");
    AGGREGATE("bigint 0", "count", DURATION, "null");
    AGGREGATE("bigint 0", "count", INT, NULL);
    const struct func *f;
    assert_int_equal(
        func_resolve(BYTES_NULL, bytes_str("countRows"), NULL, 0, NULL, NULL, 0, &a, &f, NULL), OK);
    struct func_env env = {.arena = &a};
    struct bytes out;
    void *rows = arena_zalloc(&a, 1, f->state_bytes);
    for (int i = 0; i < 3; i++)
        assert_int_equal(f->add(f, &env, rows, NULL), OK);
    assert_int_equal(f->finish(f, &env, rows, &out), OK);
    assert_int_equal(value_i64(out), 3);
}

static void extremes(void **state)
{
    (void)state;
    AGGREGATE("int -3", "min", INT, "5", "null", "-3", "4");
    AGGREGATE("int 5", "max", INT, "4", "5", "-3");
    AGGREGATE("int null", "max", INT, "null");
    AGGREGATE("text Ω", "max", TEXT, "b", "Ω", "a", "longer than what was kept before");
    AGGREGATE("text a", "min", TEXT, "b", "longer", "a", "c");
    AGGREGATE("decimal 2.25", "max", DECIMAL, "1.5", "2.25");
    AGGREGATE("timeuuid a2ee5740-6f5d-11ee-8123-456789abcdef", "min", TIMEUUID,
              "a2ee5740-6f5d-11ee-8123-456789abcdef", "e23f1e02-6f5f-11ee-b962-0242ac120002");
}

static void sums(void **state)
{
    (void)state;
    AGGREGATE("int 6", "sum", INT, "1", "null", "2", "3");
    AGGREGATE("tinyint -128", "sum", TINYINT, "100", "28"); // wraps
    AGGREGATE("smallint -32768", "sum", SMALLINT, "30000", "2768");
    AGGREGATE("bigint -9223372036854775808", "sum", BIGINT, "9223372036854775807", "1");
    AGGREGATE("counter 5", "sum", COUNTER, "2", "3");
    AGGREGATE("varint 24691357802469135780", "sum", VARINT, "12345678901234567890",
              "12345678901234567890");
    AGGREGATE("decimal 3.75", "sum", DECIMAL, "1.5", "2.25");
    AGGREGATE("float 2.75", "sum", FLOAT, "1.5", "2.25", "-1");
    AGGREGATE("double Infinity", "sum", DOUBLE, "Infinity", "1", "Infinity");
    AGGREGATE("double 0.30000000000000004", "sum", DOUBLE, "0.1", "0.2");
    AGGREGATE("int 0", "sum", INT, NULL);
    AGGREGATE("decimal 0", "sum", DECIMAL, NULL);
    AGGREGATE("Invalid call to function sum, none of its type signatures match (known type "
              "signatures: system.sum : (bigint) -> "
              "bigint, system.sum : (counter) -> counter, system.sum : (decimal) -> decimal, "
              "system.sum : (double) -> double, "
              "system.sum : (float) -> float, system.sum : (int) -> int, system.sum : (smallint) "
              "-> smallint, system.sum : "
              "(tinyint) -> tinyint, system.sum : (varint) -> varint)",
              "sum", TEXT, NULL);
}

static void averages(void **state)
{
    (void)state;
    AGGREGATE("int 1", "avg", INT, "1", "2", "2");
    AGGREGATE("int -1", "avg", INT, "-1", "-2", "-2");
    AGGREGATE("tinyint 100", "avg", TINYINT, "100", "100"); // the sum does not wrap
    AGGREGATE("bigint 9223372036854775807", "avg", BIGINT, "9223372036854775807",
              "9223372036854775807");
    AGGREGATE("varint 10", "avg", VARINT, "10", "11");
    AGGREGATE("double 1.7976931348623157E308", "avg", DOUBLE, "1.7976931348623157E308",
              "1.7976931348623157E308");
    AGGREGATE("float 2.0", "avg", FLOAT, "1.5", "2.5", "null");
    AGGREGATE("decimal 1.88", "avg", DECIMAL, "1.5",
              "2.25"); // (2.25 - 1.5) / 2 to two digits, half even
    AGGREGATE("decimal 0", "avg", DECIMAL, NULL);
    AGGREGATE("double 0.0", "avg", DOUBLE, NULL);
    AGGREGATE("int 0", "avg", INT, NULL);
}

static void long_runs_take_bounded_memory(void **state)
{
    (void)state;
    const struct type *type = type_native(TYPE_DECIMAL);
    const struct func *f;
    assert_int_equal(
        func_resolve(BYTES_NULL, bytes_str("sum"), &type, 1, NULL, NULL, 0, &a, &f, NULL), OK);
    struct arena own;
    arena_init(&own, 0);
    struct func_env env = {.arena = &own};
    void *sum = arena_zalloc(&own, 1, f->state_bytes);
    struct bytes v, out;
    assert_int_equal(type_from_text(type, bytes_str("12345678901234567890.5"), &own, &v, NULL), OK);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(f->add(f, &env, sum, &v), OK);
    assert_true(arena_bytes(&own) < 4096);
    assert_int_equal(f->finish(f, &env, sum, &out), OK);
    struct buf b = buf_in(&a);
    type_to_text(type, out, &b);
    assert_string_equal(arena_cstr(&a, buf_bytes(&b)), "246913578024691357810000.0");
    arena_free(&own);
}

static int open_arena(void **state)
{
    (void)state;
    arena_init(&a, 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(&a);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(extremes),
        cmocka_unit_test(sums),
        cmocka_unit_test(averages),
        cmocka_unit_test(long_runs_take_bounded_memory),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
