/* One request from compiled statement to response: the steps between plan and coordinator. A request waits in one of these places, and
 * execute_message() continues it there: reads that an update needs first, its writes, the reads of a select, the other shards'
 * taking over of a prepared statement, control's schema change. */
#include "server/session/session_priv.h"

static void finish(struct request *r)
{
    if (r->refs == 0)
        request_done(r);
}

static void fail_and_finish(struct request *r, err_t err)
{
    request_fail(r, err);
    finish(r);
}

static void respond_void(struct request *r)
{
    size_t at;
    struct buf *out = request_begin_response(r, OPCODE_RESULT, &at);
    if (out) {
        buf_be32(out, RESULT_VOID);
        request_end_response(r, out, at);
    }
}

/* --- Values and environment ---------------------------------------------------------------------------------------------------- */

static int64_t next_timestamp(struct session_host *h)
{
    int64_t us = h->now.wall.us;
    if (us <= h->last_timestamp_us)
        us = h->last_timestamp_us + 1;
    h->last_timestamp_us = us;
    return us;
}

/* The wire's "unset" becomes plan's. Values are in the request's arena, so they may be changed in place. */
static const struct bytes *plan_values(struct request *r, const struct bytes *values,
                                       uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (values[i].p != wire_unset)
            continue;
        struct bytes *copy = arena_alloc(&r->arena, sizeof *copy * count);
        for (uint16_t k = 0; k < count; k++)
            copy[k] = values[k].p == wire_unset ? bytes_unset() : values[k];
        return copy;
    }
    return values;
}

/* Values by name are put in the order of the statement's markers; Cassandra takes the last of equal names too. */
static err_t bind_values(struct request *r, const struct query_params *p, bool prepared)
{
    const struct statement *s = r->statement;
    const struct bytes *values = p->values;
    uint16_t count = p->values_count;
    if (p->names) {
        struct bytes *ordered = arena_alloc(&r->arena, sizeof *ordered * s->binds_count);
        count = 0;
        for (uint16_t i = 0; i < s->binds_count; i++) {
            for (uint16_t k = 0; k < p->values_count; k++) {
                if (!bytes_equal(p->names[k], s->binds[i].name))
                    continue;
                ordered[count++] = p->values[k];
                break;
            }
        }
        values = ordered;
    }
    if (count != s->binds_count) {
        if (prepared)
            return fail_set(&r->fail, ERR_INVALID,
                            "there were %u markers(?) in CQL but %u bound variables",
                            s->binds_count, count);
        return fail_set(&r->fail, ERR_INVALID, "Invalid amount of bind variables");
    }
    r->env.values = plan_values(r, values, count);
    r->env.values_count = count;
    return OK;
}

static void set_env(struct request *r, const struct query_params *p)
{
    struct session_host *h = r->host;
    r->env = (struct exec_env){
        .now = h->now,
        .now_s = p->has_now ? p->now_s : wall_s(h->now.wall),
        .timestamp_us = p->has_timestamp ? p->timestamp_us : next_timestamp(h),
        .random = &h->random,
        .timeuuid = &h->timeuuid,
        .arena = &r->arena,
        .protocol_version = r->version,
        .warnings = &r->warnings,
        .fail = &r->fail,
    };
}

static err_t set_deadline(struct request *r, int64_t default_us)
{
    int64_t us = 0;
    TRY(statement_timeout_us(r->statement, &r->env, &us));
    r->deadline.us = r->started.us + (us > 0 ? us : default_us);
    return OK;
}

/* --- SELECT ------------------------------------------------------------------------------------------------------------------------ */

static void respond_rows(struct request *r)
{
    uint32_t count = 0;
    struct bytes paging_state = BYTES_NULL;
    err_t err = select_finish(r->run, &count, &paging_state);
    if (err == OK && r->rows.n > r->host->limits->frame_bytes_max && r->rows.n > 256u * 1024 * 1024)
        err = fail_set(&r->fail, ERR_INVALID, "The result is larger than 256 MiB: use paging");
    if (err != OK) {
        request_fail(r, err);
        return;
    }
    size_t at;
    struct buf *out = request_begin_response(r, OPCODE_RESULT, &at);
    if (out == NULL)
        return;
    buf_reserve(out, r->rows.n + 256);
    buf_be32(out, RESULT_ROWS);
    const uint8_t *changed = r->metadata_changed ? r->metadata_id : NULL;
    result_put_metadata(out, r->statement, r->version,
                        r->skip_metadata && !changed ? METADATA_NO_METADATA : 0, paging_state,
                        changed);
    buf_be32(out, count);
    buf_put_bytes(out, buf_bytes(&r->rows));
    request_end_response(r, out, at);
}

static err_t sink_consume(void *ctx, struct bytes result, bool more, bool *want_more)
{
    struct request *r = ctx;
    if (r->rows.n > 256u * 1024 * 1024)
        return fail_set(&r->fail, ERR_INVALID, "The result is larger than 256 MiB: use paging");
    size_t before = r->rows.n;
    TRY(select_consume(r->run, result, more, want_more));
    size_t grown = r->rows.n - before;
    if (!session_host_has_room(r->host, grown)) {
        r->host->counters.overloaded++;
        return fail_set(
            &r->fail, ERR_OVERLOADED,
            "Too many results under way on this shard; use smaller pages or retry later");
    }
    r->bytes_charged += grown;
    r->host->requests_bytes += grown;
    return OK;
}

static uint32_t sink_rows_wanted(void *ctx)
{
    return select_rows_wanted(((struct request *)ctx)->run);
}

static err_t select_start(struct request *r, const struct query_params *p)
{
    struct session_host *h = r->host;
    const struct statement *s = r->statement;
    r->consistency = (uint16_t)statement_consistency(s, p->consistency);
    TRY(set_deadline(r, h->limits->read_timeout_us));
    TRY(coord_check(r->consistency, s->table->ks, h->topology, false, &r->fail));
    struct select_options o = {.page_size = p->page_size, .paging_state = p->paging_state};
    TRY(select_begin(s, &r->env, &o, &r->rows, &r->run));
    const struct read_command *c = select_command(r->run);
    if (c == NULL)
        return OK;
    if (c->is_range)
        TRY(set_deadline(r, h->limits->range_timeout_us));
    struct coord_sink sink = {.ctx = r, .consume = sink_consume, .rows_wanted = sink_rows_wanted};
    r->read = coord_read_start(h->topology, h->shard, c, select_position(r->run),
                               table_is_made(s->table), sink, &r->arena, r, &h->spares, h->out);
    r->refs = coord_read_has_ended(r->read) ? 0 : 1;
    return coord_read_err(r->read);
}

static void select_execute(struct request *r, const struct query_params *p)
{
    r->kind = REQUEST_SELECT;
    err_t err = select_start(r, p);
    if (err != OK) {
        fail_and_finish(r, err);
    } else if (r->refs == 0) {
        respond_rows(r);
        finish(r);
    }
}

static void read_failure(struct request *r, err_t err)
{
    if (err == ERR_CORRUPT || err == ERR_IO) {
        fail_set(&r->fail, ERR_READ_FAILURE,
                 "Operation failed - received 0 responses and 1 failures: %s",
                 err == ERR_CORRUPT ? "a stored value is damaged" : "the disk cannot be read");
        r->fail.consistency = r->consistency;
        r->fail.required = coord_block_for(r->consistency, &r->statement->table->ks->replication,
                                           r->host->topology);
        r->fail.failures_count = 1;
        err = ERR_READ_FAILURE;
    } else if (err == ERR_NOT_FOUND) {
        const struct table *t = r->statement->table;
        err = fail_set(&r->fail, ERR_INVALID, "The virtual table %.*s.%.*s is not implemented yet",
                       BYTES_FMT(t->keyspace), BYTES_FMT(t->name));
    }
    request_fail(r, err);
}

static void select_reply(struct request *r, struct message *m)
{
    if (!coord_read_reply(r->read, m, r->host->out))
        return;
    r->refs = 0;
    err_t err = coord_read_err(r->read);
    if (r->answered) {
        /* it timed out */
    } else if (err != OK) {
        read_failure(r, err);
    } else {
        respond_rows(r);
    }
    finish(r);
}

/* --- INSERT, UPDATE, DELETE, BATCH ---------------------------------------------------------------------------------------------- */

/* The reads that an update needs before it can be built: of one partition each, kept whole. */
static err_t modify_sink_consume(void *ctx, struct bytes result, bool more, bool *want_more)
{
    (void)more;
    (void)want_more;
    struct request *r = ctx;
    if (r->modify_result.n + result.n > r->host->limits->frame_bytes_max)
        return fail_set(&r->fail, ERR_INVALID, "The collection read before the write is too large");
    buf_put_bytes(&r->modify_result, result);
    return OK;
}

static uint32_t modify_sink_rows_wanted(void *ctx)
{
    (void)ctx;
    return 1000;
}

/* Sends the next read the statement needs before it can be built, or builds and writes. */
static err_t modify_advance(struct request *r)
{
    struct session_host *h = r->host;
    const struct read_command *reads;
    size_t reads_count = modify_reads(r->modify, &reads);
    if (r->modify_read < reads_count) {
        struct coord_sink sink = {
            .ctx = r, .consume = modify_sink_consume, .rows_wanted = modify_sink_rows_wanted};
        r->modify_result.n = 0;
        r->read = coord_read_start(h->topology, h->shard, &reads[r->modify_read],
                                   &(struct read_position){0}, false, sink, &r->arena, r,
                                   &h->spares, h->out);
        r->refs = 1;
        return OK;
    }
    struct built_mutation *built;
    size_t count;
    TRY(modify_build(r->modify, &built, &count));
    struct coord_mutation *mutations = arena_alloc(&r->arena, sizeof *mutations * count);
    for (size_t i = 0; i < count; i++) {
        const struct table *t = built[i].table;
        if (table_is_made(t))
            return fail_set(&r->fail, ERR_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                            BYTES_FMT(t->keyspace));
        TRY(coord_check(r->consistency, t->ks, h->topology, true, &r->fail));
        mutations[i] = (struct coord_mutation){
            .token = built[i].token, .bytes = built[i].bytes, .log = t->ks->durable_writes};
    }
    if (count == 0) {
        respond_void(r);
        return OK;
    }
    coord_write_start(&r->write, h->topology, h->shard, mutations, count, &r->arena, r, h->out);
    r->refs = (uint32_t)count;
    return OK;
}

static void modify_step(struct request *r)
{
    err_t err = modify_advance(r);
    if (err != OK)
        fail_and_finish(r, err);
    else
        finish(r);
}

static void modify_execute(struct request *r, const struct modify_part *parts, size_t count,
                           bool batch)
{
    r->kind = REQUEST_WRITE;
    err_t err = modify_begin(parts, count, batch, &r->env, &r->modify);
    if (err != OK)
        fail_and_finish(r, err);
    else
        modify_step(r);
}

static void write_failure(struct request *r)
{
    err_t err = r->write.err;
    switch (err) {
    case ERR_OVERLOADED:
        r->host->counters.overloaded++;
        fail_set(&r->fail, err, "The memtable is full until a flush ends; retry later");
        break;
    case ERR_DISK_FULL:
        fail_set(&r->fail, ERR_WRITE_FAILURE,
                 "No space left on the disk: writes are refused until there is");
        break;
    case ERR_NOT_FOUND:
        fail_set(&r->fail, ERR_INVALID,
                 "The table was dropped or truncated while the write was on its way");
        break;
    default:
        fail_set(&r->fail, ERR_WRITE_FAILURE,
                 "Operation failed - received %u responses and %u failures: %s",
                 r->write.count - r->write.failed, r->write.failed, err_name(err));
    }
    if (r->fail.err == ERR_WRITE_FAILURE) {
        r->fail.consistency = r->consistency;
        r->fail.required = 1;
        r->fail.failures_count = 1;
        r->fail.write_type = r->write_type;
    }
    request_fail(r, r->fail.err);
}

static void modify_reply(struct request *r, struct message *m)
{
    if (m->verb == VERB_READ) {
        if (!coord_read_reply(r->read, m, r->host->out))
            return;
        err_t err = coord_read_err(r->read);
        coord_read_end(r->read);
        r->read = NULL;
        r->refs = 0;
        if (r->answered) {
            finish(r);
            return;
        }
        if (err == OK)
            err = modify_read_answer(r->modify, r->modify_read++,
                                     arena_dup(&r->arena, buf_bytes(&r->modify_result)));
        if (err == OK) {
            modify_step(r);
        } else {
            read_failure(r, err);
            finish(r);
        }
        return;
    }
    r->refs--;
    if (!coord_write_reply(&r->write, m))
        return;
    if (r->answered) {
        /* it timed out */
    } else if (r->write.err != OK) {
        write_failure(r);
    } else {
        respond_void(r);
    }
    finish(r);
}

static err_t batch_parts(struct request *r, const struct request_batch *b,
                         struct modify_part *parts, struct bytes keyspace)
{
    struct session_host *h = r->host;
    for (uint16_t i = 0; i < b->count; i++) {
        const struct batch_item *item = &b->items[i];
        struct statement *s;
        if (item->prepared) {
            struct prepared *p = prepared_find(h, item->text_or_id);
            if (p == NULL) {
                r->fail.id = item->text_or_id;
                return unprepared(r, item->text_or_id);
            }
            TRY(prepared_statement(h, p, &s, &r->fail));
            statement_ref(s);
        } else {
            TRY(statement_compile(item->text_or_id, h->schema, keyspace, &s, &r->fail));
        }
        request_keep_statement(r, s);
        if (s->kind != STATEMENT_MODIFY)
            return fail_set(&r->fail, ERR_INVALID,
                            "Invalid statement in batch: only UPDATE, INSERT and DELETE statements "
                            "are allowed.");
        if (item->values_count != s->binds_count)
            return fail_set(&r->fail, ERR_INVALID,
                            "There were %u markers(?) in CQL but %u bound variables",
                            s->binds_count, item->values_count);
        parts[i] = (struct modify_part){.statement = s,
                                        .values = plan_values(r, item->values, item->values_count),
                                        .values_count = item->values_count};
    }
    return OK;
}

void execute_batch(struct request *r, const struct request_batch *b)
{
    struct session_host *h = r->host;
    struct modify_part *parts = arena_array(&r->arena, struct modify_part, b->count);
    struct bytes keyspace =
        bytes_is_null(b->params.keyspace) ? r->session->keyspace : b->params.keyspace;
    r->consistency = b->params.consistency;
    r->deadline.us = r->started.us + h->limits->write_timeout_us;
    r->write_type = b->type == 0 ? "BATCH" : b->type == 1 ? "UNLOGGED_BATCH" : "COUNTER";
    set_env(r, &b->params);
    if (b->type == 2) {
        fail_and_finish(r,
                        fail_set(&r->fail, ERR_INVALID, "Counter batches are not implemented yet"));
        return;
    }
    err_t err = batch_parts(r, b, parts, keyspace);
    if (err != OK)
        fail_and_finish(r, err);
    else
        modify_execute(r, parts, b->count, true);
}

static void modify_single(struct request *r, const struct query_params *p)
{
    const struct statement *s = r->statement;
    r->consistency = (uint16_t)statement_consistency(s, p->consistency);
    r->write_type = s->kind != STATEMENT_BATCH      ? "SIMPLE"
                    : s->batch_type == BATCH_LOGGED ? "BATCH"
                                                    : "UNLOGGED_BATCH";
    err_t err = set_deadline(r, r->host->limits->write_timeout_us);
    if (err != OK) {
        fail_and_finish(r, err);
        return;
    }
    struct modify_part part = {
        .statement = s, .values = r->env.values, .values_count = r->env.values_count};
    modify_execute(r, &part, 1, false);
}

/* --- Schema changes, USE, DESCRIBE ----------------------------------------------------------------------------------------------- */

static void change_execute(struct request *r, struct bytes text, struct bytes keyspace)
{
    r->kind = REQUEST_CHANGE;
    r->deadline.us = r->started.us + r->host->limits->truncate_timeout_us;
    struct tagged_change {
        void *tag;
        struct message_change message;
    } *c = arena_new(&r->arena, struct tagged_change);
    c->tag = r;
    c->message.head = (struct message){
        .from = r->host->shard, .to = ENDPOINT_CONTROL, .verb = VERB_CHANGE, .needs_reply = true};
    c->message.text = arena_dup(&r->arena, text);
    c->message.keyspace = arena_dup(&r->arena, keyspace);
    c->message.arena = &r->arena;
    c->message.fail.arena = &r->arena;
    c->message.warnings = buf_in(&r->arena);
    r->change = &c->message;
    r->refs = 1;
    message_push(r->host->out, &c->message.head);
}

static void change_reply(struct request *r, struct message *m)
{
    struct message_change *c = r->change;
    r->refs--;
    r->warnings = c->warnings;
    if (m->err != OK) {
        r->fail = c->fail;
        r->fail.arena = &r->arena;
        request_fail(r, m->err);
    } else if (!c->changed || r->statement->kind == STATEMENT_TRUNCATE) {
        respond_void(r);
    } else {
        size_t at;
        struct buf *out = request_begin_response(r, OPCODE_RESULT, &at);
        if (out) {
            buf_be32(out, RESULT_SCHEMA_CHANGE);
            session_put_schema_change(out, &c->event);
            request_end_response(r, out, at);
        }
    }
    finish(r);
}

static void use_execute(struct request *r)
{
    struct bytes name = r->statement->use_keyspace;
    if (schema_keyspace(r->host->schema, name) == NULL) {
        fail_and_finish(
            r, fail_set(&r->fail, ERR_INVALID, "Keyspace '%.*s' does not exist", BYTES_FMT(name)));
        return;
    }
    session_set_keyspace(r->session, name);
    size_t at;
    struct buf *out = request_begin_response(r, OPCODE_RESULT, &at);
    if (out) {
        buf_be32(out, RESULT_SET_KEYSPACE);
        wire_put_string(out, name);
        request_end_response(r, out, at);
    }
    finish(r);
}

/* --- Dispatch ------------------------------------------------------------------------------------------------------------------------ */

static void execute(struct request *r, const struct query_params *p, struct bytes text,
                    struct bytes keyspace)
{
    switch (r->statement->kind) {
    case STATEMENT_SELECT: select_execute(r, p); return;
    case STATEMENT_MODIFY:
    case STATEMENT_BATCH: modify_single(r, p); return;
    case STATEMENT_USE: use_execute(r); return;
    case STATEMENT_TRUNCATE:
    case STATEMENT_DDL: change_execute(r, text, keyspace); return;
    case STATEMENT_DESCRIBE: describe_execute(r, p, keyspace); return;
    }
}

void execute_query(struct request *r, const struct request_query *q)
{
    struct bytes keyspace =
        bytes_is_null(q->params.keyspace) ? r->session->keyspace : q->params.keyspace;
    err_t err = statement_compile(q->text, r->host->schema, keyspace, &r->statement, &r->fail);
    if (err == OK) {
        set_env(r, &q->params);
        r->skip_metadata = (q->params.flags & QUERY_SKIP_METADATA) != 0;
        err = bind_values(r, &q->params, false);
    }
    if (err != OK)
        fail_and_finish(r, err);
    else
        execute(r, &q->params, q->text, keyspace);
}

err_t unprepared(struct request *r, struct bytes id)
{
    struct buf hex = buf_in(&r->arena);
    for (size_t i = 0; i < id.n; i++)
        buf_printf(&hex, "%02x", id.p[i]);
    r->fail.id = id;
    return fail_set(&r->fail, ERR_UNPREPARED,
                    "Prepared query with ID %.*s not found (either the query was not prepared on "
                    "this host (maybe the host has "
                    "been restarted?) or you have prepared too many queries and it has been "
                    "evicted from the internal cache)",
                    (int)hex.n, hex.p ? (const char *)hex.p : "");
}

static err_t find_prepared(struct request *r, const struct request_execute *x,
                           struct prepared **out)
{
    struct prepared *p = prepared_find(r->host, x->id);
    if (p == NULL)
        return unprepared(r, x->id);
    struct statement *s;
    TRY(prepared_statement(r->host, p, &s, &r->fail));
    r->statement = statement_ref(s);
    *out = p;
    return OK;
}

void execute_prepared(struct request *r, const struct request_execute *x)
{
    struct prepared *p = NULL;
    err_t err = find_prepared(r, x, &p);
    if (err == OK) {
        r->skip_metadata = (x->params.flags & QUERY_SKIP_METADATA) != 0;
        if (r->version >= 5 && !bytes_equal(x->result_metadata_id, bytes_of(p->metadata_id, 16))) {
            uint8_t *id = arena_alloc(&r->arena, 16);
            memcpy(id, p->metadata_id, 16);
            r->metadata_id = id;
            r->metadata_changed = r->statement->result_count > 0;
        }
        set_env(r, &x->params);
        err = bind_values(r, &x->params, true);
    }
    if (err != OK)
        fail_and_finish(r, err);
    else
        execute(r, &x->params, p->text, p->keyspace);
}

/* --- PREPARE: on every shard of the node before the client hears of it ------------------------------------------------------------ */

void execute_prepare(struct request *r, struct bytes text, struct bytes keyspace)
{
    struct session_host *h = r->host;
    r->kind = REQUEST_PREPARE;
    if (bytes_is_null(keyspace))
        keyspace = r->session->keyspace;
    err_t err = statement_compile(text, h->schema, keyspace, &r->statement, &r->fail);
    if (err != OK) {
        fail_and_finish(r, err);
        return;
    }
    uint8_t id[16];
    prepared_id(keyspace, text, id);
    prepared_put(h, id, r->statement, text, keyspace);
    r->prepared_id = arena_dup(&r->arena, bytes_of(id, 16));
    struct tagged_prepared {
        void *tag;
        struct message_prepared message;
    } *all = arena_array(&r->arena, struct tagged_prepared, h->topology->shards);
    struct bytes ks = arena_dup(&r->arena, keyspace);
    for (uint16_t i = 0; i < h->topology->shards; i++) {
        if (i == h->shard)
            continue;
        all[i].tag = r;
        struct message_prepared *m = &all[i].message;
        m->head =
            (struct message){.from = h->shard, .to = i, .verb = VERB_PREPARED, .needs_reply = true};
        memcpy(m->id, id, 16);
        m->statement = r->statement;
        m->text = text;
        m->keyspace = ks;
        message_push(h->out, &m->head);
        r->refs++;
    }
    if (r->refs == 0)
        prepare_respond(r);
}

void prepare_respond(struct request *r)
{
    struct prepared *p = prepared_find(r->host, r->prepared_id);
    size_t at;
    struct buf *out = p ? request_begin_response(r, OPCODE_RESULT, &at) : NULL;
    if (out) {
        result_put_prepared(out, p, r->version);
        request_end_response(r, out, at);
    } else if (!r->answered) {
        request_fail(r, fail_set(&r->fail, ERR_OVERLOADED,
                                 "Too many statements are being prepared at once"));
    }
    finish(r);
}

void execute_message(struct request *r, struct message *m)
{
    switch (r->kind) {
    case REQUEST_SELECT: select_reply(r, m); return;
    case REQUEST_WRITE: modify_reply(r, m); return;
    case REQUEST_PREPARE:
        if (--r->refs == 0)
            prepare_respond(r);
        return;
    case REQUEST_CHANGE: change_reply(r, m); return;
    }
}

void session_message(struct session_host *h, struct message *m)
{
    (void)h;
    execute_message(coord_tag(m), m);
}

/* --- Time ------------------------------------------------------------------------------------------------------------------------------ */

static void time_out(struct request *r)
{
    struct session_host *h = r->host;
    h->counters.timeouts++;
    struct fail *f = &r->fail;
    f->consistency = r->consistency;
    f->required = 1;
    if (r->kind == REQUEST_SELECT) {
        f->required =
            coord_block_for(r->consistency, &r->statement->table->ks->replication, h->topology);
        if (r->read)
            coord_read_cancel(r->read);
        request_fail(
            r, fail_set(f, ERR_READ_TIMEOUT, "Operation timed out - received only 0 responses."));
    } else if (r->kind == REQUEST_WRITE) {
        f->write_type = r->write_type;
        if (r->read)
            coord_read_cancel(r->read);
        request_fail(
            r, fail_set(f, ERR_WRITE_TIMEOUT, "Operation timed out - received only 0 responses."));
    } else {
        request_fail(r, fail_set(f, ERR_SERVER, "Operation timed out"));
    }
    r->answered = true;
}

void session_tick(struct session_host *h)
{
    list_for_each_safe(it, tmp, &h->requests)
    {
        struct request *r = container_of(it, struct request, link);
        if (!r->answered && r->deadline.us <= h->now.mono.us)
            time_out(r);
    }
    if (h->limits->idle_timeout_us <= 0)
        return;
    list_for_each(it, &h->sessions)
    {
        struct session *s = container_of(it, struct session, link);
        if (s->in_flight == 0 && s->last_input.us + h->limits->idle_timeout_us <= h->now.mono.us) {
            s->closing = true;
            session_touch_output(s);
        }
    }
}

struct mono_us session_deadline(const struct session_host *h)
{
    struct mono_us d = MONO_NEVER;
    list_for_each(it, &((struct session_host *)h)->requests)
    {
        const struct request *r = container_of(it, struct request, link);
        if (!r->answered && r->deadline.us < d.us)
            d = r->deadline;
    }
    return d;
}
