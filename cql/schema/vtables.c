/* Rows of the tables that describe the schema. Cassandra writes them as mutations; the columns that it leaves out (cdc while CDC
 * is off, memtable, allow_auto_snapshot and incremental_backups with their defaults) are null here too. */
#include "cql/schema/vtables.h"

#include "cql/schema/schema_priv.h"
#include "cql/types/value.h"

#include <stdlib.h>

struct rows {
    const struct schema *s;
    const struct table *t;
    void (*row)(void *ctx, const struct table *t, const struct bytes *values);
    void *ctx;
    struct arena arena; /* of one row */
    struct bytes *values;
    const struct keyspace *ks;
};

static void begin(struct rows *r)
{
    arena_reset(&r->arena);
    r->values = arena_array(&r->arena, struct bytes, r->t->columns_count);
}

static void set(struct rows *r, const char *column, struct bytes value)
{
    const struct column *c = table_column(r->t, bytes_str(column));
    ensure(c != NULL);
    r->values[c->index] = value.p ? value : bytes_str("");
}

static void set_str(struct rows *r, const char *column, const char *value)
{
    set(r, column, bytes_str(value));
}

static void set_int(struct rows *r, const char *column, int32_t value)
{
    set(r, column, value_of_i32(&r->arena, value));
}

static void set_double(struct rows *r, const char *column, double value)
{
    set(r, column, value_of_double(&r->arena, value));
}

static void set_bool(struct rows *r, const char *column, bool value)
{
    set(r, column, value_of_bool(&r->arena, value));
}

static void set_map(struct rows *r, const char *column, const struct option_map *m)
{
    struct buf b = buf_in(&r->arena);
    collection_begin(&b, (uint32_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        value_put(&b, m->items[i].key);
        value_put(&b, m->items[i].value);
    }
    set(r, column, buf_bytes(&b));
}

static void set_texts(struct rows *r, const char *column, const struct bytes *texts, size_t count)
{
    struct buf b = buf_in(&r->arena);
    collection_begin(&b, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        value_put(&b, texts[i]);
    set(r, column, buf_bytes(&b));
}

static void end(struct rows *r)
{
    r->row(r->ctx, r->t, r->values);
}

static const char *kind_name(enum column_kind kind)
{
    static const char *const names[] = {"partition_key", "clustering", "static", "regular"};
    return names[kind];
}

/* --- Keyspaces, types --------------------------------------------------------------------------- */

static void keyspace_row(struct rows *r)
{
    begin(r);
    set(r, "keyspace_name", r->ks->name);
    set_bool(r, "durable_writes", r->ks->durable_writes);
    set_map(r, "replication", &r->ks->replication.options);
    end(r);
}

static void virtual_keyspace_row(struct rows *r)
{
    begin(r);
    set(r, "keyspace_name", r->ks->name);
    end(r);
}

static void type_rows(struct rows *r)
{
    for (size_t i = 0; i < r->ks->types_count; i++) {
        const struct user_type *ut = r->ks->types[i];
        begin(r);
        set(r, "keyspace_name", r->ks->name);
        set(r, "type_name", ut->name);
        set_texts(r, "field_names", ut->type->field_names, ut->type->params_count);
        struct bytes *types = arena_array(&r->arena, struct bytes, ut->type->params_count);
        for (size_t j = 0; j < ut->type->params_count; j++)
            types[j] = type_name(ut->type->params[j], &r->arena);
        set_texts(r, "field_types", types, ut->type->params_count);
        end(r);
    }
}

/* --- Tables and columns --------------------------------------------------------------------------- */

/* Flags of the storage format that Cassandra derives from COMPACT STORAGE. A set, so sorted. */
static void set_flags(struct rows *r, const struct table *t)
{
    struct bytes flags[3];
    size_t count = 0;
    if (!t->is_compact || t->ck_count > 1)
        flags[count++] = bytes_str("compound");
    if (t->is_counter)
        flags[count++] = bytes_str("counter");
    if (t->is_compact && t->ck_count > 0)
        flags[count++] = bytes_str("dense");
    set_texts(r, "flags", flags, count);
}

static void table_row(struct rows *r, const struct table *t)
{
    const struct table_options *o = &t->options;
    begin(r);
    set(r, "keyspace_name", t->keyspace);
    set(r, "table_name", t->name);
    set(r, "additional_write_policy", o->additional_write_policy);
    if (!o->allow_auto_snapshot)
        set_bool(r, "allow_auto_snapshot", false);
    set_double(r, "bloom_filter_fp_chance", o->bloom_filter_fp_chance);
    set_map(r, "caching", &o->caching);
    set(r, "comment", o->comment);
    set_map(r, "compaction", &o->compaction);
    set_map(r, "compression", &o->compression);
    set_double(r, "crc_check_chance", o->crc_check_chance);
    set_double(r, "dclocal_read_repair_chance", 0); /* for drivers' sake */
    set_int(r, "default_time_to_live", o->default_time_to_live);
    set_map(r, "extensions", &o->extensions);
    set_flags(r, t);
    set_int(r, "gc_grace_seconds", o->gc_grace_seconds);
    set(r, "id", bytes_of(t->id.b, sizeof t->id.b));
    if (!o->incremental_backups)
        set_bool(r, "incremental_backups", false);
    set_int(r, "max_index_interval", o->max_index_interval);
    set_int(r, "memtable_flush_period_in_ms", o->memtable_flush_period_in_ms);
    set_int(r, "min_index_interval", o->min_index_interval);
    set(r, "read_repair", o->read_repair);
    set_double(r, "read_repair_chance", 0);
    set(r, "speculative_retry", o->speculative_retry);
    end(r);
}

static void virtual_table_row(struct rows *r, const struct table *t)
{
    begin(r);
    set(r, "keyspace_name", t->keyspace);
    set(r, "table_name", t->name);
    set(r, "comment", t->options.comment);
    end(r);
}

static void column_row(struct rows *r, const struct table *t, const struct column *c)
{
    bool is_key = c->kind == COLUMN_PARTITION_KEY || c->kind == COLUMN_CLUSTERING;
    begin(r);
    set(r, "keyspace_name", t->keyspace);
    set(r, "table_name", t->name);
    set(r, "column_name", c->name);
    set_str(r, "clustering_order",
            c->kind != COLUMN_CLUSTERING ? "none"
            : c->desc                    ? "desc"
                                         : "asc");
    set(r, "column_name_bytes", c->name);
    set_str(r, "kind", kind_name(c->kind));
    set_int(r, "position", is_key ? c->position : -1);
    set(r, "type", type_name(c->type, &r->arena));
    end(r);
}

static int by_name(const void *a, const void *b)
{
    return bytes_compare((*(const struct column *const *)a)->name,
                         (*(const struct column *const *)b)->name);
}

/* By name, as column_name is a clustering column. */
static void column_rows(struct rows *r, const struct table *t)
{
    struct arena a;
    arena_init(&a, 0);
    const struct column **sorted = arena_array(&a, const struct column *, t->columns_count);
    for (size_t i = 0; i < t->columns_count; i++)
        sorted[i] = &t->columns[i];
    qsort(sorted, t->columns_count, sizeof *sorted, by_name);
    for (size_t i = 0; i < t->columns_count; i++)
        column_row(r, t, sorted[i]);
    arena_free(&a);
}

static void dropped_column_rows(struct rows *r, const struct table *t)
{
    for (size_t i = 0; i < t->dropped_count; i++) {
        const struct dropped_column *d = &t->dropped[i];
        begin(r);
        set(r, "keyspace_name", t->keyspace);
        set(r, "table_name", t->name);
        set(r, "column_name", d->name);
        set(r, "dropped_time", value_of_i64(&r->arena, d->dropped_us / 1000));
        set_str(r, "kind", kind_name(d->kind));
        set(r, "type", type_name(d->type, &r->arena));
        end(r);
    }
}

/* --- All ------------------------------------------------------------------------------------------ */

static void each_table(struct rows *r, void (*rows)(struct rows *, const struct table *))
{
    for (size_t i = 0; i < r->ks->tables_count; i++)
        rows(r, r->ks->tables[i]);
}

static void tables(struct rows *r)
{
    each_table(r, table_row);
}

static void virtual_tables(struct rows *r)
{
    each_table(r, virtual_table_row);
}

static void columns(struct rows *r)
{
    each_table(r, column_rows);
}

static void dropped_columns(struct rows *r)
{
    each_table(r, dropped_column_rows);
}

static void nothing(struct rows *r)
{
    (void)r;
}

static const struct source {
    const char *keyspace, *table;
    bool of_virtual;
    void (*rows)(struct rows *); /* of r->ks */
} sources[] = {
    {"system_schema", "keyspaces", false, keyspace_row},
    {"system_schema", "tables", false, tables},
    {"system_schema", "columns", false, columns},
    {"system_schema", "dropped_columns", false, dropped_columns},
    {"system_schema", "types", false, type_rows},
    {"system_schema", "column_masks", false, nothing},
    {"system_schema", "triggers", false, nothing},
    {"system_schema", "views", false, nothing},
    {"system_schema", "indexes", false, nothing},
    {"system_schema", "functions", false, nothing},
    {"system_schema", "aggregates", false, nothing},
    {"system_virtual_schema", "keyspaces", true, virtual_keyspace_row},
    {"system_virtual_schema", "tables", true, virtual_tables},
    {"system_virtual_schema", "columns", true, columns},
};

static const struct source *source_of(const struct table *t)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (bytes_equal_str(t->keyspace, sources[i].keyspace) &&
            bytes_equal_str(t->name, sources[i].table))
            return &sources[i];
    return NULL;
}

bool vtable_is_schema(const struct table *t)
{
    return source_of(t) != NULL;
}

void vtable_rows(const struct schema *s, const struct table *t, struct bytes keyspace,
                 void (*row)(void *ctx, const struct table *t, const struct bytes *values),
                 void *ctx)
{
    const struct source *source = source_of(t);
    ensure(source != NULL);
    struct rows r = {.s = s, .t = t, .row = row, .ctx = ctx};
    arena_init(&r.arena, 0);
    for (size_t i = 0; i < s->keyspaces_count; i++) {
        r.ks = s->keyspaces[i];
        if (r.ks->is_virtual != source->of_virtual ||
            (keyspace.p && !bytes_equal(keyspace, r.ks->name)))
            continue;
        source->rows(&r);
    }
    arena_free(&r.arena);
}
