/* A store in a temporary directory, with a schema of one keyspace and what a log would keep: for the tests of storage. */
#ifndef TESTS_UNIT_STORAGE_FIXTURE_H
#define TESTS_UNIT_STORAGE_FIXTURE_H

#include "cql/base/prng.h"
#include "cql/schema/change.h"
#include "storage/log_record.h"
#include "storage/store.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define UNUSED __attribute__((unused))

struct logged {
    uint64_t seq;
    struct buf mutation;
};

struct node {
    char directory[512];
    struct arena arena;
    struct schema *schema;
    struct store *store;
    size_t memtable_bytes_max, map_bytes;
    struct logged *log; /* what is durable in the log */
    size_t log_count;
    struct now now;
    uint8_t next_table;
};

UNUSED static const uint8_t fixture_top[1] = {0xFF};
UNUSED static const struct slice slice_all = {{(const uint8_t *)"", 0}, {fixture_top, 1}};

UNUSED static void check_ok(err_t err, const struct fail *f, const char *what)
{
    if (err != OK)
        fail_msg("%s: %s: %.*s", what, err_name(err), f ? (int)f->message.n : 0,
                 f && f->message.p ? (const char *)f->message.p : "");
}

UNUSED static void make_directory(char *out, size_t n)
{
    const char *top = getenv("TMPDIR");
    if (!top || !*top)
        top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(out, n, "%s/helenus-test-XXXXXX", top);
    assert_non_null(mkdtemp(out));
}

UNUSED static void remove_directory(const char *path)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            unlink(file);
    }
    closedir(d);
    rmdir(path);
}

UNUSED static void node_use_schema(struct node *n, struct schema *s)
{
    if (n->schema)
        schema_unref(n->schema);
    n->schema = s;
    if (n->store)
        store_set_schema(n->store, s);
}

/* Opens the store and replays the log. */
UNUSED static void node_open(struct node *n)
{
    struct fail f = {.arena = &n->arena};
    struct store_options o = {.shard = 0,
                              .directory = n->directory,
                              .map_bytes = n->map_bytes ? n->map_bytes : (size_t)1 << 30,
                              .memtable_bytes_max = n->memtable_bytes_max,
                              .hash_seed = 42};
    check_ok(store_open(&o, &n->store, &f), &f, "open");
    store_set_schema(n->store, n->schema);
    for (size_t i = 0; i < n->log_count; i++)
        check_ok(store_replay(n->store, n->log[i].seq, buf_bytes(&n->log[i].mutation)), NULL,
                 "replay");
}

UNUSED static void node_init(struct node *n, size_t memtable_bytes_max)
{
    *n = (struct node){.memtable_bytes_max = memtable_bytes_max};
    arena_init(&n->arena, 0);
    make_directory(n->directory, sizeof n->directory);
    n->now = (struct now){{1000000}, {1700000000ll * 1000000}};

    struct fail f = {.arena = &n->arena};
    struct bytes dc = bytes_str("dc1");
    struct schema_env env = {.datacenters = &dc, .datacenters_count = 1, .nodes_count = 1};
    struct option_map replication = {0};
    struct option_pair pairs[] = {{bytes_str("class"), bytes_str("SimpleStrategy")},
                                  {bytes_str("replication_factor"), bytes_str("1")}};
    replication.items = pairs;
    replication.count = 2;
    struct schema_property property = {
        .name = bytes_str("replication"), .is_map = true, .map = replication};
    struct schema_properties with = {&property, 1};
    struct schema_change change = {0};
    struct schema *s = schema_new_initial();
    check_ok(schema_create_keyspace(s, bytes_str("ks"), false, &with, &env, &change, &f), &f,
             "keyspace");
    schema_unref(s);
    node_use_schema(n, change.schema);
    node_open(n);
}

UNUSED static void node_close(struct node *n)
{
    store_close(n->store);
    n->store = NULL;
}

UNUSED static void node_free(struct node *n)
{
    node_close(n);
    schema_unref(n->schema);
    for (size_t i = 0; i < n->log_count; i++)
        buf_free(&n->log[i].mutation);
    free(n->log);
    arena_free(&n->arena);
    remove_directory(n->directory);
}

/* (p blob, c blob, s blob static, v1 blob, v2 blob, m map<blob, blob>, PRIMARY KEY (p, c)) */
UNUSED static const struct table *node_table(struct node *n, const char *name, const char *option,
                                             const char *value)
{
    struct fail f = {.arena = &n->arena};
    struct schema_env env = {.nodes_count = 1};
    const struct type *blob = type_native(TYPE_BLOB);
    struct schema_column_def columns[] = {
        {bytes_str("p"), blob, false},
        {bytes_str("c"), blob, false},
        {bytes_str("s"), blob, true},
        {bytes_str("v1"), blob, false},
        {bytes_str("v2"), blob, false},
        {bytes_str("m"), type_map(&n->arena, blob, blob, false), false},
    };
    struct bytes pk = bytes_str("p"), ck = bytes_str("c");
    struct schema_property property = {0};
    if (option) {
        property.name = bytes_str(option);
        property.text = bytes_str(value);
    }
    struct schema_table_def def = {.keyspace = bytes_str("ks"),
                                   .name = bytes_str(name),
                                   .columns = columns,
                                   .columns_count = 6,
                                   .pk = &pk,
                                   .pk_count = 1,
                                   .ck = &ck,
                                   .ck_count = 1,
                                   .with = {&property, option ? 1 : 0}};
    struct schema_change change = {0};
    env.new_table_id = (struct uuid){{0xAB, ++n->next_table}};
    check_ok(schema_create_table(n->schema, &def, &env, &change, &f), &f, "table");
    node_use_schema(n, change.schema);
    return schema_table(n->schema, bytes_str("ks"), bytes_str(name));
}

UNUSED static const struct table *node_find(const struct node *n, const char *name)
{
    return schema_table(n->schema, bytes_str("ks"), bytes_str(name));
}

UNUSED static uint32_t column_id(const struct table *t, const char *name)
{
    const struct column *c = table_column(t, bytes_str(name));
    assert_non_null(c);
    return c->id;
}

/* Everything written so far is durable. */
UNUSED static void node_sync(struct node *n)
{
    uint64_t last;
    struct buf batch = store_log_take(n->store, &last);
    struct cur c = cur_of(buf_bytes(&batch));
    while (!cur_at_end(&c)) {
        const uint8_t *start = c.p;
        (void)cur_be32(&c);
        uint32_t length = cur_be32(&c);
        (void)cur_be32(&c);
        uint64_t seq = cur_be64(&c);
        struct bytes mutation = cur_take(&c, length);
        (void)cur_take(&c, (8 - (size_t)(c.p - start) % 8) % 8);
        assert_true(cur_ok(&c));
        n->log = realloc(n->log, (n->log_count + 1) * sizeof *n->log);
        n->log[n->log_count] = (struct logged){.seq = seq};
        buf_put_bytes(&n->log[n->log_count++].mutation, mutation);
    }
    buf_free(&batch);
    store_log_synced(n->store, last);
}

UNUSED static void node_flush(struct node *n)
{
    struct fail f = {.arena = &n->arena};
    node_sync(n);
    struct flush_job *j = store_flush_begin(n->store, n->now);
    bool done = j == NULL;
    while (!done)
        check_ok(flush_job_step(j, 100000, &done, &f), &f, "flush");
    if (j)
        store_flush_end(n->store, j, OK);
}

UNUSED static void node_purge(struct node *n)
{
    struct fail f = {.arena = &n->arena};
    struct purge_job *j;
    for (bool done = false; !done;) {
        j = store_purge_begin(n->store, n->now);
        assert_non_null(j);
        check_ok(purge_job_step(j, 300, &done, &f), &f, "purge");
        check_ok(store_purge_end(n->store, j), NULL, "purge end");
    }
}

UNUSED static err_t node_write(struct node *n, const struct table *t, struct bytes pk,
                               const struct buf *ops)
{
    struct buf b = {0};
    uint64_t seq;
    mutation_begin(&b, t, n->now.wall, pk);
    buf_put_bytes(&b, buf_bytes(ops));
    assert_int_equal(mutation_validate(buf_bytes(&b)), OK);
    err_t err = store_write(n->store, buf_bytes(&b), true, &seq);
    buf_free(&b);
    return err;
}

/* One row with v1 = value. */
UNUSED static void op_simple_row(struct buf *ops, const struct table *t, struct bytes ck,
                                 int64_t ts, struct bytes value)
{
    struct buf body = {0};
    struct row_builder b;
    struct cell c = {.column_id = column_id(t, "v1"),
                     .timestamp = ts,
                     .local_deletion_s = LOCAL_DELETION_NEVER,
                     .value = value};
    row_begin(&b, &body, ts, (struct liveness){ts, 0, LOCAL_DELETION_NEVER}, DELETION_NONE);
    row_put_cell(&b, &c);
    op_put_row(ops, ck, buf_bytes(&body));
    buf_free(&body);
}

UNUSED static void put_simple(struct node *n, const struct table *t, struct bytes pk,
                              struct bytes ck, int64_t ts, struct bytes value)
{
    struct buf ops = {0};
    op_simple_row(&ops, t, ck, ts, value);
    check_ok(node_write(n, t, pk, &ops), NULL, "write");
    buf_free(&ops);
}

/* Reads all of cmd in one go or in chunks of rows_max. */
UNUSED static err_t node_read(struct node *n, const struct read_command *cmd, uint32_t rows_max,
                              struct buf *out)
{
    struct arena a;
    arena_init(&a, 0);
    struct read_position pos = {0};
    struct read_budget budget = {rows_max, SIZE_MAX, UINT32_MAX};
    bool more = true;
    uint64_t seq;
    err_t err = OK;
    while (more && err == OK)
        err = store_read(n->store, cmd, &pos, &budget, &a, out, &more, &seq);
    arena_free(&a);
    return err;
}

UNUSED static size_t count_rows(struct bytes result)
{
    struct result_iter it = result_iter(result);
    struct bytes pk;
    struct cur ops;
    size_t n = 0;
    while (result_next(&it, &pk, &ops)) {
        struct op op;
        do {
            assert_int_equal(op_next(&ops, &op), OK);
            n += op.kind == OP_ROW;
        } while (op.kind != OP_END);
        result_leave(&it, &ops);
    }
    assert_true(cur_at_end(&it.cur) && cur_ok(&it.cur));
    return n;
}

#endif
