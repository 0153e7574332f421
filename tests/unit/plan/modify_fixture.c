// See modify_fixture.h.
#include "tests/unit/plan/modify_fixture.h"

#include "cql/lang/parse.h"
#include "cql/plan/ddl.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void apply_ddl(struct fixture *f, const char *cql)
{
    static uint8_t tables;
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    struct ast_statement *ast;
    struct schema_change change = {0};
    struct schema_env env = {
        .new_table_id = {{1, ++tables}}, .local_dc = bytes_str("dc"), .nodes_count = 1};
    if (cql_parse(bytes_str(cql), &a, &ast, &fail) != OK ||
        plan_ddl(ast, f->schema, bytes_str("ks"), &env, &a, &change, &fail) != OK)
        fail_msg("%s: %.*s", cql, BYTES_FMT(fail.message));
    schema_unref(f->schema);
    f->schema = change.schema;
    arena_free(&a);
}

void fixture_open(struct fixture *f, const char *const *ddl)
{
    *f = (struct fixture){.schema = schema_new_initial(), .version = 5};
    arena_init(&f->arena, 0);
    prng_init(&f->random, 1);
    f->timeuuid.clock_seq_node = UINT64_C(0x8123456789abcdef);
    apply_ddl(f, "CREATE KEYSPACE ks WITH replication = "
                 "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    for (; *ddl; ddl++)
        apply_ddl(f, *ddl);
}

void fixture_close(struct fixture *f)
{
    schema_unref(f->schema);
    arena_free(&f->arena);
    buf_free(&f->warnings);
}

struct bytes int_value(struct fixture *f, int32_t x)
{
    return value_of_i32(&f->arena, x);
}

struct bytes bigint_value(struct fixture *f, int64_t x)
{
    return value_of_i64(&f->arena, x);
}

// --- Mutations as text

static void print_ck(const struct table *t, struct bytes ck, struct arena *a, struct buf *out)
{
    struct cur c = cur_of(ck);
    for (uint16_t i = 0; i < t->ck_count && !cur_at_end(&c) && *c.p != 0xFF; i++) {
        struct bytes v;
        if (i)
            buf_u8(out, ',');
        assert_int_equal(type_key_decode(table_ck(t, i)->type, table_ck(t, i)->desc, &c, a, &v),
                         OK);
        type_to_literal(table_ck(t, i)->type, v, out);
    }
    if (!cur_at_end(&c)) {
        assert_int_equal(*c.p, 0xFF);
        buf_put_str(out, "~");
    }
}

static void print_path(const struct type *t, struct bytes path, struct arena *a, struct buf *out)
{
    struct bytes v;
    struct cur c = cur_of(path);
    buf_u8(out, '[');
    if (t->id == TYPE_UDT) {
        assert_int_equal(path.n, 2);
        buf_printf(out, ".%u", load_be16(path.p));
    } else if (t->id == TYPE_LIST) {
        assert_int_equal(type_key_decode(type_native(TYPE_TIMEUUID), false, &c, a, &v), OK);
        buf_printf(out, "%+lld", (long long)(uuid_time_ms(v) - NOW_S * 1000));
    } else {
        assert_int_equal(type_key_decode(t->params[0], false, &c, a, &v), OK);
        type_to_literal(t->params[0], v, out);
    }
    buf_u8(out, ']');
}

static const struct type *cell_type(const struct type *t, const struct cell *cell)
{
    if (!(cell->flags & CELL_HAS_PATH))
        return t;
    return t->id == TYPE_UDT ? t->params[load_be16(cell->path.p)] : t->params[t->params_count - 1];
}

static void print_cell(const struct table *t, const struct cell *cell, struct arena *a,
                       struct buf *out)
{
    const struct column *c = table_column_by_id(t, cell->column_id);
    buf_printf(out, " %.*s", BYTES_FMT(c->name));
    if (cell->flags & CELL_HAS_PATH)
        print_path(c->type, cell->path, a, out);
    if (cell->flags & CELL_COMPLEX_DELETION) {
        buf_put_str(out, "[]");
    }
    if (cell->flags & (CELL_COMPLEX_DELETION | CELL_TOMBSTONE)) {
        buf_put_str(out, "-");
        assert_int_equal(cell->local_deletion_s, NOW_S);
    } else {
        buf_u8(out, '=');
        if (c->type->id == TYPE_SET && !c->type->frozen)
            assert_int_equal(cell->value.n, 0);
        else
            type_to_literal(cell_type(c->type, cell), cell->value, out);
    }
    if (cell->timestamp != TIMESTAMP_US)
        buf_printf(out, "@%lld", (long long)cell->timestamp);
    if (cell->flags & CELL_EXPIRING) {
        buf_printf(out, "!%d", cell->ttl);
        assert_int_equal(cell->local_deletion_s, NOW_S + cell->ttl);
    }
}

static void print_body(const struct table *t, struct bytes body, struct arena *a, struct buf *out)
{
    struct row row;
    assert_int_equal(row_decode(body, &row), OK);
    if (row.marker.timestamp != TIMESTAMP_NONE)
        buf_printf(out, " marker%s", row.marker.timestamp == TIMESTAMP_US ? "" : "@");
    if (row.marker.timestamp != TIMESTAMP_NONE && row.marker.timestamp != TIMESTAMP_US)
        buf_printf(out, "%lld", (long long)row.marker.timestamp);
    if (row.marker.ttl)
        buf_printf(out, "!%d", row.marker.ttl);
    if (!deletion_is_none(row.deletion))
        buf_printf(out, " deleted@%lld", (long long)row.deletion.timestamp);
    struct cell_iter it = row_cells(&row);
    for (struct cell cell; cell_next(&it, &cell);)
        print_cell(t, &cell, a, out);
}

static void print_op(const struct table *t, const struct op *op, struct arena *a, struct buf *out)
{
    switch (op->kind) {
    case OP_PARTITION_DELETION:
        buf_printf(out, " partition-@%lld", (long long)op->deletion.timestamp);
        break;
    case OP_STATIC_ROW:
        buf_put_str(out, " static{");
        print_body(t, op->body, a, out);
        buf_put_str(out, " }");
        break;
    case OP_RANGE_TOMBSTONE:
        buf_put_str(out, " range[");
        print_ck(t, op->lower, a, out);
        buf_put_str(out, " .. ");
        print_ck(t, op->upper, a, out);
        buf_printf(out, ")-@%lld", (long long)op->deletion.timestamp);
        break;
    case OP_ROW:
        buf_put_str(out, " row(");
        print_ck(t, op->ck, a, out);
        buf_put_str(out, "){");
        print_body(t, op->body, a, out);
        buf_put_str(out, " }");
        break;
    case OP_END: break;
    }
}

static void print_mutation(const struct built_mutation *b, struct arena *a, struct buf *out)
{
    struct mutation m;
    assert_int_equal(mutation_validate(b->bytes), OK);
    assert_int_equal(mutation_decode(b->bytes, &m), OK);
    assert_int_equal(m.token.value, b->token.value);
    assert_memory_equal(m.table_id.b, b->table->id.b, 16);
    assert_int_equal(m.created.us, NOW_S * 1000000);
    const struct table *t = b->table;
    struct bytes *parts = arena_array(a, struct bytes, t->pk_count);
    assert_true(pk_decode(m.pk, t->pk_count, parts));
    buf_printf(out, " %.*s", BYTES_FMT(t->name));
    for (uint16_t i = 0; i < t->pk_count; i++) {
        buf_u8(out, i ? ',' : '(');
        type_to_literal(table_pk(t, i)->type, parts[i], out);
    }
    buf_put_str(out, "):");
    struct cur c = cur_of(m.ops);
    for (struct op op; !cur_at_end(&c);) {
        assert_int_equal(op_next(&c, &op), OK);
        print_op(t, &op, a, out);
    }
}

// --- Running

static const char *failed(struct fixture *f, err_t err)
{
    return arena_cstr(
        &f->arena, arena_printf(&f->arena, "%s %.*s", err_name(err), BYTES_FMT(f->fail.message)));
}

static struct exec_env env_of(struct fixture *f)
{
    f->fail = (struct fail){.arena = &f->arena};
    f->warnings.n = 0;
    return (struct exec_env){
        .now = {.wall = {NOW_S * 1000000}},
        .now_s = NOW_S,
        .timestamp_us = TIMESTAMP_US,
        .random = &f->random,
        .timeuuid = &f->timeuuid,
        .arena = &f->arena,
        .protocol_version = f->version,
        .warnings = &f->warnings,
        .fail = &f->fail,
    };
}

static const char *run_parts(struct fixture *f, const struct modify_part *parts, size_t count,
                             enum modify_batch batch, struct bytes existing)
{
    struct exec_env env = env_of(f);
    struct modify_run *r;
    env.values = parts[0].values;
    env.values_count = parts[0].values_count;
    err_t err = modify_begin(parts, count, batch, &env, &r);
    if (err != OK)
        return failed(f, err);
    const struct read_command *reads;
    size_t reads_count = modify_reads(r, &reads);
    for (size_t i = 0; i < reads_count; i++)
        assert_int_equal(modify_read_answer(r, i, existing), OK);
    struct built_mutation *mutations;
    size_t mutations_count;
    err = modify_build(r, &mutations, &mutations_count);
    if (err != OK)
        return failed(f, err);
    struct buf out = buf_in(&f->arena);
    buf_put_str(&out, "OK");
    for (size_t i = 0; i < mutations_count; i++)
        print_mutation(&mutations[i], &f->arena, &out);
    struct cur warnings = cur_of(buf_bytes(&f->warnings));
    while (!cur_at_end(&warnings)) {
        struct bytes text = cur_take(&warnings, cur_be32(&warnings));
        buf_put_str(&out, " warning: ");
        buf_put_bytes(&out, text);
    }
    return arena_cstr(&f->arena, buf_bytes(&out));
}

static struct statement *compile(struct fixture *f, const char *cql, const char **error)
{
    struct statement *s;
    f->fail = (struct fail){.arena = &f->arena};
    err_t err = statement_compile(bytes_str(cql), f->schema, bytes_str("ks"), &s, &f->fail);
    if (err == OK)
        return s;
    *error = failed(f, err);
    return NULL;
}

const char *run_values(struct fixture *f, const char *cql, const struct bytes *values,
                       uint16_t count, struct bytes existing)
{
    const char *text;
    struct statement *s = compile(f, cql, &text);
    if (s == NULL)
        return text;
    text = run_parts(f, &(struct modify_part){s, values, count}, 1, MODIFY_ALONE, existing);
    statement_unref(s);
    return text;
}

const char *run(struct fixture *f, const char *cql)
{
    return run_values(f, cql, NULL, 0, BYTES_NULL);
}

const char *run_batch(struct fixture *f, enum modify_batch kind, const char *const *cql)
{
    struct modify_part parts[64];
    struct statement *statements[64];
    size_t count = 0;
    const char *text = NULL;
    for (; cql[count] && text == NULL; count++) {
        statements[count] = compile(f, cql[count], &text);
        parts[count] = (struct modify_part){statements[count], NULL, 0};
    }
    if (text == NULL)
        text = run_parts(f, parts, count, kind, BYTES_NULL);
    for (size_t i = 0; i < count; i++)
        statement_unref(statements[i]);
    return text;
}

const char *prepare(struct fixture *f, const char *cql)
{
    const char *error;
    struct statement *s = compile(f, cql, &error);
    if (s == NULL)
        return error;
    struct buf out = buf_in(&f->arena);
    buf_put_str(&out, "OK");
    for (uint16_t i = 0; i < s->binds_count; i++) {
        buf_printf(&out, " %.*s:", BYTES_FMT(s->binds[i].name));
        type_print(s->binds[i].type, &out);
    }
    for (uint16_t i = 0; i < s->pk_bind_count; i++)
        buf_printf(&out, " pk=%u", s->pk_bind_indexes[i]);
    statement_unref(s);
    return arena_cstr(&f->arena, buf_bytes(&out));
}

struct bytes mutation_of(struct fixture *f, const char *cql)
{
    const char *text;
    struct statement *s = compile(f, cql, &text);
    assert_non_null(s);
    struct exec_env env = env_of(f);
    struct modify_run *r;
    struct built_mutation *mutations;
    size_t count;
    assert_int_equal(modify_begin(&(struct modify_part){s, NULL, 0}, 1, MODIFY_ALONE, &env, &r),
                     OK);
    assert_int_equal(modify_build(r, &mutations, &count), OK);
    assert_int_equal(count, 1);
    statement_unref(s);
    return mutations[0].bytes;
}
