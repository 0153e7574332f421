/* DESCRIBE text. The layout (indentation, order of options, two blanks before AND durable_writes) is Cassandra's. */
#include "cql/schema/describe.h"

#include "cql/schema/schema_priv.h"
#include "cql/types/number.h"
#include "cql/types/value.h"

#include <stdlib.h>

void describe_string(struct bytes text, struct buf *out)
{
    buf_u8(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buf_u8(out, '\'');
        buf_u8(out, text.p[i]);
    }
    buf_u8(out, '\'');
}

void describe_map(const struct option_map *m, struct buf *out)
{
    buf_u8(out, '{');
    for (size_t i = 0; i < m->count; i++) {
        if (i)
            buf_put_str(out, ", ");
        describe_string(m->items[i].key, out);
        buf_put_str(out, ": ");
        describe_string(m->items[i].value, out);
    }
    buf_u8(out, '}');
}

static void qualified_name(struct bytes keyspace, struct bytes name, struct buf *out)
{
    identifier_print(keyspace, out);
    buf_u8(out, '.');
    identifier_print(name, out);
}

/* --- Keyspaces and types ------------------------------------------------------------------------ */

void describe_keyspace(const struct keyspace *ks, struct buf *out)
{
    if (ks->is_virtual) {
        buf_put_str(out, "/*\nWarning: Keyspace ");
        identifier_print(ks->name, out);
        buf_put_str(out, " is a virtual keyspace and cannot be recreated with CQL.\nStructure, for "
                         "reference:\nVIRTUAL KEYSPACE ");
        identifier_print(ks->name, out);
        buf_put_str(out, ";\n*/");
        return;
    }
    static const char package[] = "org.apache.cassandra.locator.";
    struct bytes class = option_map_get_str(&ks->replication.options, "class");
    buf_put_str(out, "CREATE KEYSPACE ");
    identifier_print(ks->name, out);
    buf_put_str(out, " WITH replication = {'class': ");
    describe_string(
        bytes_starts_with(class, bytes_str(package)) ? bytes_skip(class, strlen(package)) : class,
        out);
    for (size_t i = 0; i < ks->replication.options.count; i++) {
        const struct option_pair *o = &ks->replication.options.items[i];
        if (bytes_equal_str(o->key, "class"))
            continue;
        buf_put_str(out, ", ");
        describe_string(o->key, out);
        buf_put_str(out, ": ");
        describe_string(o->value, out);
    }
    buf_printf(out, "}  AND durable_writes = %s;", ks->durable_writes ? "true" : "false");
}

void describe_type(const struct user_type *ut, struct buf *out)
{
    buf_put_str(out, "CREATE TYPE ");
    qualified_name(ut->keyspace, ut->name, out);
    buf_put_str(out, " (");
    for (size_t i = 0; i < ut->type->params_count; i++) {
        buf_put_str(out, i ? ",\n    " : "\n    ");
        identifier_print(ut->type->field_names[i], out);
        buf_u8(out, ' ');
        type_print(ut->type->params[i], out);
    }
    buf_put_str(out, "\n);");
}

struct types_order {
    const struct keyspace *ks;
    struct user_type **out;
    size_t count;
};

static void add_in_order(struct types_order *o, struct user_type *ut);

/* First whatever t is made of. Types nest at most TYPE_DEPTH_MAX deep. */
static void add_parts(struct types_order *o, const struct type *t)
{
    for (size_t i = 0; i < t->params_count; i++) {
        const struct type *part = t->params[i];
        struct user_type *ut = part->id == TYPE_UDT ? keyspace_type(o->ks, part->name) : NULL;
        if (ut)
            add_in_order(o, ut);
        else
            add_parts(o, part);
    }
}

static void add_in_order(struct types_order *o, struct user_type *ut)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->out[i] == ut)
            return;
    add_parts(o, ut->type);
    o->out[o->count++] = ut;
}

struct user_type **describe_types_order(const struct keyspace *ks, struct arena *a)
{
    struct types_order o = {ks, arena_array(a, struct user_type *, ks->types_count), 0};
    for (size_t i = 0; i < ks->types_count; i++)
        add_in_order(&o, ks->types[i]);
    return o.out;
}

/* --- Tables --------------------------------------------------------------------------------------- */

static void column_definition(struct bytes name, const struct type *type, bool is_static,
                              struct buf *out)
{
    identifier_print(name, out);
    buf_u8(out, ' ');
    type_print(type, out);
    if (is_static)
        buf_put_str(out, " static");
}

static const struct dropped_column *find_dropped(const struct table *t, struct bytes name)
{
    for (size_t i = 0; i < t->dropped_count; i++)
        if (bytes_equal(t->dropped[i].name, name))
            return &t->dropped[i];
    return NULL;
}

/* Cassandra keeps the columns of one kind in two parts: those of one cell, then those of several. */
static size_t create_order(const struct table *t, const struct column **order)
{
    size_t count = 0;
    for (int kind = COLUMN_PARTITION_KEY; kind <= COLUMN_REGULAR; kind++)
        for (int multicell = 0; multicell < 2; multicell++)
            for (size_t i = 0; i < t->columns_count; i++)
                if ((int)t->columns[i].kind == kind &&
                    type_is_multicell(t->columns[i].type) == multicell)
                    order[count++] = &t->columns[i];
    return count;
}

/* Java's ByteBuffer.hashCode. */
static uint32_t java_hash(struct bytes name)
{
    uint32_t h = 1;
    for (size_t i = name.n; i-- > 0;)
        h = 31 * h + (uint32_t)(int8_t)name.p[i];
    return h ^ h >> 16;
}

/* Cassandra keeps dropped columns in a HashMap and prints them in its order. malloc'ed. */
static const struct dropped_column **dropped_order(const struct table *t)
{
    const struct dropped_column **order = calloc(t->dropped_count + 1, sizeof *order);
    ensure(order != NULL);
    uint32_t buckets = 16;
    while (t->dropped_count > buckets * 3 / 4)
        buckets *= 2;
    size_t count = 0;
    for (uint32_t bucket = 0; bucket < buckets && count < t->dropped_count; bucket++)
        for (size_t i = 0; i < t->dropped_count; i++)
            if ((java_hash(t->dropped[i].name) & (buckets - 1)) == bucket)
                order[count++] = &t->dropped[i];
    return order;
}

static void column_definitions(const struct table *t, bool with_dropped, bool inline_key,
                               struct buf *out)
{
    const struct column **order = calloc((size_t)t->columns_count + 1, sizeof *order);
    ensure(order != NULL);
    size_t count = create_order(t, order);
    for (size_t i = 0; i < count; i++) {
        const struct column *c = order[i];
        /* A column that was dropped and added again is printed as what was dropped; ALTERs follow the table. */
        if (with_dropped && find_dropped(t, c->name))
            continue;
        buf_put_str(out, "    ");
        column_definition(c->name, c->type, c->kind == COLUMN_STATIC, out);
        if (inline_key && c->kind == COLUMN_PARTITION_KEY)
            buf_put_str(out, " PRIMARY KEY");
        if (!inline_key || (with_dropped && t->dropped_count) || i + 1 < count)
            buf_u8(out, ',');
        buf_u8(out, '\n');
    }
    free(order);
    if (!with_dropped)
        return;
    const struct dropped_column **dropped = dropped_order(t);
    for (size_t i = 0; i < t->dropped_count; i++) {
        const struct dropped_column *d = dropped[i];
        buf_put_str(out, "    ");
        column_definition(d->name, d->type, d->kind == COLUMN_STATIC, out);
        if (!inline_key || i + 1 < t->dropped_count)
            buf_u8(out, ',');
        buf_u8(out, '\n');
    }
    free(dropped);
}

static void primary_key(const struct table *t, struct buf *out)
{
    buf_put_str(out, "    PRIMARY KEY (");
    if (t->pk_count > 1)
        buf_u8(out, '(');
    for (uint16_t i = 0; i < t->pk_count; i++) {
        if (i)
            buf_put_str(out, ", ");
        identifier_print(table_pk(t, i)->name, out);
    }
    if (t->pk_count > 1)
        buf_u8(out, ')');
    for (uint16_t i = 0; i < t->ck_count; i++) {
        buf_put_str(out, ", ");
        identifier_print(table_ck(t, i)->name, out);
    }
    buf_put_str(out, ")\n");
}

static void put_double(const char *name, double v, struct buf *out)
{
    buf_printf(out, "\n    AND %s = ", name);
    java_print_double(v, out);
}

static void put_map(const char *name, const struct option_map *m, struct buf *out)
{
    buf_printf(out, "\n    AND %s = ", name);
    describe_map(m, out);
}

static void put_text(const char *name, struct bytes text, struct buf *out)
{
    buf_printf(out, "\n    AND %s = ", name);
    describe_string(text, out);
}

static void put_bool(const char *name, bool v, struct buf *out)
{
    buf_printf(out, "\n    AND %s = %s", name, v ? "true" : "false");
}

static void put_int(const char *name, int32_t v, struct buf *out)
{
    buf_printf(out, "\n    AND %s = %d", name, v);
}

/* Ours is printed as an option of its own. */
static void put_extensions(const struct option_map *m, struct buf *out)
{
    const char *separator = "";
    buf_put_str(out, "\n    AND extensions = {");
    for (size_t i = 0; i < m->count; i++) {
        if (bytes_equal_str(m->items[i].key, "tombstone_gc"))
            continue;
        buf_put_str(out, separator);
        describe_string(m->items[i].key, out);
        buf_put_str(out, ": 0x");
        for (size_t j = 0; j < m->items[i].value.n; j++)
            buf_printf(out, "%02x", m->items[i].value.p[j]);
        separator = ", ";
    }
    buf_u8(out, '}');
}

static void put_tombstone_gc(const struct option_map *extensions, struct buf *out)
{
    if (!option_map_get_str(extensions, "tombstone_gc").p)
        return;
    struct tombstone_gc gc = tombstone_gc_read(extensions);
    buf_printf(out, "\n    AND tombstone_gc = {'mode': '%s', 'propagation_delay_in_seconds': '%d'}",
               tombstone_gc_mode_name(gc.mode), gc.propagation_delay_s);
}

/* In alphabetical order, but for memtable, as Cassandra prints them. */
static void table_options(const struct table_options *o, struct buf *out)
{
    buf_put_str(out, "additional_write_policy = ");
    describe_string(o->additional_write_policy, out);
    put_bool("allow_auto_snapshot", o->allow_auto_snapshot, out);
    put_double("bloom_filter_fp_chance", o->bloom_filter_fp_chance, out);
    put_map("caching", &o->caching, out);
    put_bool("cdc", o->cdc, out);
    put_text("comment", o->comment, out);
    put_map("compaction", &o->compaction, out);
    put_map("compression", &o->compression, out);
    put_text("memtable", o->memtable, out);
    put_double("crc_check_chance", o->crc_check_chance, out);
    put_int("default_time_to_live", o->default_time_to_live, out);
    put_extensions(&o->extensions, out);
    put_int("gc_grace_seconds", o->gc_grace_seconds, out);
    put_bool("incremental_backups", o->incremental_backups, out);
    put_int("max_index_interval", o->max_index_interval, out);
    put_int("memtable_flush_period_in_ms", o->memtable_flush_period_in_ms, out);
    put_int("min_index_interval", o->min_index_interval, out);
    put_text("read_repair", o->read_repair, out);
    put_text("speculative_retry", o->speculative_retry, out);
    put_tombstone_gc(&o->extensions, out);
}

static void clustering_order(const struct table *t, struct buf *out)
{
    if (t->ck_count == 0 && !t->is_compact)
        return;
    buf_put_str(out, "CLUSTERING ORDER BY (");
    for (uint16_t i = 0; i < t->ck_count; i++) {
        if (i)
            buf_put_str(out, ", ");
        identifier_print(table_ck(t, i)->name, out);
        buf_put_str(out, table_ck(t, i)->desc ? " DESC" : " ASC");
    }
    /* Cassandra keeps such a table with a clustering column that nobody sees. */
    if (t->ck_count == 0)
        buf_put_str(out, "column1 ASC");
    buf_put_str(out, ")\n    AND ");
}

static void with_clause(const struct table *t, bool with_internals, struct buf *out)
{
    buf_put_str(out, ") WITH ");
    if (t->is_compact)
        buf_put_str(out, "COMPACT STORAGE\n    AND ");
    if (with_internals) {
        buf_put_str(out, "ID = ");
        uuid_print(t->id.b, out);
        buf_put_str(out, "\n    AND ");
    }
    clustering_order(t, out);
    if (t->is_virtual) {
        buf_put_str(out, "comment = ");
        describe_string(t->options.comment, out);
    } else {
        table_options(&t->options, out);
    }
    buf_u8(out, ';');
}

static void alters_of_dropped(const struct table *t, struct buf *out)
{
    const struct dropped_column **order = dropped_order(t);
    for (size_t i = 0; i < t->dropped_count; i++) {
        const struct dropped_column *d = order[i];
        buf_put_str(out, "\nALTER TABLE ");
        qualified_name(t->keyspace, t->name, out);
        buf_put_str(out, " DROP ");
        identifier_print(d->name, out);
        buf_printf(out, " USING TIMESTAMP %lld;", (long long)d->dropped_us);
        const struct column *c = table_column(t, d->name);
        if (!c)
            continue;
        buf_put_str(out, "\nALTER TABLE ");
        qualified_name(t->keyspace, t->name, out);
        buf_put_str(out, " ADD ");
        column_definition(c->name, c->type, c->kind == COLUMN_STATIC, out);
        buf_u8(out, ';');
    }
    free(order);
}

static void warning(const struct table *t, struct buf *out)
{
    if (t->is_virtual) {
        buf_put_str(out, "/*\nWarning: Table ");
        qualified_name(t->keyspace, t->name, out);
        buf_put_str(
            out,
            " is a virtual table and cannot be recreated with CQL.\nStructure, for reference:\n");
    } else if (t->is_compact) {
        buf_put_str(out, "/*\nWarning: Table ");
        qualified_name(t->keyspace, t->name, out);
        buf_put_str(out, " omitted because it has constructs not compatible with CQL (was created "
                         "via legacy API).\n"
                         "Approximate structure, for reference:\n"
                         "(this should not be used to reproduce this schema)\n\n");
    }
}

void describe_table(const struct table *t, bool with_internals, struct buf *out)
{
    bool inline_key = t->pk_count == 1 && t->ck_count == 0 && !t->is_compact;
    warning(t, out);
    buf_put_str(out, t->is_virtual ? "VIRTUAL TABLE " : "CREATE TABLE ");
    qualified_name(t->keyspace, t->name, out);
    buf_put_str(out, " (\n");
    column_definitions(t, with_internals, inline_key, out);
    if (!inline_key)
        primary_key(t, out);
    with_clause(t, with_internals, out);
    if (t->is_virtual)
        buf_put_str(out, "\n*/");
    if (with_internals)
        alters_of_dropped(t, out);
    if (t->is_compact && !t->is_virtual)
        buf_put_str(out, "\n*/");
}
