/* The schema as bytes: what was written is read again, and whatever else is refused without harm. */
#include "cql/base/prng.h"
#include "cql/schema/change.h"
#include "cql/schema/schema_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct bytes dc = {(const uint8_t *)"datacenter1", 11};
static struct schema_env env = {.datacenters = &dc, .datacenters_count = 1, .nodes_count = 1};

/* Takes over the reference of s. */
static struct schema *applied(struct schema *s, err_t err, struct schema_change *change)
{
    assert_int_equal(err, OK);
    assert_non_null(change->schema);
    schema_unref(s);
    return change->schema;
}

static struct schema *make_schema(void)
{
    struct fail fail = {.arena = &arena};
    struct schema_change change;
    struct option_map replication = {0};
    option_map_put_str(&arena, &replication, "class", "SimpleStrategy");
    option_map_put_str(&arena, &replication, "replication_factor", "1");
    struct schema_property property = {
        .name = bytes_str("replication"), .is_map = true, .map = replication};
    struct schema_properties with = {&property, 1};
    struct bytes ks = bytes_str("ks");
    struct schema *s = schema_new_initial();
    s = applied(s, schema_create_keyspace(s, ks, false, &with, &env, &change, &fail), &change);

    struct bytes fields[] = {bytes_str("street"), bytes_str("zip")};
    const struct type *field_types[] = {type_native(TYPE_TEXT),
                                        type_list(&arena, type_native(TYPE_INT), false)};
    s = applied(
        s, schema_create_type(s, ks, bytes_str("addr"), fields, field_types, 2, &change, &fail),
        &change);

    const struct type *addr =
        type_freeze(&arena, keyspace_type(schema_keyspace(s, ks), bytes_str("addr"))->type);
    struct schema_column_def columns[] = {
        {bytes_str("k"), type_native(TYPE_INT), false},
        {bytes_str("c"), type_native(TYPE_TIMEUUID), false},
        {bytes_str("s"), type_map(&arena, type_native(TYPE_TEXT), addr, false), true},
        {bytes_str("v"), type_vector(&arena, type_native(TYPE_FLOAT), 3), false},
        {bytes_str("w"), addr, false},
    };
    struct bytes pk = bytes_str("k"), ck = bytes_str("c");
    struct schema_clustering_order order = {ck, true};
    struct schema_table_def def = {.keyspace = ks,
                                   .name = bytes_str("t"),
                                   .columns = columns,
                                   .columns_count = 5,
                                   .pk = &pk,
                                   .pk_count = 1,
                                   .ck = &ck,
                                   .ck_count = 1,
                                   .order = &order,
                                   .order_count = 1};
    env.new_table_id = (struct uuid){{1, 2, 3}};
    s = applied(s, schema_create_table(s, &def, &env, &change, &fail), &change);
    struct bytes dropped = bytes_str("w");
    const struct table *t = schema_table(s, ks, bytes_str("t"));
    s = applied(s, schema_drop_columns(s, t, &dropped, 1, false, 77, &change, &fail), &change);
    return s;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct schema *s = make_schema(), *copy;
    struct buf bytes = {0}, again = {0};
    struct fail fail = {.arena = &arena};
    schema_encode(s, &bytes);
    assert_int_equal(schema_decode(buf_bytes(&bytes), &copy, &fail), OK);
    schema_encode(copy, &again);
    assert_true(bytes_equal(buf_bytes(&bytes), buf_bytes(&again)));
    assert_memory_equal(&s->version, &copy->version, sizeof s->version);
    assert_int_equal(copy->epoch, s->epoch);
    assert_int_equal(copy->next_slot, s->next_slot);
    const struct table *t = schema_table(copy, bytes_str("ks"), bytes_str("t"));
    const struct table *before = schema_table(s, bytes_str("ks"), bytes_str("t"));
    assert_int_equal(t->slot, before->slot);
    assert_int_equal(t->columns_count, 4);
    assert_true(table_ck(t, 0)->desc);
    assert_true(t->has_collections);
    assert_int_equal(t->dropped_count, 1);
    assert_int_equal(t->dropped[0].dropped_us, 77);
    assert_int_equal(t->dropped[0].type->id, TYPE_TUPLE);
    for (uint16_t i = 0; i < t->columns_count; i++) {
        assert_int_equal(t->columns[i].id, before->columns[i].id);
        assert_true(type_equal(t->columns[i].type, before->columns[i].type));
    }
    buf_free(&bytes);
    buf_free(&again);
    schema_unref(s);
    schema_unref(copy);
}

/* Every prefix is an error, but the one that ends after a keyspace. */
static void test_cut_off(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct buf bytes = {0};
    schema_encode(s, &bytes);
    size_t good = 0;
    for (size_t n = 0; n < bytes.n; n++) {
        struct schema *copy = NULL;
        uint8_t *exact = malloc(n ? n : 1); /* so that reading past the end is caught */
        memcpy(exact, bytes.p, n);
        if (schema_decode(bytes_of(exact, n), &copy, NULL) == OK) {
            good++;
            schema_unref(copy);
        }
        free(exact);
    }
    assert_int_equal(good, s->keyspaces_count -
                               4); /* none, and after each that is written but the last */
    buf_free(&bytes);
    schema_unref(s);
}

/* Damaged bytes decode to something sound or are refused. */
static void test_damaged(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct buf bytes = {0};
    schema_encode(s, &bytes);
    struct prng prng;
    prng_init(&prng, 1);
    size_t refused = 0;
    for (int round = 0; round < 4000; round++) {
        uint8_t *exact = malloc(bytes.n);
        memcpy(exact, bytes.p, bytes.n);
        for (int flips = 0; flips < 1 + round % 3; flips++)
            exact[prng_below(&prng, bytes.n)] =
                round % 2 ? (uint8_t)prng_u64(&prng) : (uint8_t)prng_below(&prng, 4);
        struct schema *copy;
        struct fail fail = {.arena = &arena};
        err_t err = schema_decode(bytes_of(exact, bytes.n), &copy, &fail);
        if (err == OK) {
            struct buf again = {0};
            schema_encode(copy, &again);
            buf_free(&again);
            schema_unref(copy);
        } else {
            assert_int_equal(err, ERR_CORRUPT);
            refused++;
        }
        free(exact);
    }
    assert_true(refused > 1000);
    buf_free(&bytes);
    schema_unref(s);
}

static void append_keyspace(struct buf *out, const struct buf *record)
{
    buf_lstr(out, buf_bytes(record));
}

static void put_field(struct buf *b, uint64_t tag, struct bytes body)
{
    buf_varint(b, tag);
    buf_lstr(b, body);
}

/* A newer version's optional field is kept; its mandatory field is refused. */
static void test_fields_of_a_newer_version(void **state)
{
    (void)state;
    for (uint64_t tag = 100; tag <= 101; tag++) {
        struct buf bytes = {0}, record = {0}, map = {0}, again = {0};
        buf_u8(&bytes, 1);
        buf_varint(&bytes, 5);
        buf_varint(&bytes, SCHEMA_SLOT_USER_FIRST);
        buf_varint(&map, 2);
        buf_lstr(&map, bytes_str("class"));
        buf_lstr(&map, bytes_str("org.apache.cassandra.locator.SimpleStrategy"));
        buf_lstr(&map, bytes_str("replication_factor"));
        buf_lstr(&map, bytes_str("2"));
        put_field(&record, 1, bytes_str("newer"));
        put_field(&record, 3, buf_bytes(&map));
        put_field(&record, tag, bytes_str("what this version does not know"));
        append_keyspace(&bytes, &record);
        struct schema *s;
        err_t err = schema_decode(buf_bytes(&bytes), &s, NULL);
        if (tag & 1) {
            assert_int_equal(err, ERR_CORRUPT);
        } else {
            assert_int_equal(err, OK);
            assert_int_equal(schema_keyspace(s, bytes_str("newer"))->replication.factor, 2);
            schema_encode(s, &again);
            assert_non_null(memmem(again.p, again.n, "what this version", 17));
            schema_unref(s);
        }
        buf_free(&bytes);
        buf_free(&record);
        buf_free(&map);
        buf_free(&again);
    }
}

static void test_version_is_of_the_content(void **state)
{
    (void)state;
    struct schema *s = make_schema(), *same = make_schema(), *empty = schema_new_initial();
    assert_memory_equal(&s->version, &same->version, sizeof s->version);
    assert_memory_not_equal(&s->version, &empty->version, sizeof s->version);
    const struct table *t = schema_table(s, bytes_str("ks"), bytes_str("t"));
    struct schema *truncated;
    assert_int_equal(schema_truncate_table(s, &t->id, &truncated, NULL), OK);
    assert_memory_equal(&s->version, &truncated->version, sizeof s->version);
    assert_int_equal(schema_table_by_id(truncated, &t->id)->incarnation, t->incarnation + 1);
    assert_int_equal(truncated->epoch, s->epoch + 1);
    schema_unref(s);
    schema_unref(same);
    schema_unref(empty);
    schema_unref(truncated);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fields_of_a_newer_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_is_of_the_content, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
