/* The built-in keyspaces and the structure of a snapshot. */
#include "cql/schema/describe.h"
#include "cql/schema/schema_priv.h"
#include "cql/schema/vtables.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_every_builtin_table_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t tables;
        bool is_virtual;
    } expected[] = {{"system", 23, false},
                    {"system_auth", 8, false},
                    {"system_distributed", 4, false},
                    {"system_schema", 11, false},
                    {"system_traces", 2, false},
                    {"system_views", 43, true},
                    {"system_virtual_schema", 3, true}};
    struct schema *s = schema_new_initial();
    assert_int_equal(s->keyspaces_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < s->keyspaces_count; i++) {
        const struct keyspace *ks = s->keyspaces[i];
        assert_true(bytes_equal_str(ks->name, expected[i].name));
        assert_int_equal(ks->tables_count, expected[i].tables);
        assert_int_equal(ks->is_virtual, expected[i].is_virtual);
        assert_true(ks->is_system);
        for (size_t j = 0; j < ks->tables_count; j++) {
            const struct table *t = ks->tables[j];
            assert_true(t->pk_count > 0);
            assert_ptr_equal(schema_table_by_id(s, &t->id), t);
            assert_int_equal(t->slot == 0, ks->is_virtual);
            assert_true(t->slot < SCHEMA_SLOT_USER_FIRST);
            for (uint16_t k = 0; k < t->columns_count; k++) {
                assert_ptr_equal(table_column_by_id(t, t->columns[k].id), &t->columns[k]);
                assert_ptr_equal(table_column(t, t->columns[k].name), &t->columns[k]);
            }
        }
    }
    schema_unref(s);
}

/* Ids are those of Cassandra: drivers and tools know them. */
static void test_ids_of_system_tables(void **state)
{
    (void)state;
    struct schema *s = schema_new_initial();
    static const char *const known[][3] = {
        {"system", "local", "7ad54392-bcdd-35a6-8417-4e047860b377"},
        {"system", "IndexInfo", "9f5c6374-d485-3229-9a0a-5094af9ad1e3"},
        {"system", "peers_v2", "c4325fbb-8e5e-3baf-bd07-0f9250ed818e"},
        {"system", "paxos", "b7b7f0c2-fd0a-3410-8c05-3ef614bb7c2d"}};
    for (size_t i = 0; i < 4; i++) {
        struct table *t = schema_table(s, bytes_str(known[i][0]), bytes_str(known[i][1]));
        struct buf text = {0};
        uuid_print(t->id.b, &text);
        assert_true(bytes_equal_str(buf_bytes(&text), known[i][2]));
        buf_free(&text);
    }
    schema_unref(s);
}

static void test_columns_are_in_order(void **state)
{
    (void)state;
    struct schema *s = schema_new_initial();
    const struct table *t = schema_table(s, bytes_str("system_schema"), bytes_str("columns"));
    static const char *const names[] = {
        "keyspace_name",     "table_name", "column_name", "clustering_order",
        "column_name_bytes", "kind",       "position",    "type"};
    assert_int_equal(t->columns_count, 8);
    assert_int_equal(t->pk_count, 1);
    assert_int_equal(t->ck_count, 2);
    for (int i = 0; i < 8; i++)
        assert_true(bytes_equal_str(t->columns[i].name, names[i]));
    assert_null(table_column(t, bytes_str("nope")));
    assert_null(table_column_by_id(t, 0));
    assert_null(table_column_by_id(t, 9));
    assert_null(schema_table(s, bytes_str("system"), bytes_str("nope")));
    assert_null(schema_table(s, bytes_str("nope"), bytes_str("local")));
    schema_unref(s);
}

/* RFC 1321, appendix A.5. */
static void test_md5(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"}};
    for (size_t i = 0; i < 4; i++) {
        uint8_t digest[16];
        char hex[33];
        schema_md5(bytes_str(cases[i][0]), digest);
        for (int j = 0; j < 16; j++)
            snprintf(hex + 2 * j, 3, "%02x", digest[j]);
        assert_string_equal(hex, cases[i][1]);
    }
}

static void test_references(void **state)
{
    (void)state;
    struct schema *s = schema_new_initial();
    struct schema *other = schema_ref(s);
    schema_unref(s);
    assert_non_null(schema_keyspace(other, bytes_str("system")));
    schema_unref(other);
    schema_unref(NULL);
}

static void test_describe_of_a_system_table(void **state)
{
    (void)state;
    struct schema *s = schema_new_initial();
    struct buf out = {0};
    describe_table(schema_table(s, bytes_str("system_views"), bytes_str("clients")), false, &out);
    assert_true(bytes_equal_str(
        buf_bytes(&out),
        "/*\n"
        "Warning: Table system_views.clients is a virtual table and cannot be recreated with CQL.\n"
        "Structure, for reference:\n"
        "VIRTUAL TABLE system_views.clients (\n"
        "    address inet,\n    port int,\n    client_options frozen<map<text, text>>,\n"
        "    connection_stage text,\n    driver_name text,\n    driver_version text,\n"
        "    hostname text,\n    keyspace_name text,\n    protocol_version int,\n"
        "    request_count bigint,\n    ssl_cipher_suite text,\n    ssl_enabled boolean,\n"
        "    ssl_protocol text,\n    username text,\n    PRIMARY KEY (address, port)\n"
        ") WITH CLUSTERING ORDER BY (port ASC)\n    AND comment = 'currently connected clients';\n"
        "*/"));
    buf_free(&out);
    describe_table(schema_table(s, bytes_str("system"), bytes_str("IndexInfo")), false, &out);
    assert_true(bytes_starts_with(
        buf_bytes(&out),
        bytes_str(
            "CREATE TABLE system.\"IndexInfo\" (\n    table_name text,\n    index_name text,\n"
            "    value blob,\n    PRIMARY KEY (table_name, index_name)\n"
            ") WITH CLUSTERING ORDER BY (index_name ASC)\n"
            "    AND additional_write_policy = '99p'\n")));
    buf_free(&out);
    describe_keyspace(schema_keyspace(s, bytes_str("system_auth")), &out);
    assert_true(bytes_equal_str(
        buf_bytes(&out),
        "CREATE KEYSPACE system_auth WITH replication = {'class': 'SimpleStrategy', "
        "'replication_factor': '1'}  AND durable_writes = true;"));
    buf_free(&out);
    schema_unref(s);
}

struct counted {
    size_t rows, valid;
};

static void count_row(void *ctx, const struct table *t, const struct bytes *values)
{
    struct counted *c = ctx;
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    bool valid = true;
    for (uint16_t i = 0; i < t->columns_count; i++) {
        if (i < t->pk_count + t->ck_count && !values[i].p)
            valid = false;
        if (type_validate(t->columns[i].type, values[i], &fail) != OK)
            valid = false;
    }
    c->rows++;
    c->valid += valid;
    arena_free(&a);
}

static struct counted count_rows(const struct schema *s, const char *keyspace, const char *table,
                                 struct bytes of)
{
    struct counted c = {0};
    vtable_rows(s, schema_table(s, bytes_str(keyspace), bytes_str(table)), of, count_row, &c);
    return c;
}

static void test_rows_of_the_schema_tables(void **state)
{
    (void)state;
    static const struct {
        const char *keyspace, *table;
        size_t rows;
    } expected[] = {{"system_schema", "keyspaces", 5},
                    {"system_schema", "tables", 48},
                    {"system_schema", "types", 0},
                    {"system_schema", "dropped_columns", 0},
                    {"system_schema", "views", 0},
                    {"system_schema", "indexes", 0},
                    {"system_schema", "triggers", 0},
                    {"system_schema", "functions", 0},
                    {"system_schema", "aggregates", 0},
                    {"system_schema", "column_masks", 0},
                    {"system_virtual_schema", "keyspaces", 2},
                    {"system_virtual_schema", "tables", 46}};
    struct schema *s = schema_new_initial();
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct counted c = count_rows(s, expected[i].keyspace, expected[i].table, BYTES_NULL);
        assert_int_equal(c.rows, expected[i].rows);
        assert_int_equal(c.valid, c.rows);
    }
    size_t columns = 0;
    for (size_t i = 0; i < s->keyspaces_count; i++)
        for (size_t j = 0; j < s->keyspaces[i]->tables_count; j++)
            columns += s->keyspaces[i]->tables[j]->columns_count;
    struct counted real = count_rows(s, "system_schema", "columns", BYTES_NULL);
    struct counted virtual = count_rows(s, "system_virtual_schema", "columns", BYTES_NULL);
    assert_int_equal(real.rows + virtual.rows, columns);
    assert_int_equal(real.valid + virtual.valid, columns);
    assert_int_equal(count_rows(s, "system_schema", "tables", bytes_str("system_traces")).rows, 2);
    assert_true(vtable_is_schema(schema_table(s, bytes_str("system_schema"), bytes_str("views"))));
    assert_false(vtable_is_schema(schema_table(s, bytes_str("system"), bytes_str("local"))));
    schema_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_builtin_table_is_there),
        cmocka_unit_test(test_ids_of_system_tables),
        cmocka_unit_test(test_columns_are_in_order),
        cmocka_unit_test(test_md5),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_describe_of_a_system_table),
        cmocka_unit_test(test_rows_of_the_schema_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
