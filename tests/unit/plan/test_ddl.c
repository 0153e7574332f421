/* Schema statements from text to the next schema, against what Apache Cassandra 5.0.9 answers (ddl_cases.def), and DESCRIBE. After
 * every change the schema is also written and read, so that codec and version see all that statements can make. */
#include "cql/lang/parse.h"
#include "cql/plan/ddl.h"
#include "cql/plan/describe.h"
#include "cql/schema/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct schema *schema;
    struct arena arena; /* of one statement */
    uint32_t statements;
    struct bytes keyspace;
};

static void restart(struct fixture *f)
{
    schema_unref(f->schema);
    f->schema = schema_new_initial();
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
    restart(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    schema_unref(f->schema);
    arena_free(&f->arena);
    free(f);
    return 0;
}

/* Gives the schema back as it is after a write and a read of its bytes. */
static struct schema *through_codec(struct schema *s)
{
    struct buf bytes = {0}, again = {0};
    struct schema *copy;
    schema_encode(s, &bytes);
    assert_int_equal(schema_decode(buf_bytes(&bytes), &copy, NULL), OK);
    assert_memory_equal(&s->version, &copy->version, sizeof s->version);
    schema_encode(copy, &again);
    assert_true(bytes_equal(buf_bytes(&bytes), buf_bytes(&again)));
    buf_free(&bytes);
    buf_free(&again);
    schema_unref(s);
    return copy;
}

static void put_event(struct buf *out, const struct schema_event *e)
{
    static const char *const kinds[] = {"CREATED", "UPDATED", "DROPPED"};
    static const char *const targets[] = {"KEYSPACE", "TABLE", "TYPE", "FUNCTION", "AGGREGATE"};
    buf_printf(out, "CHANGE %s %s %.*s", kinds[e->kind], targets[e->target],
               BYTES_FMT(e->keyspace));
    if (e->target != SCHEMA_TARGET_KEYSPACE)
        buf_printf(out, " %.*s", BYTES_FMT(e->name));
}

static err_t execute(struct fixture *f, const char *text, struct buf *warnings, struct buf *out,
                     struct fail *fail)
{
    static const struct bytes dc = {(const uint8_t *)"datacenter1", 11};
    static const int nodes = 1;
    struct schema_env env = {.now = {1795453349982000},
                             .local_dc = dc,
                             .datacenters = &dc,
                             .datacenters_nodes = &nodes,
                             .datacenters_count = 1,
                             .nodes_count = 1,
                             .warnings = warnings};
    memcpy(env.new_table_id.b, &f->statements, sizeof f->statements);
    env.new_table_id.b[6] = 0x10;
    f->statements++;
    struct ast_statement *st;
    struct schema_change change = {0};
    TRY(cql_parse(bytes_str(text), &f->arena, &st, fail));
    if (st->kind == AST_DESCRIBE) {
        struct describe_result result;
        struct describe_env denv = {bytes_str("cluster"), bytes_str("Murmur3Partitioner"),
                                    bytes_str("SimpleSnitch"), NULL, NULL};
        return plan_describe(st, f->schema, f->keyspace, &denv, &f->arena, &result, fail);
    }
    if (!plan_is_ddl(st->kind))
        return plan_unimplemented(st, fail);
    TRY(plan_ddl(st, f->schema, f->keyspace, &env, &f->arena, &change, fail));
    if (!change.schema) {
        buf_put_str(out, "VOID");
        return OK;
    }
    put_event(out, &change.event);
    schema_unref(f->schema);
    f->schema = through_codec(change.schema);
    return OK;
}

static struct bytes outcome(struct fixture *f, const char *text)
{
    arena_reset(&f->arena);
    struct buf warnings = buf_in(&f->arena), done = buf_in(&f->arena), out = buf_in(&f->arena);
    struct fail fail = {.arena = &f->arena};
    err_t err = execute(f, text, &warnings, &done, &fail);
    struct cur c = cur_of(buf_bytes(&warnings));
    struct buf warned = buf_in(&f->arena);
    while (!cur_at_end(&c)) {
        buf_put_str(&warned, "WARN ");
        buf_put_bytes(&warned, cur_take(&c, cur_be32(&c)));
        buf_u8(&warned, '\n');
    }
    buf_put_bytes(&out, buf_bytes(&done));
    if (err != OK)
        buf_printf(&out, "ERR %04x %.*s", err_protocol_code(err), BYTES_FMT(fail.message));
    /* A change is told before its warnings, an error after. */
    struct buf all = buf_in(&f->arena);
    if (err == OK && warned.n) {
        buf_put_bytes(&all, buf_bytes(&out));
        buf_u8(&all, '\n');
        buf_put(&all, warned.p, warned.n - 1);
    } else {
        buf_put_bytes(&all, buf_bytes(&warned));
        buf_put_bytes(&all, buf_bytes(&out));
    }
    return buf_bytes(&all);
}

static unsigned check(struct fixture *f, const char *text, const char *expected)
{
    struct bytes got = outcome(f, text);
    if (bytes_equal_str(got, expected))
        return 0;
    print_error("%s\n  expected %s\n  got      %.*s\n", text, expected, BYTES_FMT(got));
    return 1;
}

static unsigned check_described(struct fixture *f, const char *keyspace, const char *name,
                                const char *expected)
{
    const struct table *t = schema_table(f->schema, bytes_str(keyspace), bytes_str(name));
    struct buf text = {0};
    describe_table(t, false, &text);
    bool found = memmem(text.p, text.n, expected, strlen(expected)) != NULL;
    if (!found)
        print_error("%s.%s is not described with %s\n", keyspace, name, expected);
    buf_free(&text);
    return !found;
}

static void test_as_cassandra_answers(void **state)
{
    struct fixture *f = *state;
    unsigned wrong = 0, count = 0;
#define X(text, expected) wrong += check(f, text, expected), count++;
#define DESCRIBED(keyspace, name, expected) \
    wrong += check_described(f, keyspace, name, expected), count++;
#define RESTART() restart(f);
#include "tests/unit/plan/ddl_cases.def"
#undef X
#undef DESCRIBED
#undef RESTART
    assert_true(count > 400);
    assert_int_equal(wrong, 0);
}

/* Where Cassandra answers with an exception of Java's, we say what is wrong; and our own option. */
static void test_our_own_answers(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"CREATE KEYSPACE o WITH replication = {'class': 'SimpleStrategy', 'replication_factor': "
         "1}",
         "CHANGE CREATED KEYSPACE o"},
        {"CREATE TABLE o.t (k int PRIMARY KEY) WITH id = 6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47",
         "CHANGE CREATED TABLE o t"},
        {"CREATE TABLE o.u (k int PRIMARY KEY) WITH id = 6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47",
         "ERR 2300 Invalid table id: it is that of o.t"},
        {"ALTER TABLE o.t WITH read_repair = 'x'",
         "ERR 2300 Invalid value x for option 'read_repair': only 'BLOCKING' and 'NONE' are "
         "allowed"},
        {"ALTER TABLE o.t WITH tombstone_gc = {'mode': 'immediate'}", "CHANGE UPDATED TABLE o t"},
        {"ALTER TABLE o.t WITH tombstone_gc = {'mode': 'immediate'}", "VOID"},
        {"ALTER TABLE o.t WITH tombstone_gc = {'mode': 'never'}",
         "ERR 2300 Invalid value 'never' for tombstone_gc sub-option 'mode': only 'timeout', "
         "'repair', 'immediate' and "
         "'disabled' are allowed"},
        {"ALTER TABLE o.t WITH tombstone_gc = 'repair'",
         "ERR 2000 Invalid value for property 'tombstone_gc'. It should be a map."},
        {"ALTER TABLE o.t WITH tombstone_gc = {'propagation_delay_in_seconds': 'x'}",
         "ERR 2300 Invalid value 'x' for tombstone_gc sub-option 'propagation_delay_in_seconds': "
         "it must be a number of seconds "
         "of 0 or more"},
        {"CREATE TABLE o.m (k int PRIMARY KEY, v text MASKED WITH DEFAULT)",
         "ERR 2200 Dynamic data masking is not implemented yet"},
        {"CREATE INDEX ON o.t (k)", "ERR 2200 CREATE INDEX is not implemented yet"},
        {"CREATE MATERIALIZED VIEW o.v AS SELECT * FROM o.t WHERE k IS NOT NULL PRIMARY KEY (k)",
         "ERR 2200 CREATE MATERIALIZED VIEW is not implemented yet"},
        {"CREATE TABLE o.c (k int PRIMARY KEY, v 'DynamicCompositeType(a=>Int32Type)')",
         "ERR 2200 The custom type 'DynamicCompositeType(a=>Int32Type)' is not implemented"},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        wrong += check(f, cases[i][0], cases[i][1]);
    assert_int_equal(wrong, 0);
    assert_int_equal(
        check_described(
            f, "o", "t",
            "tombstone_gc = {'mode': 'immediate', 'propagation_delay_in_seconds': '3600'};"),
        0);
    assert_int_equal(
        schema_table(f->schema, bytes_str("o"), bytes_str("t"))->options.tombstone_gc.mode,
        TOMBSTONE_GC_IMMEDIATE);
    assert_int_equal(check(f, "ALTER TABLE o.t WITH tombstone_gc = {'mode': 'repair'}",
                           "CHANGE UPDATED TABLE o t"),
                     0);
    assert_int_equal(check_described(f, "o", "t", "speculative_retry = '99p';"), 0);
}

/* A type of types of types … must not make one of a million parts. */
static void test_types_that_grow_too_big(void **state)
{
    struct fixture *f = *state;
    char text[256];
    outcome(f, "CREATE KEYSPACE big WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    outcome(f, "CREATE TYPE big.t0 (a int, b int)");
    int made = 0;
    for (int i = 1; i < 40; i++) {
        snprintf(text, sizeof text,
                 "CREATE TYPE big.t%d (a frozen<t%d>, b frozen<t%d>, c frozen<t%d>, d frozen<t%d>)",
                 i, i - 1, i - 1, i - 1, i - 1);
        struct bytes got = outcome(f, text);
        if (bytes_starts_with(got, bytes_str("CHANGE")))
            made = i;
    }
    assert_int_equal(made, 5);
    snprintf(text, sizeof text, "CREATE TABLE big.t (k int PRIMARY KEY, v tuple<t5, t5, t5, t5>)");
    assert_int_equal(
        check(f, text, "ERR 2200 A type may nest at most 64 levels and have at most 8192 parts"),
        0);
    for (int i = 0; i < 100; i++) { /* growing from below */
        snprintf(text, sizeof text, "ALTER TYPE big.t0 ADD f%d int", i);
        struct bytes got = outcome(f, text);
        if (bytes_starts_with(got, bytes_str("ERR 2200 A type may nest")))
            return;
    }
    fail_msg("ALTER TYPE can make a type too big");
}

static void test_ids_of_columns_are_not_reused(void **state)
{
    struct fixture *f = *state;
    outcome(f, "CREATE KEYSPACE i WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    outcome(f, "CREATE TABLE i.t (k int, c int, v int, PRIMARY KEY (k, c))");
    uint32_t v =
        table_column(schema_table(f->schema, bytes_str("i"), bytes_str("t")), bytes_str("v"))->id;
    uint32_t c =
        table_column(schema_table(f->schema, bytes_str("i"), bytes_str("t")), bytes_str("c"))->id;
    outcome(f, "ALTER TABLE i.t DROP v USING TIMESTAMP 5");
    const struct table *t = schema_table(f->schema, bytes_str("i"), bytes_str("t"));
    assert_null(table_column_by_id(t, v));
    assert_int_equal(t->dropped[0].id, v);
    assert_int_equal(t->dropped[0].dropped_us, 5);
    outcome(f, "ALTER TABLE i.t ADD v int");
    outcome(f, "ALTER TABLE i.t RENAME c TO cc");
    t = schema_table(f->schema, bytes_str("i"), bytes_str("t"));
    assert_int_not_equal(table_column(t, bytes_str("v"))->id, v);
    assert_int_equal(table_column(t, bytes_str("cc"))->id, c);
    uint32_t slot = t->slot;
    outcome(f, "DROP TABLE i.t");
    outcome(f, "CREATE TABLE i.t (k int PRIMARY KEY)");
    assert_true(schema_table(f->schema, bytes_str("i"), bytes_str("t"))->slot > slot);
}

/* Long lists are refused before anything is compared with everything. */
static void test_long_lists(void **state)
{
    struct fixture *f = *state;
    outcome(f, "CREATE KEYSPACE l WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    outcome(f, "CREATE TABLE l.t (k int PRIMARY KEY)");
    struct buf text = {0};
    buf_put_str(&text, "ALTER TABLE l.t DROP IF EXISTS (a");
    for (int i = 0; i < 40000; i++)
        buf_printf(&text, ", a%d", i);
    buf_put_str(&text, ")");
    buf_u8(&text, 0);
    assert_int_equal(
        check(f, (const char *)text.p, "ERR 2200 A statement may name at most 32000 columns"), 0);
    text.n = 0;
    buf_put_str(&text, "CREATE TABLE l.u (k int PRIMARY KEY) WITH CLUSTERING ORDER BY (a ASC");
    for (int i = 0; i < 40000; i++)
        buf_printf(&text, ", a%d ASC", i);
    buf_put_str(&text, ")");
    buf_u8(&text, 0);
    assert_int_equal(
        check(f, (const char *)text.p, "ERR 2200 A PRIMARY KEY may have at most 1024 columns"), 0);
    buf_free(&text);
}

static void test_truncate(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"TRUNCATE t.nope", "table nope does not exist"},
        {"TRUNCATE nope.t", "keyspace nope does not exist"},
        {"TRUNCATE t", "No keyspace has been specified. USE a keyspace, or explicitly specify "
                       "keyspace.tablename"},
        {"TRUNCATE system_views.settings",
         "Truncation is not supported by table system_views.settings"},
        {"TRUNCATE system.local", "system keyspace is not user-modifiable."},
        {"TRUNCATE system_auth.roles", ""},
        {"TRUNCATE t.t", ""},
    };
    outcome(f, "CREATE KEYSPACE t WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    outcome(f, "CREATE TABLE t.t (k int PRIMARY KEY)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena_reset(&f->arena);
        struct fail fail = {.arena = &f->arena};
        struct ast_statement *st;
        const struct table *t;
        assert_int_equal(cql_parse(bytes_str(cases[i][0]), &f->arena, &st, &fail), OK);
        err_t err = plan_truncate_table(st, f->schema, BYTES_NULL, &t, &fail);
        assert_int_equal(err == OK, cases[i][1][0] == 0);
        if (err != OK)
            assert_true(bytes_equal_str(fail.message, cases[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_cassandra_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_our_own_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types_that_grow_too_big, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ids_of_columns_are_not_reused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncate, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
