/* Schema changes, one after another: see control.h.
 *
 *   idle ──VERB_CHANGE──▶ compile, validate, persist ──▶ VERB_SCHEMA to every shard ──last reply──▶ answer, idle */
#include "server/node/control.h"

#include "cql/plan/ddl.h"

#include <stdlib.h>

void control_init(struct control *c, const struct node *node, struct schema *schema, uint64_t seed,
                  err_t (*persist)(void *ctx, struct bytes schema), void *persist_ctx)
{
    *c = (struct control){
        .node = node, .schema = schema_ref(schema), .persist = persist, .persist_ctx = persist_ctx};
    prng_init(&c->random, seed);
    c->timeuuid.clock_seq_node = (prng_u64(&c->random) & 0x3fffffffffffffff) | 0x8000010000000000;
    c->messages = calloc(node->topology.shards, sizeof *c->messages);
    ensure(c->messages != NULL);
}

void control_free(struct control *c)
{
    ensure(c->change == NULL && c->waiting.head == NULL);
    schema_unref(c->schema);
    free(c->messages);
}

/* A fresh time UUID for a table's id. */
static struct uuid new_table_id(struct control *c)
{
    int64_t ticks = c->now.wall.us * 10 + 0x01B21DD213814000;
    if (ticks <= c->timeuuid.last_ticks)
        ticks = c->timeuuid.last_ticks + 1;
    c->timeuuid.last_ticks = ticks;
    struct uuid id;
    uuid_of_ticks(ticks, c->timeuuid.clock_seq_node, id.b);
    return id;
}

/* TRUNCATE is a change of the table's incarnation: taken over by every shard like any other, but no event to clients. */
static err_t truncate_table(struct control *c, struct message_change *m, const struct statement *s,
                            struct schema **out)
{
    const struct table *t;
    TRY(plan_truncate_table(s->ast, c->schema, m->keyspace, &t, &m->fail));
    return schema_truncate_table(c->schema, &t->id, out, &m->fail);
}

/* The level has so many slots on every shard; some are kept for built-in tables and for tables that are being emptied. */
enum { TABLES_MAX = 3500 };

static err_t check_tables_count(const struct schema *s, struct fail *fail)
{
    size_t count = 0;
    for (size_t i = 0; i < s->keyspaces_count; i++)
        count += s->keyspaces[i]->tables_count;
    if (count <= TABLES_MAX)
        return OK;
    return fail_set(fail, ERR_INVALID, "A node holds at most %d tables", TABLES_MAX);
}

static err_t change_schema(struct control *c, struct message_change *m, const struct statement *s,
                           struct schema **out)
{
    int one_node = 1;
    struct schema_env env = {
        .now = c->now.wall,
        .new_table_id = new_table_id(c),
        .local_dc = c->node->topology.local_dc,
        .datacenters = &c->node->topology.local_dc,
        .datacenters_nodes = &one_node,
        .datacenters_count = 1,
        .nodes_count = 1,
        .warnings = &m->warnings,
    };
    struct schema_change change = {0};
    TRY(plan_ddl(s->ast, c->schema, m->keyspace, &env, m->arena, &change, &m->fail));
    if (change.schema == NULL)
        return OK;
    err_t err = check_tables_count(change.schema, &m->fail);
    if (err != OK) {
        schema_unref(change.schema);
        return err;
    }
    *out = change.schema;
    m->event = change.event;
    m->event.keyspace = arena_dup(m->arena, change.event.keyspace);
    m->event.name = arena_dup(m->arena, change.event.name);
    return OK;
}

static err_t apply(struct control *c, struct message_change *m, struct schema **out)
{
    struct statement *s;
    TRY(statement_compile(m->text, c->schema, m->keyspace, &s, &m->fail));
    m->truncate = s->kind == STATEMENT_TRUNCATE;
    err_t err = m->truncate ? truncate_table(c, m, s, out) : change_schema(c, m, s, out);
    if (err != OK) { /* names that the failure tells may be the statement's */
        m->fail.keyspace = arena_dup(m->arena, m->fail.keyspace);
        m->fail.name = arena_dup(m->arena, m->fail.name);
    }
    statement_unref(s);
    return err;
}

static err_t persist(struct control *c, struct schema *schema, struct fail *fail)
{
    struct buf b = {0};
    schema_encode(schema, &b);
    err_t err = c->persist(c->persist_ctx, buf_bytes(&b));
    buf_free(&b);
    if (err == OK)
        return OK;
    return fail_set(fail, ERR_SERVER,
                    "The schema change was refused: it cannot be made durable (%s)",
                    err == ERR_DISK_FULL ? "no space left on the disk" : err_name(err));
}

static void publish(struct control *c, struct schema *schema, bool is_event)
{
    c->event = c->change->event;
    c->pending = c->node->topology.shards;
    for (uint16_t i = 0; i < c->node->topology.shards; i++) {
        c->messages[i] = (struct message_schema){
            .head = {.from = ENDPOINT_CONTROL, .to = i, .verb = VERB_SCHEMA, .needs_reply = true},
            .schema = schema,
            .event = is_event ? &c->event : NULL,
        };
        message_push(&c->out, &c->messages[i].head);
    }
}

/* Begins the change; false when it has ended at once (refused, or nothing to do). */
static bool begin(struct control *c, struct message_change *m)
{
    struct schema *fresh = NULL;
    err_t err = apply(c, m, &fresh);
    if (err == OK && fresh)
        err = persist(c, fresh, &m->fail);
    m->changed = err == OK && fresh != NULL;
    if (!m->changed) {
        if (fresh)
            schema_unref(fresh);
        message_reply(&c->out, &m->head, err);
        return false;
    }
    c->change = m;
    schema_unref(c->schema);
    c->schema = fresh;
    publish(c, fresh, !m->truncate);
    return true;
}

static void begin_next(struct control *c)
{
    struct message *m;
    while (c->change == NULL && (m = message_pop(&c->waiting)))
        if (begin(c, container_of(m, struct message_change, head)))
            return;
}

void control_message(struct control *c, struct now now, struct message *m)
{
    c->now = now;
    if (!m->is_reply) {
        ensure(m->verb == VERB_CHANGE);
        message_push(&c->waiting, m);
        begin_next(c);
        return;
    }
    ensure(m->verb == VERB_SCHEMA && c->pending > 0);
    if (--c->pending)
        return;
    struct message_change *done = c->change;
    c->change = NULL;
    message_reply(&c->out, &done->head, OK);
    begin_next(c);
}
