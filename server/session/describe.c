/* DESCRIBE: plan makes all rows at once; pages are cut here. The paging state is a version byte, the schema's version and the next row's
 * number: when the schema changed between two pages the client is told to begin again, as Cassandra does. */
#include "server/session/session_priv.h"

enum { STATE_VERSION = 1, STATE_BYTES = 1 + 16 + 4 };

static err_t first_row(struct request *r, struct bytes state, uint32_t *out)
{
    *out = 0;
    if (bytes_is_null(state))
        return OK;
    if (state.n != STATE_BYTES || state.p[0] != STATE_VERSION)
        return fail_set(&r->fail, ERR_PROTOCOL, "Invalid value for the paging state");
    if (memcmp(state.p + 1, r->host->schema->version.b, 16) != 0)
        return fail_set(&r->fail, ERR_INVALID,
                        "The schema has changed since the previous page of the DESCRIBE statement "
                        "result. Please retry the DESCRIBE "
                        "statement.");
    *out = load_be32(state.p + 17);
    return OK;
}

static struct bytes next_state(struct request *r, uint32_t row)
{
    uint8_t *p = arena_alloc(&r->arena, STATE_BYTES);
    p[0] = STATE_VERSION;
    memcpy(p + 1, r->host->schema->version.b, 16);
    store_be32(p + 17, row);
    return bytes_of(p, STATE_BYTES);
}

static void respond(struct request *r, const struct describe_result *d, uint32_t first,
                    uint32_t count, bool more)
{
    size_t at;
    struct buf *out = request_begin_response(r, OPCODE_RESULT, &at);
    if (out == NULL)
        return;
    /* Columns depend on what is described, so they come from here and not from the statement. */
    struct statement columns = {.result = (struct column_spec *)d->columns,
                                .result_count = d->columns_count};
    buf_be32(out, RESULT_ROWS);
    result_put_metadata(out, &columns, r->version, 0,
                        more ? next_state(r, first + count) : BYTES_NULL, NULL);
    buf_be32(out, count);
    for (size_t i = (size_t)first * d->columns_count;
         i < (size_t)(first + count) * d->columns_count; i++)
        value_put(out, d->values[i]);
    request_end_response(r, out, at);
}

static err_t describe(struct request *r, const struct query_params *p, struct bytes keyspace)
{
    struct describe_result d;
    TRY(plan_describe(r->statement->ast, r->host->schema, keyspace, r->host->describe, &r->arena,
                      &d, &r->fail));
    uint32_t first, count;
    TRY(first_row(r, p->paging_state, &first));
    if (first > d.rows_count)
        first = (uint32_t)d.rows_count;
    count = (uint32_t)d.rows_count - first;
    bool more = p->page_size > 0 && count > (uint32_t)p->page_size;
    if (more)
        count = (uint32_t)p->page_size;
    respond(r, &d, first, count, more);
    return OK;
}

void describe_execute(struct request *r, const struct query_params *p, struct bytes keyspace)
{
    err_t err = describe(r, p, keyspace);
    if (err != OK)
        request_fail(r, err);
    request_done(r);
}
