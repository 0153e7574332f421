/* Made tables: see vtables.h. A table is made as a whole from what the node knows (system tables are small) and kept until the schema
 * changes; what changes by itself (clients) is made for each first page. */
#include "server/node/vtables.h"

#include "cql/schema/vtables.h"
#include "server/node/shard.h"
#include "storage/memtable.h"

#include <stdlib.h>

struct made {
    struct made *next;
    struct uuid table_id;
    struct memtable *rows;
};

struct vtables {
    const struct node *node;
    struct made *made;
    struct message_queue clients_waiting; /* reads of system_views.clients */
    uint16_t clients_pending;             /* shards that have not answered */
    struct memtable *clients_rows;        /* being collected */
};

/* One shard's connections; the asking shard's message, answered in place. */
struct message_clients {
    struct message head;
    struct buf
        rows; /* malloc'ed by the answering shard: values by column index, value_put() each */
};

struct vtables *vtables_new(const struct node *node)
{
    struct vtables *v = calloc(1, sizeof *v);
    ensure(v != NULL);
    v->node = node;
    return v;
}

void vtables_forget(struct vtables *v)
{
    for (struct made *m = v->made, *next; m; m = next) {
        next = m->next;
        memtable_free(m->rows);
        free(m);
    }
    v->made = NULL;
}

void vtables_free(struct vtables *v)
{
    if (v->clients_rows)
        memtable_free(v->clients_rows);
    vtables_forget(v);
    free(v);
}

/* --- Rows → memtable -------------------------------------------------------------------------------------------------------------- */

struct maker {
    struct memtable *rows;
    struct arena arena; /* of one row */
    int64_t timestamp_us;
};

static void put_multicell(struct row_builder *b, const struct column *c, struct bytes value,
                          int64_t timestamp, struct arena *a)
{
    struct collection_iter it = collection_iter(c->type, value);
    struct bytes elem;
    for (uint32_t i = 0; collection_next(&it, &elem); i++) {
        struct cell cell = {.column_id = c->id,
                            .flags = CELL_HAS_PATH,
                            .timestamp = timestamp,
                            .value = bytes_str("")};
        struct buf path = buf_in(a);
        if (c->type->id == TYPE_LIST) {
            uint8_t uuid[16];
            uuid_of_ticks(i, 0x8000010000000000, uuid);
            type_key_encode(type_native(TYPE_TIMEUUID), bytes_of(uuid, 16), false, &path);
            cell.value = elem;
        } else {
            type_key_encode(c->type->params[0], elem, false, &path);
            if (c->type->id == TYPE_MAP && !collection_next(&it, &cell.value))
                return;
        }
        cell.path = buf_bytes(&path);
        row_put_cell(b, &cell);
    }
}

static int by_column_id(const void *a, const void *b)
{
    const struct column *x = *(const struct column *const *)a,
                        *y = *(const struct column *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

/* values: by column index; serialised, multi-cell columns in their serialised form too. */
static void put_row(void *ctx, const struct table *t, const struct bytes *values)
{
    struct maker *mk = ctx;
    struct arena *a = &mk->arena;
    struct buf pk = buf_in(a), ck = buf_in(a), body = buf_in(a), mutation = buf_in(a);
    pk_encode(&pk, values, t->pk_count);
    for (uint16_t i = 0; i < t->ck_count; i++)
        type_key_encode(table_ck(t, i)->type, values[t->pk_count + i], table_ck(t, i)->desc, &ck);
    struct row_builder b;
    row_begin(&b, &body, mk->timestamp_us,
              (struct liveness){mk->timestamp_us, 0, LOCAL_DELETION_NEVER}, DELETION_NONE);
    uint16_t first = t->pk_count + t->ck_count, count = t->columns_count - first;
    const struct column **columns = arena_alloc(a, sizeof *columns * count);
    for (uint16_t i = 0; i < count; i++)
        columns[i] = &t->columns[first + i];
    qsort(columns, count, sizeof *columns, by_column_id);
    for (uint16_t i = 0; i < count; i++) {
        struct bytes v = values[columns[i]->index];
        if (bytes_is_null(v) || columns[i]->kind == COLUMN_STATIC)
            continue;
        if (type_is_multicell(columns[i]->type))
            put_multicell(&b, columns[i], v, mk->timestamp_us, a);
        else
            row_put_cell(&b, &(struct cell){.column_id = columns[i]->id,
                                            .timestamp = mk->timestamp_us,
                                            .value = v});
    }
    mutation_begin(&mutation, t, (struct wall_us){mk->timestamp_us}, buf_bytes(&pk));
    op_put_row(&mutation, buf_bytes(&ck), buf_bytes(&body));
    struct mutation m;
    err_t err = mutation_decode(buf_bytes(&mutation), &m);
    ensure(err == OK);
    err = memtable_apply(mk->rows, t, &m, 1);
    ensure(err == OK);
    arena_reset(a);
}

/* --- What the node knows ---------------------------------------------------------------------------------------------------------- */

struct made_row {
    const struct table *t;
    struct bytes *values;
    struct arena *a;
};

static void set(struct made_row *r, const char *column, struct bytes value)
{
    const struct column *c = table_column(r->t, bytes_str(column));
    if (c)
        r->values[c->index] = value;
}

static void set_str(struct made_row *r, const char *column, const char *value)
{
    set(r, column, bytes_str(value));
}

static void set_int(struct made_row *r, const char *column, int32_t value)
{
    set(r, column, value_of_i32(r->a, value));
}

static struct made_row row_new(const struct table *t, struct arena *a)
{
    return (struct made_row){
        .t = t, .values = arena_array(a, struct bytes, t->columns_count), .a = a};
}

static void make_local(const struct node *n, const struct schema *s, const struct table *t,
                       struct maker *mk)
{
    struct made_row r = row_new(t, &mk->arena);
    set_str(&r, "key", "local");
    set_str(&r, "bootstrapped", "COMPLETED");
    set(&r, "broadcast_address", n->broadcast_address);
    set_int(&r, "broadcast_port", n->storage_port);
    set(&r, "cluster_name", n->cluster_name);
    set_str(&r, "cql_version", "3.4.7");
    set(&r, "data_center", n->data_center);
    set_int(&r, "gossip_generation", n->gossip_generation);
    set(&r, "host_id", bytes_of(n->host_id.b, 16));
    set(&r, "listen_address", n->listen_address);
    set_int(&r, "listen_port", n->storage_port);
    set_str(&r, "native_protocol_version", "5");
    set_str(&r, "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner");
    set(&r, "rack", n->rack);
    set(&r, "release_version", n->release_version);
    set(&r, "rpc_address", n->rpc_address);
    set_int(&r, "rpc_port", n->native_port);
    set(&r, "schema_version", bytes_of(s->version.b, 16));
    set(&r, "tokens", n->tokens);
    put_row(mk, t, r.values);
}

static void make_settings(const struct node *n, const struct table *t, struct maker *mk)
{
    for (size_t i = 0; i < n->settings_count; i++) {
        struct made_row r = row_new(t, &mk->arena);
        set(&r, "name", n->settings[i].name);
        set(&r, "value", n->settings[i].value);
        put_row(mk, t, r.values);
    }
}

/* False: this table is known but not made yet. */
static bool make(const struct node *n, const struct schema *s, const struct table *t,
                 struct maker *mk)
{
    if (bytes_equal_str(t->keyspace, "system")) {
        if (bytes_equal_str(t->name, "local"))
            make_local(n, s, t, mk);
        return true; /* peers and the others have no rows on a node that is alone */
    }
    if (bytes_equal_str(t->keyspace, "system_views")) {
        if (!bytes_equal_str(t->name, "settings"))
            return false;
        make_settings(n, t, mk);
        return true;
    }
    vtable_rows(s, t, BYTES_NULL, put_row, mk);
    return true;
}

static struct memtable *made_rows(struct vtables *v, const struct schema *s, const struct table *t)
{
    for (struct made *m = v->made; m; m = m->next)
        if (memcmp(&m->table_id, &t->id, sizeof t->id) == 0)
            return m->rows;
    struct maker mk = {.rows = memtable_new(),
                       .timestamp_us = (int64_t)v->node->gossip_generation * 1000000};
    arena_init(&mk.arena, 16 * 1024);
    bool known = make(v->node, s, t, &mk);
    arena_free(&mk.arena);
    if (!known) {
        memtable_free(mk.rows);
        return NULL;
    }
    struct made *m = calloc(1, sizeof *m);
    ensure(m != NULL);
    m->table_id = t->id;
    m->rows = mk.rows;
    m->next = v->made;
    v->made = m;
    return m->rows;
}

/* --- system_views.clients ---------------------------------------------------------------------------------------------------------- */

static void client_row(void *ctx, const struct session_info *i)
{
    struct made_row *r = ctx;
    memset(r->values, 0, sizeof *r->values * r->t->columns_count);
    struct bytes inet;
    if (type_from_text(type_native(TYPE_INET), bytes_str(i->address), r->a, &inet, NULL) != OK)
        return;
    set(r, "address", inet);
    set_int(r, "port", i->port);
    set_str(r, "hostname", i->address);
    set_str(r, "username", "anonymous");
    set_str(r, "connection_stage", i->ready ? "ready" : "established");
    set_int(r, "protocol_version", i->protocol_version);
    set(r, "driver_name", i->driver_name);
    set(r, "driver_version", i->driver_version);
    set(r, "keyspace_name", i->keyspace);
    set(r, "request_count", value_of_i64(r->a, (int64_t)i->requests));
    set(r, "ssl_enabled", value_of_bool(r->a, false));
    set_str(r, "authentication_mode", "Unknown");
}

struct client_rows {
    struct made_row row;
    struct buf *out;
};

static void client_encode(void *ctx, const struct session_info *i)
{
    struct client_rows *c = ctx;
    client_row(&c->row, i);
    for (uint16_t k = 0; k < c->row.t->columns_count; k++)
        value_put(c->out, c->row.values[k]);
}

static const struct table *clients_table(const struct shard *s)
{
    return schema_table(s->host.schema, bytes_str("system_views"), bytes_str("clients"));
}

static void encode_clients(struct shard *s, struct buf *out)
{
    struct arena a;
    arena_init(&a, 4096);
    struct client_rows c = {.row = row_new(clients_table(s), &a), .out = out};
    session_list(&s->host, client_encode, &c);
    arena_free(&a);
}

static void put_clients(struct vtables *v, const struct table *t, struct bytes rows)
{
    struct maker mk = {.rows = v->clients_rows,
                       .timestamp_us = (int64_t)v->node->gossip_generation * 1000000};
    arena_init(&mk.arena, 4096);
    struct arena a;
    arena_init(&a, 1024);
    struct bytes *values = arena_array(&a, struct bytes, t->columns_count);
    struct cur c = cur_of(rows);
    while (!cur_at_end(&c)) {
        for (uint16_t k = 0; k < t->columns_count; k++) {
            int32_t n = (int32_t)cur_be32(&c);
            values[k] = n < 0 ? BYTES_NULL : cur_take(&c, (size_t)n);
        }
        put_row(&mk, t, values);
    }
    arena_free(&a);
    arena_free(&mk.arena);
}

static void answer(struct shard *s, struct message_read *r, const struct memtable *rows)
{
    uint64_t seq = 0;
    err_t err = read_memtable(rows, r->command, &r->position, &r->budget, &r->arena, &r->result,
                              &r->more, &seq);
    message_reply(&s->out, &r->head, err);
}

static void clients_done(struct vtables *v, struct shard *s)
{
    for (struct message *m; (m = message_pop(&v->clients_waiting));)
        answer(s, container_of(m, struct message_read, head), v->clients_rows);
}

static void clients_begin(struct vtables *v, struct shard *s, struct message_read *r)
{
    message_push(&v->clients_waiting, &r->head);
    if (v->clients_pending)
        return; /* the answers under way serve this read too */
    if (v->clients_rows)
        memtable_free(v->clients_rows);
    v->clients_rows = memtable_new();
    struct buf own = {0};
    encode_clients(s, &own);
    put_clients(v, clients_table(s), buf_bytes(&own));
    buf_free(&own);
    for (uint16_t i = 0; i < v->node->topology.shards; i++) {
        if (i == s->id)
            continue;
        struct message_clients *m = calloc(1, sizeof *m);
        ensure(m != NULL);
        m->head =
            (struct message){.from = s->id, .to = i, .verb = VERB_CLIENTS, .needs_reply = true};
        message_push(&s->out, &m->head);
        v->clients_pending++;
    }
    if (v->clients_pending == 0)
        clients_done(v, s);
}

void vtables_clients_answer(struct shard *s, struct message *m)
{
    encode_clients(s, &container_of(m, struct message_clients, head)->rows);
    message_reply(&s->out, m, OK);
}

void vtables_clients_reply(struct vtables *v, struct shard *s, struct message *m)
{
    struct message_clients *c = container_of(m, struct message_clients, head);
    put_clients(v, clients_table(s), buf_bytes(&c->rows));
    buf_free(&c->rows);
    message_free(m);
    if (--v->clients_pending == 0)
        clients_done(v, s);
}

void vtables_read(struct vtables *v, struct shard *s, struct message_read *r)
{
    const struct table *t = r->command->table;
    if (t->is_virtual && bytes_equal_str(t->keyspace, "system_views") &&
        bytes_equal_str(t->name, "clients")) {
        if (r->position.set && v->clients_rows && v->clients_pending == 0)
            answer(s, r, v->clients_rows);
        else
            clients_begin(v, s, r);
        return;
    }
    const struct memtable *rows = made_rows(v, s->host.schema, t);
    if (rows == NULL)
        message_reply(&s->out, &r->head, ERR_NOT_FOUND);
    else
        answer(s, r, rows);
}
