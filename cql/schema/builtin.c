/* The keyspaces that every node has, built from the rows of builtin.def. */
#include "cql/schema/schema_priv.h"

enum compaction { SIZE_TIERED, SIZE_TIERED_2, LEVELED, TIME_WINDOW, VIRTUAL };

struct builtin_table {
    const char *keyspace, *name;
    int32_t gc_grace_s, flush_period_ms, ttl_s;
    enum compaction compaction;
    const char *comment, *columns;
};

static const struct builtin_table builtin_tables[] = {
#define X(keyspace, name, gc_grace, flush_period, ttl, compaction, comment, columns) \
    {keyspace, name, gc_grace, flush_period, ttl, compaction, comment, columns},
#include "cql/schema/builtin.def"
#undef X
};

/* Replication factor 0: LocalStrategy. */
static const struct builtin_keyspace {
    const char *name;
    int32_t factor;
    bool is_virtual;
} builtin_keyspaces[] = {
    {"system", 0, false},        {"system_schema", 0, false},
    {"system_auth", 1, false},   {"system_distributed", 3, false},
    {"system_traces", 2, false}, {"system_virtual_schema", 0, true},
    {"system_views", 0, true},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
_Static_assert(COUNT(builtin_tables) < SCHEMA_SLOT_USER_FIRST,
               "built-in tables have the slots below those of users");

bool schema_is_builtin_keyspace(struct bytes name)
{
    for (size_t i = 0; i < COUNT(builtin_keyspaces); i++)
        if (bytes_equal_str(name, builtin_keyspaces[i].name))
            return true;
    return false;
}

/* The part of *text before the separator, which is taken off it with the part. */
static struct bytes split(struct bytes *text, const char *separator)
{
    size_t n = strlen(separator);
    for (size_t i = 0; i + n <= text->n; i++)
        if (memcmp(text->p + i, separator, n) == 0) {
            struct bytes part = {text->p, i};
            *text = bytes_skip(*text, i + n);
            return part;
        }
    struct bytes part = *text;
    *text = bytes_skip(*text, text->n);
    return part;
}

static bool cut_suffix(struct bytes *text, const char *suffix)
{
    size_t n = strlen(suffix);
    if (text->n < n || memcmp(text->p + text->n - n, suffix, n) != 0)
        return false;
    text->n -= n;
    return true;
}

/* "name type mark" */
static void add_column(struct schema *s, struct table *t, struct bytes text)
{
    struct column c = {.name = arena_dup(&s->arena, split(&text, " "))};
    c.kind = COLUMN_REGULAR;
    if (cut_suffix(&text, " pk")) {
        c.kind = COLUMN_PARTITION_KEY;
        c.position = t->pk_count++;
    } else if (cut_suffix(&text, " ck") || (c.desc = cut_suffix(&text, " desc"))) {
        c.kind = COLUMN_CLUSTERING;
        c.position = t->ck_count++;
    } else if (cut_suffix(&text, " static")) {
        c.kind = COLUMN_STATIC;
    }
    c.type = schema_type_of_text(&s->arena, text);
    ensure(c.type != NULL);
    table_add_column(s, t, c);
}

static struct table_options options_of(struct arena *a, const struct builtin_table *b)
{
    struct table_options o = table_options_default(a);
    o.gc_grace_seconds = b->gc_grace_s;
    o.memtable_flush_period_in_ms = b->flush_period_ms;
    o.default_time_to_live = b->ttl_s;
    o.comment = bytes_str(b->comment);
    if (b->compaction == SIZE_TIERED_2)
        option_map_put_str(a, &o.compaction, "min_threshold", "2");
    if (b->compaction == LEVELED)
        option_map_put_str(a, &o.compaction, "class",
                           "org.apache.cassandra.db.compaction.LeveledCompactionStrategy");
    if (b->compaction == TIME_WINDOW) {
        option_map_put_str(a, &o.compaction, "class",
                           "org.apache.cassandra.db.compaction.TimeWindowCompactionStrategy");
        option_map_put_str(a, &o.compaction, "compaction_window_size", "1");
        option_map_put_str(a, &o.compaction, "compaction_window_unit", "DAYS");
    }
    return o;
}

/* Cassandra's TableId.forSystemTable. */
static struct uuid system_table_id(struct arena *a, const struct builtin_table *b)
{
    return uuid_of_name(arena_printf(a, "%s%s", b->keyspace, b->name));
}

static void add_table(struct schema *s, struct keyspace *ks, const struct builtin_table *b)
{
    struct table *t = arena_new(&s->arena, struct table);
    t->keyspace = ks->name;
    t->name = bytes_str(b->name);
    t->id = system_table_id(&s->arena, b);
    t->slot = ks->is_virtual ? 0 : (uint32_t)(b - builtin_tables) + 1;
    t->options = options_of(&s->arena, b);
    struct bytes columns = bytes_str(b->columns);
    while (columns.n)
        add_column(s, t, split(&columns, "; "));
    keyspace_add_table(s, ks, t);
}

void schema_add_builtin(struct schema *s)
{
    for (size_t i = 0; i < COUNT(builtin_keyspaces); i++) {
        const struct builtin_keyspace *b = &builtin_keyspaces[i];
        struct keyspace *ks = arena_new(&s->arena, struct keyspace);
        ks->name = bytes_str(b->name);
        ks->durable_writes = true;
        ks->is_virtual = b->is_virtual;
        ks->is_system = true;
        if (b->factor)
            keyspace_set_simple(&s->arena, ks, b->factor);
        else
            keyspace_set_local(&s->arena, ks);
        schema_add_keyspace(s, ks);
        for (size_t j = 0; j < COUNT(builtin_tables); j++)
            if (bytes_equal_str(ks->name, builtin_tables[j].keyspace))
                add_table(s, ks, &builtin_tables[j]);
    }
}
