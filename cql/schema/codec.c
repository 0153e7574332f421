/* The schema as flat bytes: what a node keeps on disk and sends to others, and what the version is a digest of.
 *
 *     schema   = version(1) epoch next_slot { keyspace }          each record and field body has its length in front
 *     keyspace = { tag length body }
 *
 * An even tag is optional: who does not know it keeps its bytes (`extra`) and writes them again. An odd tag is mandatory: who
 * does not know it refuses the whole. Built-in keyspaces are not written, but for the replication of those that are
 * replicated, as users may alter that. Bytes may come from anywhere, so decode checks everything that schema_finish() and the
 * look-ups rely on, and reports ERR_CORRUPT. */
#include "cql/schema/schema_priv.h"

#define FORMAT_VERSION 1
#define NAME_BYTES_MAX 65535
#define FIELDS_MAX     32768

enum { KS_NAME = 1, KS_REPLICATION = 3, KS_FLAGS = 5, KS_TYPE = 7, KS_TABLE = 9 };
enum {
    TABLE_NAME = 1,
    TABLE_ID = 3,
    TABLE_STORAGE = 5,
    TABLE_FLAGS = 7,
    TABLE_COLUMN = 9,
    TABLE_DROPPED = 11,
    TABLE_NEXT_COLUMN_ID = 13,
    TABLE_OPTIONS = 15
};
enum { FLAG_DURABLE_WRITES = 1 };
enum { FLAG_COUNTER = 1, FLAG_COMPACT = 2 };
enum { CODE_EMPTY = 0xF0, CODE_VECTOR = 0xF1, CODE_CUSTOM = 0xF2 };

/* On disk a type is its protocol id; those without one have a code of ours. */
static uint8_t code_of(enum type_id id)
{
    switch (id) {
    case TYPE_EMPTY: return CODE_EMPTY;
    case TYPE_VECTOR: return CODE_VECTOR;
    case TYPE_CUSTOM: return CODE_CUSTOM;
    default: break;
    }
    static const uint8_t codes[] = {
#define X(name, cql, protocol_id, length, class_name) [TYPE_##name] = protocol_id,
#include "cql/types/types.def"
#undef X
    };
    return codes[id];
}

static bool type_of_code(uint8_t code, enum type_id *id)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (code_of((enum type_id)i) == code) {
            *id = (enum type_id)i;
            return true;
        }
    return false;
}

static void put_type(struct buf *b, const struct type *t)
{
    buf_u8(b, code_of(t->id));
    buf_u8(b, t->frozen);
    switch (t->id) {
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP: break;
    case TYPE_VECTOR: buf_varint(b, t->dimension); break;
    case TYPE_TUPLE: buf_varint(b, t->params_count); break;
    case TYPE_UDT:
        buf_lstr(b, t->keyspace);
        buf_lstr(b, t->name);
        buf_varint(b, t->params_count);
        for (size_t i = 0; i < t->params_count; i++)
            buf_lstr(b, t->field_names[i]);
        break;
    case TYPE_CUSTOM: buf_lstr(b, t->name); return;
    default: return;
    }
    for (size_t i = 0; i < t->params_count; i++)
        put_type(b, t->params[i]);
}

/* A field whose body was built in *body, which is emptied. */
static void put_field(struct buf *b, uint64_t tag, struct buf *body)
{
    buf_varint(b, tag);
    buf_lstr(b, buf_bytes(body));
    body->n = 0;
}

static void put_bytes_field(struct buf *b, uint64_t tag, struct bytes v)
{
    buf_varint(b, tag);
    buf_lstr(b, v);
}

static void put_int_field(struct buf *b, uint64_t tag, int64_t v)
{
    struct buf body = {0};
    buf_zigzag(&body, v);
    put_field(b, tag, &body);
    buf_free(&body);
}

static void put_double_field(struct buf *b, uint64_t tag, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    struct buf body = {0};
    buf_be64(&body, bits);
    put_field(b, tag, &body);
    buf_free(&body);
}

static void put_map(struct buf *b, const struct option_map *m)
{
    buf_varint(b, m->count);
    for (size_t i = 0; i < m->count; i++) {
        buf_lstr(b, m->items[i].key);
        buf_lstr(b, m->items[i].value);
    }
}

static void put_map_field(struct buf *b, uint64_t tag, const struct option_map *m)
{
    struct buf body = {0};
    put_map(&body, m);
    put_field(b, tag, &body);
    buf_free(&body);
}

/* Every table option: X(tag, kind, member). All are optional: one that is absent has Cassandra's default. */
#define TABLE_OPTIONS_LIST(X)               \
    X(2, bytes, additional_write_policy)    \
    X(4, int, allow_auto_snapshot)          \
    X(6, int, incremental_backups)          \
    X(8, int, cdc)                          \
    X(10, double, bloom_filter_fp_chance)   \
    X(12, double, crc_check_chance)         \
    X(14, map, caching)                     \
    X(16, map, compaction)                  \
    X(18, map, compression)                 \
    X(20, map, extensions)                  \
    X(22, bytes, comment)                   \
    X(24, bytes, memtable)                  \
    X(26, bytes, read_repair)               \
    X(28, bytes, speculative_retry)         \
    X(30, int, default_time_to_live)        \
    X(32, int, gc_grace_seconds)            \
    X(34, int, memtable_flush_period_in_ms) \
    X(36, int, min_index_interval)          \
    X(38, int, max_index_interval)

#define put_int_option(b, tag, v)    put_int_field(b, tag, v)
#define put_double_option(b, tag, v) put_double_field(b, tag, v)
#define put_bytes_option(b, tag, v)  put_bytes_field(b, tag, v)
#define put_map_option(b, tag, v)    put_map_field(b, tag, &(v))

static void put_options(struct buf *b, const struct table_options *o)
{
#define X(tag, kind, member) put_##kind##_option(b, tag, o->member);
    TABLE_OPTIONS_LIST(X)
#undef X
}

static void put_column(struct buf *b, const struct column *c)
{
    buf_lstr(b, c->name);
    buf_u8(b, (uint8_t)c->kind);
    buf_u8(b, c->desc);
    buf_varint(b, c->position);
    buf_varint(b, c->id);
    put_type(b, c->type);
}

static void put_dropped(struct buf *b, const struct dropped_column *d)
{
    buf_lstr(b, d->name);
    buf_u8(b, (uint8_t)d->kind);
    buf_zigzag(b, d->dropped_us);
    buf_varint(b, d->id);
    put_type(b, d->type);
}

static void put_table(struct buf *b, const struct table *t, bool with_storage)
{
    struct buf body = {0};
    put_bytes_field(b, TABLE_NAME, t->name);
    put_bytes_field(b, TABLE_ID, bytes_of(t->id.b, sizeof t->id.b));
    if (with_storage) {
        buf_varint(&body, t->slot);
        buf_varint(&body, t->incarnation);
        put_field(b, TABLE_STORAGE, &body);
    }
    buf_varint(&body, (t->is_counter ? FLAG_COUNTER : 0) | (t->is_compact ? FLAG_COMPACT : 0));
    put_field(b, TABLE_FLAGS, &body);
    buf_varint(&body, t->next_column_id);
    put_field(b, TABLE_NEXT_COLUMN_ID, &body);
    for (size_t i = 0; i < t->columns_count; i++) {
        put_column(&body, &t->columns[i]);
        put_field(b, TABLE_COLUMN, &body);
    }
    for (size_t i = 0; i < t->dropped_count; i++) {
        put_dropped(&body, &t->dropped[i]);
        put_field(b, TABLE_DROPPED, &body);
    }
    put_options(&body, &t->options);
    put_field(b, TABLE_OPTIONS, &body);
    buf_put_bytes(b, t->extra);
    buf_free(&body);
}

static void put_keyspace(struct buf *b, const struct keyspace *ks, bool with_storage)
{
    struct buf body = {0};
    put_bytes_field(b, KS_NAME, ks->name);
    put_map_field(b, KS_REPLICATION, &ks->replication.options);
    buf_varint(&body, ks->durable_writes ? FLAG_DURABLE_WRITES : 0);
    put_field(b, KS_FLAGS, &body);
    if (!ks->is_system) {
        for (size_t i = 0; i < ks->types_count; i++) {
            buf_lstr(&body, ks->types[i]->name);
            put_type(&body, ks->types[i]->type);
            put_field(b, KS_TYPE, &body);
        }
        for (size_t i = 0; i < ks->tables_count; i++) {
            put_table(&body, ks->tables[i], with_storage);
            put_field(b, KS_TABLE, &body);
        }
    }
    buf_put_bytes(b, ks->extra);
    buf_free(&body);
}

static void put_keyspaces(struct buf *b, const struct schema *s, bool with_storage)
{
    struct buf body = {0};
    for (size_t i = 0; i < s->keyspaces_count; i++) {
        const struct keyspace *ks = s->keyspaces[i];
        if (ks->is_system && ks->replication.class == REPLICATION_LOCAL)
            continue;
        put_keyspace(&body, ks, with_storage);
        buf_lstr(b, buf_bytes(&body));
        body.n = 0;
    }
    buf_free(&body);
}

void schema_encode(const struct schema *s, struct buf *out)
{
    buf_u8(out, FORMAT_VERSION);
    buf_varint(out, s->epoch);
    buf_varint(out, s->next_slot);
    put_keyspaces(out, s, true);
}

void schema_encode_for_version(const struct schema *s, struct buf *out)
{
    put_keyspaces(out, s, false);
}

/* --- Reading --------------------------------------------------------------------------------- */

struct reader {
    struct schema *s;
    struct arena *a; /* of s */
    struct fail *fail;
};

static err_t corrupt(struct reader *r, const char *what)
{
    return fail_set(r->fail, ERR_CORRUPT, "The schema does not decode: %s", what);
}

static err_t read_name(struct reader *r, struct cur *c, struct bytes *out)
{
    struct bytes name = cur_lstr(c);
    if (!cur_ok(c) || name.n == 0 || name.n > NAME_BYTES_MAX)
        return corrupt(r, "bad name");
    *out = arena_dup(r->a, name);
    return OK;
}

static err_t read_type(struct reader *r, struct cur *c, unsigned depth, const struct type **out);

static err_t read_params(struct reader *r, struct cur *c, unsigned depth, size_t count,
                         const struct type ***out)
{
    /* Each type takes two bytes at least, so the count is bounded by what is there. */
    if (count == 0 || count > FIELDS_MAX || count > cur_left(c))
        return corrupt(r, "bad number of types");
    *out = arena_array(r->a, const struct type *, count);
    for (size_t i = 0; i < count; i++)
        TRY(read_type(r, c, depth + 1, &(*out)[i]));
    return OK;
}

static err_t read_udt(struct reader *r, struct cur *c, unsigned depth, bool frozen,
                      const struct type **out)
{
    struct bytes keyspace, name;
    TRY(read_name(r, c, &keyspace));
    TRY(read_name(r, c, &name));
    uint64_t count = cur_varint(c);
    if (!cur_ok(c) || count == 0 || count > FIELDS_MAX || count > cur_left(c))
        return corrupt(r, "bad user type");
    struct bytes *names = arena_array(r->a, struct bytes, count);
    for (size_t i = 0; i < count; i++)
        TRY(read_name(r, c, &names[i]));
    const struct type **params;
    TRY(read_params(r, c, depth, (size_t)count, &params));
    *out = type_udt(r->a, keyspace, name, names, params, (uint16_t)count, frozen);
    return OK;
}

static err_t read_type(struct reader *r, struct cur *c, unsigned depth, const struct type **out)
{
    if (depth > TYPE_DEPTH_MAX)
        return corrupt(r, "types nest too deep");
    uint8_t code = cur_u8(c);
    uint8_t frozen = cur_u8(c);
    enum type_id id;
    if (!cur_ok(c) || frozen > 1 || !type_of_code(code, &id))
        return corrupt(r, "unknown type");
    const struct type **params;
    switch (id) {
    case TYPE_LIST:
    case TYPE_SET:
        TRY(read_params(r, c, depth, 1, &params));
        *out = (id == TYPE_LIST ? type_list : type_set)(r->a, params[0], frozen);
        return OK;
    case TYPE_MAP:
        TRY(read_params(r, c, depth, 2, &params));
        *out = type_map(r->a, params[0], params[1], frozen);
        return OK;
    case TYPE_TUPLE: {
        uint64_t count = cur_varint(c);
        if (!cur_ok(c) || count > FIELDS_MAX)
            return corrupt(r, "bad tuple");
        TRY(read_params(r, c, depth, (size_t)count, &params));
        *out = type_tuple(r->a, params, (uint16_t)count);
        return OK;
    }
    case TYPE_VECTOR: {
        uint64_t dimension = cur_varint(c);
        if (!cur_ok(c) || dimension == 0 || dimension > INT32_MAX)
            return corrupt(r, "bad vector");
        TRY(read_params(r, c, depth, 1, &params));
        *out = type_vector(r->a, params[0], (uint32_t)dimension);
        return OK;
    }
    case TYPE_UDT: return read_udt(r, c, depth, frozen, out);
    case TYPE_CUSTOM: {
        struct type *t = arena_new(r->a, struct type);
        t->id = TYPE_CUSTOM;
        TRY(read_name(r, c, &t->name));
        *out = t;
        return OK;
    }
    default: *out = type_native(id); return OK;
    }
}

static err_t read_map(struct reader *r, struct bytes body, struct option_map *out)
{
    struct cur c = cur_of(body);
    uint64_t count = cur_varint(&c);
    if (!cur_ok(&c) || count > cur_left(&c))
        return corrupt(r, "bad map of options");
    *out = (struct option_map){arena_array(r->a, struct option_pair, count), (size_t)count};
    for (size_t i = 0; i < count; i++) {
        struct bytes key = cur_lstr(&c), value = cur_lstr(&c);
        if (!cur_ok(&c))
            return corrupt(r, "bad map of options");
        if (i > 0 && bytes_compare(out->items[i - 1].key, key) >= 0)
            return corrupt(r, "map of options is not sorted");
        out->items[i] = (struct option_pair){arena_dup(r->a, key), arena_dup(r->a, value)};
    }
    return cur_at_end(&c) ? OK : corrupt(r, "bad map of options");
}

/* The next field of a record; false at its end. */
static bool next_field(struct cur *c, uint64_t *tag, struct bytes *body, bool *bad)
{
    if (cur_at_end(c))
        return false;
    *tag = cur_varint(c);
    *body = cur_lstr(c);
    *bad = !cur_ok(c);
    return !*bad;
}

/* Keeps a field that this version does not know, if it may be unknown. */
static err_t unknown_field(struct reader *r, uint64_t tag, struct bytes body, struct buf *extra)
{
    if (tag & 1)
        return corrupt(r, "a field of a newer version that must be understood");
    if (extra->arena == NULL)
        *extra = buf_in(r->a);
    buf_varint(extra, tag);
    buf_lstr(extra, body);
    return OK;
}

static err_t read_int(struct reader *r, struct bytes body, int64_t min, int64_t max, int64_t *out)
{
    struct cur c = cur_of(body);
    *out = cur_zigzag(&c);
    if (!cur_ok(&c) || !cur_at_end(&c) || *out < min || *out > max)
        return corrupt(r, "bad number in table options");
    return OK;
}

static err_t read_int_option(struct reader *r, struct bytes body, int32_t *out)
{
    int64_t v;
    TRY(read_int(r, body, INT32_MIN, INT32_MAX, &v));
    *out = (int32_t)v;
    return OK;
}

static err_t read_bool_option(struct reader *r, struct bytes body, bool *out)
{
    int64_t v;
    TRY(read_int(r, body, 0, 1, &v));
    *out = v != 0;
    return OK;
}

static err_t read_double_option(struct reader *r, struct bytes body, double *out)
{
    if (body.n != 8)
        return corrupt(r, "bad number in table options");
    uint64_t bits = load_be64(body.p);
    memcpy(out, &bits, sizeof *out);
    return OK;
}

static err_t read_bytes_option(struct reader *r, struct bytes body, struct bytes *out)
{
    *out = arena_dup(r->a, body);
    return OK;
}

#define read_int_or_bool(r, body, out) \
    _Generic((out), bool * : read_bool_option, int32_t * : read_int_option)(r, body, out)
#define read_option_int(r, body, out)    read_int_or_bool(r, body, out)
#define read_option_double(r, body, out) read_double_option(r, body, out)
#define read_option_bytes(r, body, out)  read_bytes_option(r, body, out)
#define read_option_map(r, body, out)    read_map(r, body, out)

static err_t read_options(struct reader *r, struct bytes record, struct table_options *o)
{
    struct cur c = cur_of(record);
    uint64_t tag;
    struct bytes body;
    bool bad = false;
    while (next_field(&c, &tag, &body, &bad)) {
        switch (tag) {
#define X(number, kind, member) \
    case number: TRY(read_option_##kind(r, body, &o->member)); break;
            TABLE_OPTIONS_LIST(X)
#undef X
        default:
            if (tag & 1)
                return corrupt(r, "an option of a newer version that must be understood");
        }
    }
    return bad ? corrupt(r, "bad table options") : OK;
}

static err_t read_column(struct reader *r, struct table *t, struct bytes body)
{
    struct cur c = cur_of(body);
    struct column *column = &t->columns[t->columns_count];
    TRY(read_name(r, &c, &column->name));
    uint8_t kind = cur_u8(&c), desc = cur_u8(&c);
    uint64_t position = cur_varint(&c), id = cur_varint(&c);
    if (!cur_ok(&c) || kind > COLUMN_REGULAR || desc > 1 || position > UINT16_MAX ||
        id > UINT32_MAX)
        return corrupt(r, "bad column");
    column->kind = (enum column_kind)kind;
    column->desc = desc;
    column->position = (uint16_t)position;
    column->id = (uint32_t)id;
    TRY(read_type(r, &c, 0, &column->type));
    if (!cur_at_end(&c))
        return corrupt(r, "bad column");
    t->columns_count++;
    return OK;
}

static err_t read_dropped(struct reader *r, struct table *t, struct bytes body)
{
    struct cur c = cur_of(body);
    struct dropped_column *d = &t->dropped[t->dropped_count];
    TRY(read_name(r, &c, &d->name));
    uint8_t kind = cur_u8(&c);
    d->dropped_us = cur_zigzag(&c);
    uint64_t id = cur_varint(&c);
    if (!cur_ok(&c) || kind > COLUMN_REGULAR || id > UINT32_MAX)
        return corrupt(r, "bad dropped column");
    d->kind = (enum column_kind)kind;
    d->id = (uint32_t)id;
    TRY(read_type(r, &c, 0, &d->type));
    if (!cur_at_end(&c))
        return corrupt(r, "bad dropped column");
    t->dropped_count++;
    return OK;
}

/* What schema_finish() and every user of a table relies on. */
static err_t check_table(struct reader *r, struct table *t)
{
    if (t->name.n == 0)
        return corrupt(r, "table without a name");
    if (t->next_column_id > SCHEMA_COLUMN_ID_MAX)
        return corrupt(r, "too many columns");
    if (t->slot < SCHEMA_SLOT_USER_FIRST || t->slot >= r->s->next_slot)
        return corrupt(r, "bad slot");
    uint16_t pk = 0, ck = 0;
    uint8_t *seen = arena_array(r->a, uint8_t, (size_t)t->next_column_id + 1);
    struct map names = {0};
    err_t err = OK;
    for (size_t i = 0; i < t->columns_count && err == OK; i++) {
        const struct column *c = &t->columns[i];
        if (c->id == 0 || c->id >= t->next_column_id || seen[c->id]++)
            err = corrupt(r, "column ids are not unique");
        else if (map_put(&names, c->name, t))
            err = corrupt(r, "two columns of one name");
        pk += c->kind == COLUMN_PARTITION_KEY;
        ck += c->kind == COLUMN_CLUSTERING;
    }
    map_free(&names);
    TRY(err);
    if (pk == 0)
        return corrupt(r, "table without a partition key");
    uint8_t *positions = arena_array(r->a, uint8_t, (size_t)pk + ck);
    for (size_t i = 0; i < t->columns_count; i++) {
        const struct column *c = &t->columns[i];
        if (c->kind > COLUMN_CLUSTERING)
            continue;
        size_t count = c->kind == COLUMN_PARTITION_KEY ? pk : ck;
        if (c->position >= count ||
            positions[(c->kind == COLUMN_CLUSTERING ? pk : 0) + c->position]++)
            return corrupt(r, "positions of key columns");
        if (type_is_multicell(c->type))
            return corrupt(r, "a key column of several cells");
    }
    return OK;
}

/* How many fields of the tag a record has. */
static size_t count_fields(struct bytes record, uint64_t wanted)
{
    struct cur c = cur_of(record);
    uint64_t tag;
    struct bytes body;
    bool bad;
    size_t count = 0;
    while (next_field(&c, &tag, &body, &bad))
        count += tag == wanted;
    return count;
}

static err_t read_table_field(struct reader *r, struct table *t, uint64_t tag, struct bytes body,
                              struct buf *extra)
{
    struct cur c = cur_of(body);
    switch (tag) {
    case TABLE_NAME:
        if (body.n == 0 || body.n > NAME_BYTES_MAX)
            return corrupt(r, "bad name");
        t->name = arena_dup(r->a, body);
        return OK;
    case TABLE_ID:
        if (body.n != sizeof t->id.b)
            return corrupt(r, "bad table id");
        memcpy(t->id.b, body.p, sizeof t->id.b);
        return OK;
    case TABLE_STORAGE: {
        uint64_t slot = cur_varint(&c);
        t->incarnation = cur_varint(&c);
        if (!cur_ok(&c) || slot > UINT32_MAX)
            return corrupt(r, "bad slot");
        t->slot = (uint32_t)slot;
        return OK;
    }
    case TABLE_FLAGS: {
        uint64_t flags = cur_varint(&c);
        if (!cur_ok(&c) || flags & ~(uint64_t)(FLAG_COUNTER | FLAG_COMPACT))
            return corrupt(r, "bad table flags");
        t->is_counter = flags & FLAG_COUNTER;
        t->is_compact = flags & FLAG_COMPACT;
        return OK;
    }
    case TABLE_NEXT_COLUMN_ID: {
        uint64_t id = cur_varint(&c);
        if (!cur_ok(&c) || id > SCHEMA_COLUMN_ID_MAX)
            return corrupt(r, "bad column id");
        t->next_column_id = (uint32_t)id;
        return OK;
    }
    case TABLE_COLUMN: return read_column(r, t, body);
    case TABLE_DROPPED: return read_dropped(r, t, body);
    case TABLE_OPTIONS: return read_options(r, body, &t->options);
    default: return unknown_field(r, tag, body, extra);
    }
}

static err_t read_table(struct reader *r, struct keyspace *ks, struct bytes record)
{
    struct table *t = arena_new(r->a, struct table);
    t->keyspace = ks->name;
    t->options = table_options_default(r->a);
    size_t columns_count = count_fields(record, TABLE_COLUMN);
    if (columns_count >= UINT16_MAX)
        return corrupt(r, "too many columns");
    t->columns = arena_array(r->a, struct column, columns_count);
    t->dropped = arena_array(r->a, struct dropped_column, count_fields(record, TABLE_DROPPED));
    struct cur c = cur_of(record);
    uint64_t tag;
    struct bytes body;
    bool bad = false;
    struct buf extra = {0};
    while (next_field(&c, &tag, &body, &bad))
        TRY(read_table_field(r, t, tag, body, &extra));
    if (bad)
        return corrupt(r, "bad table");
    t->extra = extra.arena ? buf_bytes(&extra) : BYTES_NULL;
    TRY(check_table(r, t));
    t->ks = ks;
    ks->tables[ks->tables_count++] = t;
    return OK;
}

static err_t read_user_type(struct reader *r, struct keyspace *ks, struct bytes body)
{
    struct cur c = cur_of(body);
    struct user_type *ut = arena_new(r->a, struct user_type);
    ut->keyspace = ks->name;
    TRY(read_name(r, &c, &ut->name));
    TRY(read_type(r, &c, 0, &ut->type));
    if (!cur_at_end(&c) || ut->type->id != TYPE_UDT || !bytes_equal(ut->type->name, ut->name))
        return corrupt(r, "bad user type");
    ks->types[ks->types_count++] = ut;
    return OK;
}

/* The name comes first in a record: tables and types refer to it. */
static err_t read_keyspace_name(struct reader *r, struct bytes record, struct bytes *name)
{
    struct cur c = cur_of(record);
    uint64_t tag;
    struct bytes body;
    bool bad;
    if (!next_field(&c, &tag, &body, &bad) || tag != KS_NAME || body.n == 0 ||
        body.n > NAME_BYTES_MAX)
        return corrupt(r, "keyspace without a name");
    *name = arena_dup(r->a, body);
    return OK;
}

static err_t read_keyspace_field(struct reader *r, struct keyspace *ks, uint64_t tag,
                                 struct bytes body, struct buf *extra)
{
    struct cur c = cur_of(body);
    switch (tag) {
    case KS_NAME: return bytes_equal(body, ks->name) ? OK : corrupt(r, "two names of a keyspace");
    case KS_REPLICATION:
        TRY(read_map(r, body, &ks->replication.options));
        if (replication_parse(r->a, &ks->replication, NULL) != OK)
            return corrupt(r, "bad replication");
        return OK;
    case KS_FLAGS: {
        uint64_t flags = cur_varint(&c);
        if (!cur_ok(&c) || flags & ~(uint64_t)FLAG_DURABLE_WRITES)
            return corrupt(r, "bad keyspace flags");
        ks->durable_writes = flags & FLAG_DURABLE_WRITES;
        return OK;
    }
    case KS_TYPE:
        return ks->is_system ? corrupt(r, "a type in a system keyspace")
                             : read_user_type(r, ks, body);
    case KS_TABLE:
        return ks->is_system ? corrupt(r, "a table in a system keyspace") : read_table(r, ks, body);
    default: return unknown_field(r, tag, body, extra);
    }
}

static err_t read_keyspace(struct reader *r, struct bytes record)
{
    struct bytes name;
    TRY(read_keyspace_name(r, record, &name));
    struct keyspace *ks = schema_find_keyspace(r->s, name);
    if (ks && (!ks->is_system || ks->replication.class == REPLICATION_LOCAL))
        return corrupt(r, "two keyspaces of one name");
    if (!ks) {
        ks = arena_new(r->a, struct keyspace);
        ks->name = name;
        ks->tables = arena_array(r->a, struct table *, count_fields(record, KS_TABLE));
        ks->types = arena_array(r->a, struct user_type *, count_fields(record, KS_TYPE));
        schema_add_keyspace(r->s, ks);
    }
    struct cur c = cur_of(record);
    uint64_t tag;
    struct bytes body;
    bool bad = false;
    struct buf extra = {0};
    while (next_field(&c, &tag, &body, &bad))
        TRY(read_keyspace_field(r, ks, tag, body, &extra));
    if (bad)
        return corrupt(r, "bad keyspace");
    if (!ks->replication.options.count)
        return corrupt(r, "keyspace without replication");
    if (ks->is_system && ks->replication.class == REPLICATION_LOCAL)
        return corrupt(r, "bad replication");
    ks->extra = extra.arena ? buf_bytes(&extra) : BYTES_NULL;
    return OK;
}

/* Names, ids and slots that must be unique over the whole schema. */
static err_t check_unique(struct reader *r)
{
    struct map names = {0}, ids = {0}, slots = {0};
    err_t err = OK;
    for (size_t i = 0; i < r->s->keyspaces_count && err == OK; i++) {
        struct keyspace *ks = r->s->keyspaces[i];
        for (size_t j = 0; j < ks->tables_count && err == OK; j++) {
            struct table *t = ks->tables[j];
            struct bytes slot = bytes_of(&t->slot, sizeof t->slot);
            struct bytes name =
                arena_printf(r->a, "%.*s%c%.*s", BYTES_FMT(ks->name), 0, BYTES_FMT(t->name));
            if (map_put(&names, name, t) || map_put(&ids, bytes_of(t->id.b, sizeof t->id.b), t) ||
                (t->slot && map_put(&slots, slot, t)))
                err = corrupt(r, "two tables of one name, id or slot");
        }
        struct map types = {0};
        for (size_t j = 0; j < ks->types_count && err == OK; j++)
            if (map_put(&types, ks->types[j]->name, ks->types[j]))
                err = corrupt(r, "two types of one name");
        map_free(&types);
    }
    map_free(&names);
    map_free(&ids);
    map_free(&slots);
    return err;
}

static err_t read_schema(struct reader *r, struct bytes b)
{
    struct cur c = cur_of(b);
    if (cur_u8(&c) != FORMAT_VERSION)
        return corrupt(r, "unknown format version");
    r->s->epoch = cur_varint(&c);
    uint64_t next_slot = cur_varint(&c);
    if (!cur_ok(&c) || next_slot < SCHEMA_SLOT_USER_FIRST || next_slot > UINT32_MAX)
        return corrupt(r, "bad header");
    r->s->next_slot = (uint32_t)next_slot;
    while (!cur_at_end(&c)) {
        struct bytes record = cur_lstr(&c);
        if (!cur_ok(&c))
            return corrupt(r, "cut off");
        TRY(read_keyspace(r, record));
    }
    return check_unique(r);
}

err_t schema_decode(struct bytes b, struct schema **out, struct fail *fail)
{
    struct schema *s = schema_new_empty();
    schema_add_builtin(s);
    struct reader r = {s, &s->arena, fail};
    err_t err = read_schema(&r, b);
    if (err != OK) {
        schema_unref(s);
        return err;
    }
    schema_finish(s);
    *out = s;
    return OK;
}
