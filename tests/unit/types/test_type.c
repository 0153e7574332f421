/* Descriptions of types and the readers and builders of values. */
#include "cql/types/calendar.h"
#include "cql/types/value.h"
#include "tests/unit/types/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct cases cases;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    cases_init(&cases, &arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct type *find(const char *name)
{
    const struct type *t = cases_find(&cases, name);
    assert_non_null(t);
    return t;
}

static void names(void **state)
{
    (void)state;
    assert_ptr_equal(type_native_by_name(bytes_str("VarChar")), type_native(TYPE_TEXT));
    assert_ptr_equal(type_native_by_name(bytes_str("timeuuid")), type_native(TYPE_TIMEUUID));
    assert_null(type_native_by_name(bytes_str("list")));
    assert_null(type_native_by_name(bytes_str("custom")));
    static const char *const rows[][2] = {
        {"int", "org.apache.cassandra.db.marshal.Int32Type"},
        {"list<int>",
         "org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.Int32Type)"},
        {"frozen<set<text>>", "org.apache.cassandra.db.marshal.FrozenType("
                              "org.apache.cassandra.db.marshal.SetType("
                              "org.apache.cassandra.db.marshal.UTF8Type))"},
        {"frozen<set<frozen<tuple<int, text, varint>>>>",
         "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.SetType("
         "org.apache.cassandra.db.marshal.TupleType(org.apache.cassandra.db.marshal.Int32Type,"
         "org.apache.cassandra.db.marshal.UTF8Type,org.apache.cassandra.db.marshal.IntegerType)))"},
        {"u_t", "org.apache.cassandra.db.marshal.UserType(ks,755f74,"
                "61:org.apache.cassandra.db.marshal.Int32Type,"
                "4263:org.apache.cassandra.db.marshal.UTF8Type,"
                "73656c656374:org.apache.cassandra.db.marshal.IntegerType)"},
        {"vector<float, 3>", "org.apache.cassandra.db.marshal.VectorType("
                             "org.apache.cassandra.db.marshal.FloatType , 3)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = buf_in(&arena);
        type_print_class(find(rows[i][0]), &b);
        buf_u8(&b, 0);
        assert_string_equal((char *)b.p, rows[i][1]);
    }
    struct buf b = buf_in(&arena);
    identifier_print(bytes_str("plain_1"), &b);
    identifier_print(bytes_str("Upper\"q"), &b);
    identifier_print(bytes_str("select"), &b);
    assert_true(bytes_equal_str(buf_bytes(&b), "plain_1\"Upper\"\"q\"\"select\""));
}

static void descriptions(void **state)
{
    (void)state;
    const struct type *list = find("list<int>");
    const struct type *frozen = type_freeze(&arena, list);
    assert_true(type_is_multicell(list) && !type_is_multicell(frozen));
    assert_false(type_equal(list, frozen));
    assert_true(type_equal_ignoring_frozen(list, frozen));
    assert_true(type_equal(frozen, find("frozen<list<int>>")));
    assert_true(type_equal(type_unfreeze(&arena, frozen), list));
    struct arena other;
    arena_init(&other, 0);
    for (int i = 0; i < cases.count; i++)
        assert_true(type_equal(type_copy(&other, cases.types[i]), cases.types[i]));
    arena_free(&other);
    const struct type *nested = find("frozen<map<frozen<u_t>, frozen<list<blob>>>>");
    assert_true(type_references_udt(nested, bytes_str("ks"), bytes_str("u_t")));
    assert_false(type_references_udt(nested, bytes_str("other"), bytes_str("u_t")));
    assert_true(type_contains(nested, TYPE_BLOB) && !type_contains(nested, TYPE_DURATION));
    assert_int_equal(type_depth(nested), 3);
    assert_int_equal(type_fixed_length(find("vector<float, 3>")), 12);
    assert_int_equal(type_fixed_length(find("vector<smallint, 2>")), -1);
    assert_int_equal(type_fixed_length(type_native(TYPE_DATE)), -1);
}

static struct bytes hex(const char *digits)
{
    return unhex(&arena, digits, strlen(digits));
}

static void collections(void **state)
{
    (void)state;
    const struct type *set = find("set<int>"), *map = find("frozen<map<int, text>>");
    struct bytes v, sorted;
    v = hex("00000004"
            "0000000400000003"
            "0000000400000001"
            "00000004ffffffff"
            "0000000400000001");
    assert_int_equal(collection_count(set, v), 4);
    assert_int_equal(collection_sort(set, v, &arena, &sorted), OK);
    assert_true(bytes_equal(sorted, hex("00000003"
                                        "00000004ffffffff"
                                        "0000000400000001"
                                        "0000000400000003")));
    v = hex("00000002"
            "0000000400000001"
            "0000000161"
            "0000000400000001"
            "0000000162");
    assert_int_equal(collection_sort(map, v, &arena, &sorted), OK);
    assert_true(bytes_equal(sorted, hex("00000001"
                                        "0000000400000001"
                                        "0000000162")));
    /* Hostile counts and lengths end the iteration. */
    struct collection_iter it = collection_iter(map, hex("7fffffff0000000400000001"));
    struct bytes elem;
    assert_false(collection_next(&it, &elem));
    assert_true(it.bad);
    it = collection_iter(set, hex("000000027fffffff"));
    assert_false(collection_next(&it, &elem));
    assert_true(it.bad);
    assert_int_equal(collection_count(set, hex("00")), 0);
}

static void tuples_and_vectors(void **state)
{
    (void)state;
    struct bytes v = hex("0000000161"
                         "ffffffff"
                         "00000000");
    assert_true(bytes_equal_str(tuple_field(v, 0), "a"));
    assert_true(bytes_is_null(tuple_field(v, 1)));
    assert_true(!bytes_is_null(tuple_field(v, 2)) && tuple_field(v, 2).n == 0);
    assert_true(bytes_is_null(tuple_field(v, 3)) && bytes_is_null(tuple_field(hex("00"), 0)));
    const struct type *texts = find("vector<text, 2>");
    struct buf b = buf_in(&arena);
    uint8_t long_text[300] = {0};
    vector_put_element(texts, &b, bytes_str("ab"));
    vector_put_element(texts, &b, bytes_of(long_text, 300));
    v = buf_bytes(&b);
    assert_true(bytes_equal_str(vector_element(texts, v, 0), "ab"));
    assert_int_equal(vector_element(texts, v, 1).n, 300);
    assert_true(bytes_is_null(vector_element(texts, v, 2)));
    assert_true(bytes_is_null(vector_element(texts, bytes_of(v.p, 10), 1)));
}

static void durations_and_uuids(void **state)
{
    (void)state;
    int32_t months, days;
    int64_t nanos;
    struct bytes v = value_of_duration(&arena, INT32_MIN, -1, INT64_MIN);
    assert_true(value_duration(v, &months, &days, &nanos));
    assert_true(months == INT32_MIN && days == -1 && nanos == INT64_MIN);
    assert_false(value_duration(bytes_of(v.p, v.n - 1), &months, &days, &nanos));
    uint8_t uuid[16], back[16];
    assert_true(uuid_parse(bytes_str("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), uuid));
    assert_int_equal(uuid_time_ms(bytes_of(uuid, 16)), 886630433151);
    uuid_of_ticks(uuid_ticks(bytes_of(uuid, 16)), load_be64(uuid + 8), back);
    assert_memory_equal(uuid, back, 16);
    assert_false(uuid_parse(bytes_str("6ba7b810-9dad-11d1-80b4-00c04fd430c"), uuid));
}

static void calendar(void **state)
{
    (void)state;
    for (int64_t days = -1000000; days < 1000000; days += 37) {
        struct civil c = civil_of_days(days);
        assert_true(c.month >= 1 && c.month <= 12 && c.day >= 1);
        assert_true(c.day <= days_in_month(c.year, c.month) && days_of_civil(c) == days);
    }
    assert_int_equal(days_of_civil((struct civil){2000, 2, 29}), 11016);
    assert_int_equal(weekday_of_days(0), 4);
    assert_int_equal(days_plus_months(days_of_civil((struct civil){2024, 1, 31}), 1),
                     days_of_civil((struct civil){2024, 2, 29}));
    assert_int_equal(days_plus_months(days_of_civil((struct civil){2024, 3, 31}), -13),
                     days_of_civil((struct civil){2023, 2, 28}));
    uint32_t date;
    assert_true(date_of_ms(-1, &date) && date == DATE_EPOCH); /* Cassandra's rounding */
    assert_true(date_of_ms(-MS_PER_DAY, &date) && date == DATE_EPOCH - 1);
    assert_false(date_of_ms(INT64_MAX, &date));
}

/* No length of bytes does harm, whatever the type: run with sanitizers. */
static void any_bytes(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 7);
    for (int i = 0; i < cases.count; i++) {
        const struct type *t = cases.types[i];
        for (size_t n = 0; n < 40; n++) {
            struct arena a;
            arena_init(&a, 0);
            uint8_t *p = arena_alloc(&a, n), *q = arena_alloc(&a, n);
            for (size_t k = 0; k < n; k++) {
                p[k] = prng_below(&r, 3) ? 0 : (uint8_t)prng_u64(&r);
                q[k] = prng_below(&r, 3) ? 0 : (uint8_t)prng_u64(&r);
            }
            struct bytes v = bytes_of(p, n), w = bytes_of(q, n), out;
            struct fail fail = {.arena = &a};
            struct buf b = buf_in(&a);
            if (type_validate(t, v, &fail) != OK)
                assert_true(fail.message.n > 0);
            (void)type_compare(t, v, w);
            type_to_literal(t, v, &b);
            type_to_text(t, v, &b);
            type_to_json(t, v, &b);
            type_key_encode(t, v, n % 2, &b);
            struct cur c = cur_of(v);
            (void)!type_key_decode(t, n % 2, &c, &a, &out);
            (void)!type_from_json(t, v, &a, &out, &fail);
            arena_free(&a);
        }
    }
}

static void deep_json(void **state)
{
    (void)state;
    struct buf b = buf_in(&arena);
    for (int i = 0; i < 100000; i++)
        buf_u8(&b, '[');
    struct bytes v;
    struct fail fail = {.arena = &arena};
    assert_int_equal(type_from_json(find("list<int>"), buf_bytes(&b), &arena, &v, &fail),
                     ERR_INVALID);
    assert_true(
        bytes_equal_str(fail.message, "Error decoding JSON string: more than 128 levels deep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),       cmocka_unit_test(descriptions),
        cmocka_unit_test(collections), cmocka_unit_test(tuples_and_vectors),
        cmocka_unit_test(calendar),    cmocka_unit_test(durations_and_uuids),
        cmocka_unit_test(any_bytes),   cmocka_unit_test(deep_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
