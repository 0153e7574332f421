/* DESCRIBE: each form's columns, rows and errors, as Apache Cassandra 5.0.9 gives them. */
#include "cql/lang/parse.h"
#include "cql/plan/ddl.h"
#include "cql/plan/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct schema *schema;

static void ddl(const char *text)
{
    struct bytes dc = bytes_str("datacenter1");
    struct schema_env env = {
        .now = {1795453349982000}, .datacenters = &dc, .datacenters_count = 1, .nodes_count = 1};
    static uint8_t serial;
    struct fail fail = {.arena = &arena};
    struct ast_statement *st;
    struct schema_change change;
    env.new_table_id.b[0] = ++serial;
    assert_int_equal(cql_parse(bytes_str(text), &arena, &st, &fail), OK);
    assert_int_equal(plan_ddl(st, schema, BYTES_NULL, &env, &arena, &change, &fail), OK);
    assert_non_null(change.schema);
    schema_unref(schema);
    schema = change.schema;
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    schema = schema_new_initial();
    ddl("CREATE KEYSPACE d WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': "
        "1}");
    ddl("CREATE TYPE d.person (name text, home frozen<map<int, text>>)");
    ddl("CREATE TYPE d.crew (captain frozen<person>, others frozen<list<person>>)");
    ddl("CREATE TYPE d.\"A b\" (\"select\" int, c frozen<crew>)");
    ddl("CREATE TABLE d.simple (k int PRIMARY KEY, v text)");
    ddl("CREATE TABLE d.\"Mixed\" (k int, c text, \"Q q\" int, l list<int>, s int STATIC, PRIMARY "
        "KEY (k, c)) "
        "WITH CLUSTERING ORDER BY (c DESC)");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    schema_unref(schema);
    arena_free(&arena);
    return 0;
}

static void two_ranges(void *ctx, struct bytes keyspace, struct arena *a,
                       struct describe_range **out, size_t *count)
{
    (void)ctx;
    assert_true(bytes_equal_str(keyspace, "d"));
    struct bytes *endpoint = arena_array(a, struct bytes, 1);
    *endpoint = bytes_str("/127.0.0.1:7000");
    *out = arena_array(a, struct describe_range, 2);
    (*out)[0] = (struct describe_range){bytes_str("5"), endpoint, 1};
    (*out)[1] = (struct describe_range){bytes_str("-7"), endpoint, 1};
    *count = 2;
}

/* Rows as "a | b | c\n"; an error as its message. */
static struct bytes answer(const char *text, const char *keyspace, uint16_t *columns_count)
{
    struct fail fail = {.arena = &arena};
    struct ast_statement *st;
    struct describe_result r;
    struct describe_env env = {bytes_str("reference"), bytes_str("Murmur3Partitioner"),
                               bytes_str("SimpleSnitch"), two_ranges, NULL};
    struct buf out = buf_in(&arena);
    assert_int_equal(cql_parse(bytes_str(text), &arena, &st, &fail), OK);
    err_t err = plan_describe(st, schema, keyspace ? bytes_str(keyspace) : BYTES_NULL, &env, &arena,
                              &r, &fail);
    if (err != OK) {
        assert_int_equal(err, ERR_INVALID);
        return fail.message;
    }
    if (columns_count)
        *columns_count = r.columns_count;
    for (size_t i = 0; i < r.rows_count; i++)
        for (uint16_t j = 0; j < r.columns_count; j++) {
            struct bytes v = r.values[i * r.columns_count + j];
            struct buf printed = buf_in(&arena);
            type_to_literal(r.columns[j].type, v, &printed);
            buf_put_bytes(&out, r.columns[j].type->id == TYPE_TEXT ? v : buf_bytes(&printed));
            buf_put_str(&out, j + 1 < r.columns_count ? " | " : "\n");
        }
    return buf_bytes(&out);
}

static void expect(const char *text, const char *keyspace, const char *expected)
{
    struct bytes got = answer(text, keyspace, NULL);
    if (!bytes_equal_str(got, expected))
        fail_msg("%s\nexpected %s\ngot      %.*s", text, expected, BYTES_FMT(got));
}

static void test_listings(void **state)
{
    (void)state;
    expect("DESCRIBE TABLES", "d", "d | table | \"Mixed\"\nd | table | simple\n");
    expect("DESCRIBE TYPES", "d", "d | type | \"A b\"\nd | type | crew\nd | type | person\n");
    expect("DESCRIBE TYPES", NULL, "d | type | \"A b\"\nd | type | crew\nd | type | person\n");
    expect("DESCRIBE FUNCTIONS", "d", "");
    expect("DESCRIBE AGGREGATES", NULL, "");
    expect("DESCRIBE KEYSPACES", "d",
           "d | keyspace | d\nsystem | keyspace | system\nsystem_auth | keyspace | system_auth\n"
           "system_distributed | keyspace | system_distributed\nsystem_schema | keyspace | "
           "system_schema\n"
           "system_traces | keyspace | system_traces\nsystem_views | keyspace | system_views\n"
           "system_virtual_schema | keyspace | system_virtual_schema\n");
    uint16_t columns_count;
    answer("DESCRIBE TABLES", NULL, &columns_count);
    assert_int_equal(columns_count, 3);
    answer("DESCRIBE SCHEMA", NULL, &columns_count);
    assert_int_equal(columns_count, 4);
}

static void test_types_come_before_what_uses_them(void **state)
{
    (void)state;
    struct bytes got = answer("DESCRIBE KEYSPACE d", NULL, NULL);
    static const char start[] =
        "d | keyspace | d | CREATE KEYSPACE d WITH replication = {'class': "
        "'NetworkTopologyStrategy', 'datacenter1': '1'}  AND "
        "durable_writes = true;\n"
        "d | type | person | CREATE TYPE d.person (\n    name text,\n    home frozen<map<int, "
        "text>>\n);\n"
        "d | type | crew | CREATE TYPE d.crew (\n    captain frozen<person>,\n    others "
        "frozen<list<frozen<person>>>\n);\n"
        "d | type | \"A b\" | CREATE TYPE d.\"A b\" (\n    \"select\" int,\n    c "
        "frozen<crew>\n);\n"
        "d | table | \"Mixed\" | CREATE TABLE d.\"Mixed\" (\n    k int,\n    c text,\n    s int "
        "static,\n    \"Q q\" int,\n"
        "    l list<int>,\n    PRIMARY KEY (k, c)\n) WITH CLUSTERING ORDER BY (c DESC)\n";
    assert_true(bytes_starts_with(got, bytes_str(start)));
    assert_true(bytes_equal(answer("DESCRIBE d", NULL, NULL), got));
    assert_true(bytes_equal(answer("DESCRIBE KEYSPACE", "d", NULL), got));
    assert_true(bytes_equal(answer("DESCRIBE SCHEMA", NULL, NULL), got));
    assert_true(bytes_starts_with(answer("DESCRIBE FULL SCHEMA", NULL, NULL), got));
    assert_true(answer("DESCRIBE FULL SCHEMA", NULL, NULL).n > got.n);
}

static void test_with_internals(void **state)
{
    (void)state;
    ddl("ALTER TABLE d.simple DROP v");
    ddl("ALTER TABLE d.simple ADD v text");
    struct bytes got = answer("DESCRIBE TABLE d.simple WITH INTERNALS", NULL, NULL);
    assert_true(bytes_starts_with(
        got, bytes_str("d | table | simple | CREATE TABLE d.simple (\n    k int PRIMARY KEY,\n"
                       "    v text\n) WITH ID = ")));
    static const char end[] = "    AND speculative_retry = '99p';\n"
                              "ALTER TABLE d.simple DROP v USING TIMESTAMP 1795453349982000;\n"
                              "ALTER TABLE d.simple ADD v text;\n";
    assert_true(bytes_equal_str(bytes_skip(got, got.n - strlen(end)), end));
}

static void test_cluster(void **state)
{
    (void)state;
    expect("DESCRIBE CLUSTER", NULL, "reference | Murmur3Partitioner | SimpleSnitch\n");
    expect("DESCRIBE CLUSTER", "system", "reference | Murmur3Partitioner | SimpleSnitch\n");
    expect("DESCRIBE CLUSTER", "d",
           "reference | Murmur3Partitioner | SimpleSnitch | {'-7': ['/127.0.0.1:7000'], '5': "
           "['/127.0.0.1:7000']}\n");
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    static const char none[] = "No keyspace specified and no current keyspace";
    expect("DESCRIBE KEYSPACE", NULL, none);
    expect("DESCRIBE TABLE t", NULL, none);
    expect("DESCRIBE INDEX i", NULL, none);
    expect("DESCRIBE KEYSPACE nope", NULL, "'nope' not found in keyspaces");
    expect("DESCRIBE TABLES", "nope", "'nope' not found in keyspaces");
    expect("DESCRIBE TABLE nope", "d", "Table 'nope' not found in keyspace 'd'");
    expect("DESCRIBE TABLE nope.t", "d", "'nope' not found in keyspaces");
    expect("DESCRIBE TYPE nope", "d", "User defined type 'nope' not found in 'd'");
    expect("DESCRIBE INDEX nope", "d", "Table for existing index 'nope' not found in 'd'");
    expect("DESCRIBE MATERIALIZED VIEW nope", "d", "Materialized view 'nope' not found in 'd'");
    expect("DESCRIBE FUNCTION nope", "d", "User defined function 'nope' not found in 'd'");
    expect("DESCRIBE AGGREGATE d.nope", NULL, "User defined aggregate 'nope' not found in 'd'");
    expect("DESCRIBE nope", "d", "'nope' not found in keyspace 'd'");
    expect("DESCRIBE nope", NULL, "'nope' not found in keyspaces");
    expect("DESCRIBE d.nope", NULL, "'nope' not found in keyspace 'd'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_listings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types_come_before_what_uses_them, setup, teardown),
        cmocka_unit_test_setup_teardown(test_with_internals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
