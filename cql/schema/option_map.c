/* Maps of options such as compaction, sorted by key; and the defaults of a table's options. */
#include "cql/schema/schema_priv.h"

struct option_map option_map_copy(struct arena *a, const struct option_map *m)
{
    struct option_map copy = {arena_array(a, struct option_pair, m->count), m->count};
    for (size_t i = 0; i < m->count; i++)
        copy.items[i] =
            (struct option_pair){arena_dup(a, m->items[i].key), arena_dup(a, m->items[i].value)};
    return copy;
}

void option_map_put(struct arena *a, struct option_map *m, struct bytes key, struct bytes value)
{
    size_t i = 0;
    int order = 1;
    while (i < m->count && (order = bytes_compare(m->items[i].key, key)) < 0)
        i++;
    value = arena_dup(a, value);
    if (i < m->count && order == 0) {
        m->items[i].value = value;
        return;
    }
    struct option_pair *items = arena_array(a, struct option_pair, m->count + 1);
    if (i)
        memcpy(items, m->items, i * sizeof *items);
    items[i] = (struct option_pair){arena_dup(a, key), value};
    if (m->count > i)
        memcpy(items + i + 1, m->items + i, (m->count - i) * sizeof *items);
    m->items = items;
    m->count++;
}

void option_map_put_str(struct arena *a, struct option_map *m, const char *key, const char *value)
{
    option_map_put(a, m, bytes_str(key), bytes_str(value));
}

void option_map_del(struct option_map *m, struct bytes key)
{
    for (size_t i = 0; i < m->count; i++)
        if (bytes_equal(m->items[i].key, key)) {
            memmove(m->items + i, m->items + i + 1, (m->count - i - 1) * sizeof *m->items);
            m->count--;
            return;
        }
}

struct bytes option_map_get(const struct option_map *m, struct bytes key)
{
    for (size_t i = 0; i < m->count; i++)
        if (bytes_equal(m->items[i].key, key))
            return m->items[i].value;
    return BYTES_NULL;
}

struct bytes option_map_get_str(const struct option_map *m, const char *key)
{
    return option_map_get(m, bytes_str(key));
}

struct table_options table_options_default(struct arena *a)
{
    struct table_options o = {
        .additional_write_policy = bytes_str("99p"),
        .allow_auto_snapshot = true,
        .incremental_backups = true,
        .bloom_filter_fp_chance = 0.01,
        .crc_check_chance = 1.0,
        .comment = bytes_str(""),
        .memtable = bytes_str("default"),
        .read_repair = bytes_str("BLOCKING"),
        .speculative_retry = bytes_str("99p"),
        .gc_grace_seconds = 864000,
        .min_index_interval = 128,
        .max_index_interval = 2048,
        .tombstone_gc = {TOMBSTONE_GC_REPAIR, 3600},
    };
    option_map_put_str(a, &o.caching, "keys", "ALL");
    option_map_put_str(a, &o.caching, "rows_per_partition", "NONE");
    option_map_put_str(a, &o.compaction, "class",
                       "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy");
    option_map_put_str(a, &o.compaction, "max_threshold", "32");
    option_map_put_str(a, &o.compaction, "min_threshold", "4");
    option_map_put_str(a, &o.compression, "chunk_length_in_kb", "16");
    option_map_put_str(a, &o.compression, "class",
                       "org.apache.cassandra.io.compress.LZ4Compressor");
    return o;
}

struct table_options table_options_copy(struct arena *a, const struct table_options *from)
{
    struct table_options o = *from;
    o.additional_write_policy = arena_dup(a, from->additional_write_policy);
    o.comment = arena_dup(a, from->comment);
    o.memtable = arena_dup(a, from->memtable);
    o.read_repair = arena_dup(a, from->read_repair);
    o.speculative_retry = arena_dup(a, from->speculative_retry);
    o.caching = option_map_copy(a, &from->caching);
    o.compaction = option_map_copy(a, &from->compaction);
    o.compression = option_map_copy(a, &from->compression);
    o.extensions = option_map_copy(a, &from->extensions);
    return o;
}

static const char *const gc_modes[] = {"repair", "timeout", "immediate", "disabled"};

/* The extension's bytes: format version 1, the mode, the delay as a big-endian int. */
struct tombstone_gc tombstone_gc_read(const struct option_map *extensions)
{
    struct tombstone_gc gc = {TOMBSTONE_GC_REPAIR, 3600};
    struct bytes v = option_map_get_str(extensions, "tombstone_gc");
    if (v.n != 6 || v.p[0] != 1 || v.p[1] > TOMBSTONE_GC_DISABLED)
        return gc;
    int32_t delay_s = (int32_t)load_be32(v.p + 2);
    if (delay_s < 0)
        return gc;
    return (struct tombstone_gc){(enum tombstone_gc_mode)v.p[1], delay_s};
}

void tombstone_gc_write(struct arena *a, struct option_map *extensions, struct tombstone_gc gc)
{
    if (gc.mode == TOMBSTONE_GC_REPAIR && gc.propagation_delay_s == 3600) {
        option_map_del(extensions, bytes_str("tombstone_gc"));
        return;
    }
    uint8_t v[6] = {1, (uint8_t)gc.mode};
    store_be32(v + 2, (uint32_t)gc.propagation_delay_s);
    option_map_put(a, extensions, bytes_str("tombstone_gc"), bytes_of(v, sizeof v));
}

const char *tombstone_gc_mode_name(enum tombstone_gc_mode mode)
{
    return gc_modes[mode];
}
