// See select_fixture.h.
#include "tests/unit/plan/select_fixture.h"

#include "cql/data/reconcile.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

// --- Writing

static struct data_partition *partition_of(struct data *d, const struct table *t, struct bytes pk)
{
    struct token token = token_of_key(pk);
    size_t at = 0;
    while (at < d->partitions_count && d->partitions[at].token.value < token.value)
        at++;
    for (size_t i = at; i < d->partitions_count && d->partitions[i].token.value == token.value; i++)
        if (d->partitions[i].table == t && bytes_equal(d->partitions[i].pk, pk))
            return &d->partitions[i];
    d->partitions = realloc(d->partitions, (d->partitions_count + 1) * sizeof *d->partitions);
    memmove(&d->partitions[at + 1], &d->partitions[at],
            (d->partitions_count++ - at) * sizeof *d->partitions);
    d->partitions[at] =
        (struct data_partition){.table = t, .token = token, .pk = arena_dup(&d->keep, pk)};
    return &d->partitions[at];
}

static struct bytes merged(struct data *d, struct bytes a, struct bytes b)
{
    struct buf out = buf_in(&d->keep);
    bool empty;
    assert_int_equal(row_merge(a, b, DELETION_NONE, &out, &empty), OK);
    return buf_bytes(&out);
}

static void put_row(struct data *d, struct data_partition *p, struct bytes ck, struct bytes body)
{
    size_t at = 0;
    while (at < p->rows_count && bytes_compare(p->rows[at].ck, ck) < 0)
        at++;
    if (at < p->rows_count && bytes_equal(p->rows[at].ck, ck)) {
        p->rows[at].body = merged(d, p->rows[at].body, body);
        return;
    }
    p->rows = realloc(p->rows, (p->rows_count + 1) * sizeof *p->rows);
    memmove(&p->rows[at + 1], &p->rows[at], (p->rows_count++ - at) * sizeof *p->rows);
    p->rows[at] = (struct data_row){arena_dup(&d->keep, ck), arena_dup(&d->keep, body)};
}

void data_write(struct data *d, const char *cql)
{
    struct mutation m;
    struct op op;
    assert_int_equal(mutation_decode(mutation_of(&d->f, cql), &m), OK);
    struct uuid id = m.table_id;
    struct data_partition *p = partition_of(d, schema_table_by_id(d->f.schema, &id), m.pk);
    struct cur ops = cur_of(m.ops);
    do {
        assert_int_equal(op_next(&ops, &op), OK);
        if (op.kind == OP_ROW)
            put_row(d, p, op.ck, op.body);
        else if (op.kind == OP_STATIC_ROW)
            p->static_body = merged(d, p->static_body.p ? p->static_body : bytes_str(""), op.body);
        else
            assert_int_equal(op.kind, OP_END);
    } while (op.kind != OP_END);
}

static bool is_ddl(const char *cql)
{
    return strncmp(cql, "CREATE", 6) == 0;
}

void data_open(struct data *d, const char *const *cql)
{
    const char *ddl[32];
    size_t n = 0;
    *d = (struct data){.now_s = NOW_S};
    arena_init(&d->keep, 0);
    for (const char *const *one = cql; *one; one++)
        if (is_ddl(*one))
            ddl[n++] = *one;
    ddl[n] = NULL;
    fixture_open(&d->f, ddl);
    for (const char *const *one = cql; *one; one++)
        if (!is_ddl(*one))
            data_write(d, *one);
}

void data_clear(struct data *d)
{
    for (size_t i = 0; i < d->partitions_count; i++)
        free(d->partitions[i].rows);
    d->partitions_count = 0;
}

void data_close(struct data *d)
{
    data_clear(d);
    free(d->partitions);
    buf_free(&d->text);
    arena_free(&d->keep);
    fixture_close(&d->f);
}

// --- Reading

struct reading {
    struct data *d;
    const struct read_command *c;
    struct read_position position;
    struct buf out;
    uint32_t rows, rows_max;
    bool stopped;
};

static struct bytes live(struct reading *r, struct bytes body)
{
    struct buf out = buf_in(&r->d->f.arena);
    bool empty = true;
    struct row_filter filter = {
        .now_s = r->d->now_s, .purge_before_s = INT64_MIN, .live_only = true};
    if (body.p)
        assert_int_equal(row_clean(body, &filter, &out, &empty), OK);
    return empty ? BYTES_NULL : buf_bytes(&out);
}

static bool in_slices(const struct read_command *c, struct bytes ck)
{
    for (size_t i = 0; i < c->slices_count; i++)
        if (bytes_compare(ck, c->slices[i].lower) >= 0 && bytes_compare(ck, c->slices[i].upper) < 0)
            return true;
    return false;
}

static void read_partition(struct reading *r, const struct data_partition *p, bool resumed)
{
    const struct read_command *c = r->c;
    bool begun = false;
    uint32_t taken = resumed ? r->position.partition_rows : 0;
    struct bytes stat = c->want_static && (!resumed || r->position.static_again)
                            ? live(r, p->static_body)
                            : BYTES_NULL;
    if (stat.p) {
        result_begin_partition(&r->out, p->pk);
        op_put_static_row(&r->out, stat);
        begun = true;
    }
    for (size_t i = 0; i < p->rows_count; i++) {
        const struct data_row *row = &p->rows[c->reversed ? p->rows_count - 1 - i : i];
        if (resumed && r->position.rows_begun) {
            int cmp = bytes_compare(row->ck, r->position.ck);
            if (c->reversed ? cmp >= 0 : cmp <= 0)
                continue;
        }
        struct bytes body = in_slices(c, row->ck) ? live(r, row->body) : BYTES_NULL;
        if (!body.p || (c->partition_limit && taken >= c->partition_limit))
            continue;
        if (r->rows_max && r->rows >= r->rows_max) {
            r->stopped = true;
            break;
        }
        if (!begun)
            result_begin_partition(&r->out, p->pk);
        begun = true;
        op_put_row(&r->out, row->ck, body);
        taken++;
        r->rows++;
        r->position = (struct read_position){
            .set = true, .pk = p->pk, .rows_begun = true, .ck = row->ck, .partition_rows = taken};
        resumed = true;
    }
    if (begun)
        op_put_end(&r->out);
    if (!r->stopped)
        r->position = (struct read_position){.set = true, .pk = p->pk, .partition_done = true};
    else if (!resumed)
        r->position = (struct read_position){.set = true, .pk = p->pk};
}

static bool in_range(const struct read_command *c, struct token t)
{
    return (c->start_inclusive ? t.value >= c->start.value : t.value > c->start.value) &&
           (c->end_exclusive ? t.value < c->end.value : t.value <= c->end.value);
}

// One chunk; false in the result: nothing more.
static bool read_chunk(struct reading *r)
{
    bool passed = !r->position.set;
    struct read_position from = r->position;
    const struct read_command *c = r->c;
    size_t count = c->is_range ? r->d->partitions_count : c->keys_count;
    r->out.n = 0;
    r->rows = 0;
    r->stopped = false;
    for (size_t i = 0; i < count && !r->stopped; i++) {
        const struct data_partition *p = NULL;
        for (size_t j = 0; j < r->d->partitions_count; j++) {
            const struct data_partition *one = &r->d->partitions[j];
            if (one->table == c->table && (c->is_range ? i == j && in_range(c, one->token)
                                                       : bytes_equal(one->pk, c->keys[i])))
                p = one;
        }
        bool here = from.set && (p ? bytes_equal(p->pk, from.pk)
                                   : !c->is_range && bytes_equal(c->keys[i], from.pk));
        if (c->is_range && from.set && !passed && !here && p &&
            p->token.value > token_of_key(from.pk).value)
            passed = true; // what the position was in is gone
        if (!passed && !here)
            continue;
        bool resumed = here && !passed && !from.partition_done;
        if (here && !passed && from.partition_done)
            p = NULL;
        passed = true;
        if (p)
            read_partition(r, p, resumed);
    }
    return r->stopped;
}

static void print_rows(const struct statement *s, struct bytes rows, uint32_t count,
                       struct buf *out)
{
    struct cur c = cur_of(rows);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_put_str(out, "; ");
        for (uint16_t j = 0; j < s->result_count; j++) {
            uint32_t n = cur_be32(&c);
            if (j)
                buf_u8(out, '|');
            if (n == 0xFFFFFFFFu)
                buf_put_str(out, "null");
            else
                type_to_literal(s->result[j].type, cur_take(&c, n), out);
        }
    }
    assert_true(cur_ok(&c) && cur_at_end(&c));
}

struct asked {
    const struct bytes *values;
    uint16_t count;
    int32_t page_size;
    struct bytes state;
    struct buf *first_state;
};

static const char *failed(struct data *d, err_t err)
{
    d->text.n = 0;
    buf_printf(&d->text, "%s: %.*s", err_name(err), BYTES_FMT(d->f.fail.message));
    buf_u8(&d->text, 0);
    return (const char *)d->text.p;
}

static err_t run_page(struct data *d, const struct statement *s, const struct asked *a,
                      struct bytes state, struct bytes *next)
{
    struct buf rows = {0};
    struct select_run *run;
    struct now now = {.wall = {d->now_s * 1000000}};
    struct exec_env env = {.now = now,
                           .now_s = d->now_s,
                           .timestamp_us = d->now_s * 1000000,
                           .random = &d->f.random,
                           .timeuuid = &d->f.timeuuid,
                           .arena = &d->f.arena,
                           .values = a->values,
                           .values_count = a->count,
                           .protocol_version = 5,
                           .warnings = &d->f.warnings,
                           .fail = &d->f.fail};
    struct select_options o = {a->page_size, state};
    err_t err = select_begin(s, &env, &o, &rows, &run);
    uint32_t count = 0;
    if (err == OK && select_command(run)) {
        struct reading r = {.d = d,
                            .c = select_command(run),
                            .position = *select_position(run),
                            .rows_max = d->chunk_rows};
        bool want = true, more = true;
        d->commands++;
        while (err == OK && more && want) {
            assert_true(select_rows_wanted(run) > 0);
            more = read_chunk(&r);
            // a copy of exact size, so that reading past its end or after it shows
            uint8_t *chunk = malloc(r.out.n + 1);
            memcpy(chunk, r.out.p ? r.out.p : (const uint8_t *)"", r.out.n);
            err = select_consume(run, bytes_of(chunk, r.out.n), more, &want);
            free(chunk);
        }
        buf_free(&r.out);
    }
    *next = BYTES_NULL;
    if (err == OK)
        err = select_finish(run, &count, next);
    if (err == OK)
        print_rows(s, buf_bytes(&rows), count, &d->text);
    buf_free(&rows);
    return err;
}

static const char *ask(struct data *d, const char *cql, const struct asked *a)
{
    struct statement *s;
    arena_reset(&d->f.arena);
    d->f.fail = (struct fail){.arena = &d->f.arena};
    d->f.warnings.n = 0;
    d->text.n = 0;
    d->commands = 0;
    err_t err = statement_compile(bytes_str(cql), d->f.schema, bytes_str("ks"), &s, &d->f.fail);
    if (err != OK)
        return failed(d, err);
    assert_int_equal(s->kind, STATEMENT_SELECT);
    struct bytes state = a->state;
    do {
        err = run_page(d, s, a, state, &state);
        if (err == OK && state.p && a->first_state) {
            buf_put_bytes(a->first_state, state);
            break;
        }
        if (err == OK && state.p)
            buf_put_str(&d->text, " / ");
    } while (err == OK && state.p);
    statement_unref(s);
    if (err != OK)
        return failed(d, err);
    buf_u8(&d->text, 0);
    return (const char *)d->text.p;
}

const char *query_values(struct data *d, const char *cql, const struct bytes *values,
                         uint16_t count)
{
    return ask(d, cql, &(struct asked){.values = values, .count = count});
}

const char *query(struct data *d, const char *cql)
{
    return query_values(d, cql, NULL, 0);
}

const char *query_pages(struct data *d, const char *cql, int32_t page_size)
{
    return ask(d, cql, &(struct asked){.page_size = page_size});
}

const char *query_state(struct data *d, const char *cql, struct bytes state)
{
    struct buf next = {0};
    const char *text =
        ask(d, cql, &(struct asked){.page_size = 1, .state = state, .first_state = &next});
    buf_free(&next);
    return text;
}

struct buf first_state(struct data *d, const char *cql, int32_t page_size)
{
    struct buf state = {0};
    ask(d, cql, &(struct asked){.page_size = page_size, .first_state = &state});
    return state;
}

const char *query_columns(struct data *d, const char *cql)
{
    struct statement *s;
    arena_reset(&d->f.arena);
    d->f.fail = (struct fail){.arena = &d->f.arena};
    d->text.n = 0;
    err_t err = statement_compile(bytes_str(cql), d->f.schema, bytes_str("ks"), &s, &d->f.fail);
    if (err != OK)
        return failed(d, err);
    for (uint16_t i = 0; i < s->result_count; i++) {
        buf_printf(&d->text, "%s%.*s ", i ? ", " : "", BYTES_FMT(s->result[i].name));
        type_print(s->result[i].type, &d->text);
    }
    buf_u8(&d->text, 0);
    statement_unref(s);
    return (const char *)d->text.p;
}
