/* Table options: from properties to struct table_options, in the order and with the words of Cassandra's TableAttributes and
 * TableParams. Options that tune Cassandra's own storage are checked, kept and echoed. */
#include "cql/schema/options_priv.h"

#include "cql/types/number.h"
#include "cql/types/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* 20 years: Attributes.MAX_TTL. */
#define TTL_MAX_S 630720000

const struct schema_property *properties_find(const struct schema_properties *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (bytes_equal_str(p->items[i].name, name))
            return &p->items[i];
    return NULL;
}

err_t properties_text(const struct schema_properties *p, const char *name, struct bytes *text,
                      struct fail *fail)
{
    const struct schema_property *property = properties_find(p, name);
    *text = BYTES_NULL;
    if (!property)
        return OK;
    if (property->is_map)
        return fail_set(fail, ERR_SYNTAX, "Invalid value for property '%s'. It should be a string",
                        name);
    *text = property->text;
    return OK;
}

err_t properties_map(const struct schema_properties *p, const char *name,
                     const struct option_map **map, struct fail *fail)
{
    const struct schema_property *property = properties_find(p, name);
    *map = NULL;
    if (!property)
        return OK;
    if (!property->is_map)
        return fail_set(fail, ERR_SYNTAX, "Invalid value for property '%s'. It should be a map.",
                        name);
    *map = &property->map;
    return OK;
}

static bool any_of(struct bytes text, const char *a, const char *b, const char *c)
{
    return bytes_equal_nocase(text, bytes_str(a)) || bytes_equal_nocase(text, bytes_str(b)) ||
           bytes_equal_nocase(text, bytes_str(c));
}

err_t properties_bool(const struct schema_properties *p, const char *name, bool *value,
                      struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, name, &text, fail));
    if (!text.p)
        return OK;
    if (any_of(text, "1", "true", "yes"))
        *value = true;
    else if (any_of(text, "0", "false", "no"))
        *value = false;
    else
        return fail_set(fail, ERR_SYNTAX,
                        "Invalid boolean value %.*s for '%s'. Positive values can be '1', 'true' "
                        "or 'yes'. Negative values "
                        "can be '0', 'false' or 'no'.",
                        BYTES_FMT(text), name);
    return OK;
}

bool option_long(struct bytes text, int64_t *out)
{
    char digits[32];
    if (text.n == 0 || text.n >= sizeof digits)
        return false;
    memcpy(digits, text.p, text.n);
    digits[text.n] = 0;
    const char *p = digits + (*digits == '-' || *digits == '+');
    if (!*p || strspn(p, "0123456789") != strlen(p))
        return false;
    errno = 0;
    *out = strtoll(digits, NULL, 10);
    return errno == 0;
}

bool option_int(struct bytes text, int32_t *out)
{
    int64_t v;
    if (!option_long(text, &v) || v < INT32_MIN || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    return true;
}

static err_t int_option(const struct schema_properties *p, const char *name, int32_t *value,
                        struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, name, &text, fail));
    if (text.p && !option_int(text, value))
        return fail_set(fail, ERR_SYNTAX, "Invalid integer value %.*s for '%s'", BYTES_FMT(text),
                        name);
    return OK;
}

static err_t double_option(const struct schema_properties *p, const char *name, double *value,
                           struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, name, &text, fail));
    if (text.p && !java_parse_double(text, value))
        return fail_set(fail, ERR_SYNTAX, "Invalid double value %.*s for '%s'", BYTES_FMT(text),
                        name);
    return OK;
}

static err_t text_option(struct arena *a, const struct schema_properties *p, const char *name,
                         struct bytes *value, struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, name, &text, fail));
    if (text.p)
        *value = arena_dup(a, text);
    return OK;
}

/* --- Caching ------------------------------------------------------------------------------------ */

static void print_keys(const struct option_map *m, const char *const *known, struct arena *a,
                       struct buf *out)
{
    struct bytes *keys = arena_array(a, struct bytes, m->count);
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        bool is_known = false;
        for (const char *const *k = known; *k; k++)
            is_known |= bytes_equal_str(m->items[i].key, *k);
        if (!is_known)
            keys[count++] = m->items[i].key;
    }
    if (count)
        option_keys_print(a, keys, count, m->count, out);
}

static bool is_digits(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

static err_t caching_rows(struct arena *a, struct bytes rows, struct bytes *out, struct fail *fail)
{
    int32_t count;
    *out = bytes_str("NONE");
    if (!rows.p || bytes_equal_nocase(rows, bytes_str("NONE")))
        return OK;
    if (bytes_equal_nocase(rows, bytes_str("ALL"))) {
        *out = bytes_str("ALL");
        return OK;
    }
    if (!is_digits(rows) || !option_int(rows, &count))
        return fail_set(fail, ERR_CONFIG,
                        "Invalid value '%.*s' for caching sub-option 'rows_per_partition': only "
                        "'ALL', 'NONE', and integer "
                        "values are allowed",
                        BYTES_FMT(rows));
    if (count == INT32_MAX)
        *out = bytes_str("ALL");
    else if (count > 0)
        *out = arena_printf(a, "%d", count);
    return OK;
}

static err_t caching_read(struct arena *a, const struct option_map *given, struct option_map *out,
                          struct fail *fail)
{
    static const char *const known[] = {"keys", "rows_per_partition", NULL};
    struct bytes keys = option_map_get_str(given, "keys"), rows;
    bool all = keys.p && bytes_equal_nocase(keys, bytes_str("ALL"));
    if (keys.p && !all && !bytes_equal_nocase(keys, bytes_str("NONE")))
        return fail_set(
            fail, ERR_CONFIG,
            "Invalid value '%.*s' for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed",
            BYTES_FMT(keys));
    TRY(caching_rows(a, option_map_get_str(given, "rows_per_partition"), &rows, fail));
    struct buf unknown = buf_in(a);
    print_keys(given, known, a, &unknown);
    if (unknown.n)
        return fail_set(
            fail, ERR_CONFIG,
            "Invalid caching sub-options %.*s: only 'keys' and 'rows_per_partition' are allowed",
            BYTES_FMT(buf_bytes(&unknown)));
    *out = (struct option_map){0};
    option_map_put_str(a, out, "keys", all ? "ALL" : "NONE");
    option_map_put(a, out, bytes_str("rows_per_partition"), rows);
    return OK;
}

/* Java's String.hashCode, spread as HashMap does. Names are ASCII in all that reaches a message here. */
static uint32_t java_hash(struct bytes s)
{
    uint32_t h = 0;
    for (size_t i = 0; i < s.n; i++)
        h = 31 * h + s.p[i];
    return h ^ h >> 16;
}

void option_keys_print(struct arena *a, const struct bytes *keys, size_t count, size_t map_count,
                       struct buf *out)
{
    uint32_t buckets = 1;
    while (buckets < map_count * 4 / 3 + 1)
        buckets *= 2;
    struct bytes *order = arena_array(a, struct bytes, count);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 &&
               (java_hash(order[at - 1]) & (buckets - 1)) > (java_hash(keys[i]) & (buckets - 1));
             at--)
            order[at] = order[at - 1];
        order[at] = keys[i];
    }
    for (size_t i = 0; i < count; i++) {
        buf_put_str(out, i ? ", " : "[");
        buf_put_bytes(out, order[i]);
    }
    buf_u8(out, ']');
}

/* --- Speculative retry -------------------------------------------------------------------------- */

enum policy_kind { POLICY_NONE, POLICY_PERCENTILE, POLICY_FIXED, POLICY_ALWAYS, POLICY_NEVER };
static const char *const policy_names[] = {"", "PERCENTILE", "FIXED", "ALWAYS", "NEVER"};

static bool cut_suffix_nocase(struct bytes *text, const char *suffix)
{
    size_t n = strlen(suffix);
    if (text->n <= n || !bytes_equal_nocase(bytes_skip(*text, text->n - n), bytes_str(suffix)))
        return false;
    text->n -= n;
    return true;
}

static bool is_number(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '.')
            return false;
    return text.n > 0;
}

static err_t bad_policy(struct bytes text, struct fail *fail)
{
    return fail_set(fail, ERR_CONFIG, "Invalid value %.*s for option 'speculative_retry'",
                    BYTES_FMT(text));
}

/* Java's DecimalFormat("#.####"): at most four decimals, half to even, no trailing zeros. */
static struct bytes print_percentile(struct arena *a, double v)
{
    struct bytes text = arena_printf(a, "%.4f", v);
    while (text.n && text.p[text.n - 1] == '0')
        text.n--;
    if (text.n && text.p[text.n - 1] == '.')
        text.n--;
    if (text.n > 1 && text.p[0] == '0')
        text = bytes_skip(text, 1);
    return arena_printf(a, "%.*sp", BYTES_FMT(text));
}

/* Always, never, 99p, 50ms. */
static err_t simple_policy(struct arena *a, struct bytes text, enum policy_kind *kind,
                           struct bytes *out, struct fail *fail)
{
    struct bytes digits = text;
    double v;
    *kind = POLICY_NONE;
    if (bytes_equal_nocase(text, bytes_str("ALWAYS"))) {
        *kind = POLICY_ALWAYS;
        *out = bytes_str("ALWAYS");
    } else if (bytes_equal_nocase(text, bytes_str("NEVER")) ||
               bytes_equal_nocase(text, bytes_str("NONE"))) {
        *kind = POLICY_NEVER;
        *out = bytes_str("NEVER");
    } else if ((cut_suffix_nocase(&digits, "percentile") || cut_suffix_nocase(&digits, "p")) &&
               is_number(digits)) {
        if (!java_parse_double(digits, &v))
            return bad_policy(text, fail);
        if (v <= 0 || v >= 100)
            return fail_set(fail, ERR_CONFIG,
                            "Invalid value %.*s for PERCENTILE option 'speculative_retry': must be "
                            "between (0.0 and 100.0)",
                            BYTES_FMT(text));
        *kind = POLICY_PERCENTILE;
        *out = print_percentile(a, v);
    } else if (digits = text, cut_suffix_nocase(&digits, "ms") && is_number(digits)) {
        if (!java_parse_double(digits, &v))
            return bad_policy(text, fail);
        *kind = POLICY_FIXED;
        *out = arena_printf(a, "%dms", java_i32_of_double(v));
    }
    return *kind == POLICY_NONE ? bad_policy(text, fail) : OK;
}

static struct bytes trim(struct bytes text)
{
    while (text.n && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = bytes_skip(text, 1);
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
        text.n--;
    return text;
}

/* MIN(99p,50ms), MAX(…). */
static err_t policy_read(struct arena *a, struct bytes text, struct bytes *out, struct fail *fail)
{
    enum policy_kind kinds[2];
    bool min = text.n > 5 && bytes_equal_nocase(bytes_of(text.p, 4), bytes_str("MIN("));
    bool max = text.n > 5 && bytes_equal_nocase(bytes_of(text.p, 4), bytes_str("MAX("));
    if ((!min && !max) || text.p[text.n - 1] != ')')
        return simple_policy(a, text, &kinds[0], out, fail);
    struct bytes inside = bytes_of(text.p + 4, text.n - 5);
    const uint8_t *comma = memchr(inside.p, ',', inside.n);
    if (!comma)
        return bad_policy(text, fail);
    struct bytes sides[2] = {bytes_of(inside.p, (size_t)(comma - inside.p)),
                             bytes_skip(inside, (size_t)(comma - inside.p) + 1)};
    struct bytes printed[2];
    for (int i = 0; i < 2; i++) {
        if (simple_policy(a, trim(sides[i]), &kinds[i], &printed[i], NULL) != OK ||
            kinds[i] > POLICY_FIXED)
            return bad_policy(text, fail);
    }
    if (kinds[0] == kinds[1])
        return fail_set(fail, ERR_CONFIG,
                        "Invalid value %.*s for option 'speculative_retry': MIN()/MAX() arguments "
                        "should be of different "
                        "types, but both are of type %s",
                        BYTES_FMT(text), policy_names[kinds[0]]);
    int percentile = kinds[0] == POLICY_PERCENTILE ? 0 : 1;
    *out = arena_printf(a, "%s(%.*s,%.*s)", min ? "MIN" : "MAX", BYTES_FMT(printed[percentile]),
                        BYTES_FMT(printed[1 - percentile]));
    return OK;
}

static err_t policy_option(struct arena *a, const struct schema_properties *p, const char *name,
                           struct bytes *value, struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, name, &text, fail));
    return text.p ? policy_read(a, text, value, fail) : OK;
}

/* --- Our own: tombstone_gc ---------------------------------------------------------------------- */

static err_t tombstone_gc_option(struct arena *a, const struct schema_properties *p,
                                 struct option_map *extensions, struct fail *fail)
{
    const struct option_map *m;
    TRY(properties_map(p, "tombstone_gc", &m, fail));
    if (!m)
        return OK;
    struct tombstone_gc gc = {TOMBSTONE_GC_REPAIR, 3600};
    for (size_t i = 0; i < m->count; i++) {
        struct bytes key = m->items[i].key, value = m->items[i].value;
        if (bytes_equal_str(key, "mode")) {
            int mode = TOMBSTONE_GC_REPAIR;
            while (mode <= TOMBSTONE_GC_DISABLED &&
                   !bytes_equal_nocase(
                       value, bytes_str(tombstone_gc_mode_name((enum tombstone_gc_mode)mode))))
                mode++;
            if (mode > TOMBSTONE_GC_DISABLED)
                return fail_set(fail, ERR_CONFIG,
                                "Invalid value '%.*s' for tombstone_gc sub-option 'mode': only "
                                "'timeout', 'repair', "
                                "'immediate' and 'disabled' are allowed",
                                BYTES_FMT(value));
            gc.mode = (enum tombstone_gc_mode)mode;
        } else if (bytes_equal_str(key, "propagation_delay_in_seconds")) {
            if (!option_int(value, &gc.propagation_delay_s) || gc.propagation_delay_s < 0)
                return fail_set(fail, ERR_CONFIG,
                                "Invalid value '%.*s' for tombstone_gc sub-option "
                                "'propagation_delay_in_seconds': it must be "
                                "a number of seconds of 0 or more",
                                BYTES_FMT(value));
        } else {
            return fail_set(fail, ERR_CONFIG,
                            "Invalid tombstone_gc sub-option '%.*s': only 'mode' and "
                            "'propagation_delay_in_seconds' are "
                            "allowed",
                            BYTES_FMT(key));
        }
    }
    tombstone_gc_write(a, extensions, gc);
    return OK;
}

/* --- All together --------------------------------------------------------------------------------- */

static err_t read_repair_option(const struct schema_properties *p, struct bytes *value,
                                struct fail *fail)
{
    struct bytes text;
    TRY(properties_text(p, "read_repair", &text, fail));
    if (!text.p)
        return OK;
    if (bytes_equal_nocase(text, bytes_str("NONE")))
        *value = bytes_str("NONE");
    else if (bytes_equal_nocase(text, bytes_str("BLOCKING")))
        *value = bytes_str("BLOCKING");
    else /* Cassandra lets an exception of Java's escape here */
        return fail_set(
            fail, ERR_CONFIG,
            "Invalid value %.*s for option 'read_repair': only 'BLOCKING' and 'NONE' are allowed",
            BYTES_FMT(text));
    return OK;
}

static err_t maps_apply(struct arena *a, const struct schema_properties *p, struct table_options *o,
                        struct fail *fail)
{
    const struct option_map *m;
    TRY(properties_map(p, "caching", &m, fail));
    if (m)
        TRY(caching_read(a, m, &o->caching, fail));
    TRY(text_option(a, p, "comment", &o->comment, fail));
    TRY(properties_map(p, "compaction", &m, fail));
    if (m)
        TRY(compaction_read(a, m, &o->compaction, fail));
    TRY(properties_map(p, "compression", &m, fail));
    if (m)
        TRY(compression_read(a, m, &o->compression, fail));
    TRY(text_option(a, p, "memtable", &o->memtable, fail));
    if (!bytes_equal_str(o->memtable, "default"))
        return fail_set(fail, ERR_CONFIG, "Memtable configuration \"%.*s\" not found.",
                        BYTES_FMT(o->memtable));
    return OK;
}

err_t table_options_apply(struct arena *a, const struct schema_properties *p, bool is_new,
                          struct table_options *o, struct fail *fail)
{
    bool has_bloom = properties_find(p, "bloom_filter_fp_chance") != NULL;
    TRY(properties_bool(p, "allow_auto_snapshot", &o->allow_auto_snapshot, fail));
    TRY(double_option(p, "bloom_filter_fp_chance", &o->bloom_filter_fp_chance, fail));
    TRY(maps_apply(a, p, o, fail));
    TRY(int_option(p, "default_time_to_live", &o->default_time_to_live, fail));
    TRY(int_option(p, "gc_grace_seconds", &o->gc_grace_seconds, fail));
    TRY(properties_bool(p, "incremental_backups", &o->incremental_backups, fail));
    TRY(int_option(p, "max_index_interval", &o->max_index_interval, fail));
    TRY(int_option(p, "memtable_flush_period_in_ms", &o->memtable_flush_period_in_ms, fail));
    TRY(int_option(p, "min_index_interval", &o->min_index_interval, fail));
    TRY(policy_option(a, p, "speculative_retry", &o->speculative_retry, fail));
    TRY(policy_option(a, p, "additional_write_policy", &o->additional_write_policy, fail));
    TRY(double_option(p, "crc_check_chance", &o->crc_check_chance, fail));
    TRY(properties_bool(p, "cdc", &o->cdc, fail));
    TRY(read_repair_option(p, &o->read_repair, fail));
    TRY(tombstone_gc_option(a, p, &o->extensions, fail));
    if (is_new && !has_bloom)
        o->bloom_filter_fp_chance = compaction_is_leveled(&o->compaction) ? 0.1 : 0.01;
    return OK;
}

static err_t check_names(const struct schema_properties *p, struct fail *fail)
{
    static const char *const names[] = {"allow_auto_snapshot",
                                        "bloom_filter_fp_chance",
                                        "caching",
                                        "comment",
                                        "compaction",
                                        "compression",
                                        "memtable",
                                        "default_time_to_live",
                                        "extensions",
                                        "gc_grace_seconds",
                                        "incremental_backups",
                                        "max_index_interval",
                                        "memtable_flush_period_in_ms",
                                        "min_index_interval",
                                        "speculative_retry",
                                        "additional_write_policy",
                                        "crc_check_chance",
                                        "cdc",
                                        "read_repair",
                                        "auto_repair",
                                        "id",
                                        "tombstone_gc"};
    for (size_t i = 0; i < p->count; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof names / sizeof *names && !known; j++)
            known = bytes_equal_str(p->items[i].name, names[j]);
        if (!known)
            return fail_set(fail, ERR_SYNTAX, "Unknown property '%.*s'",
                            BYTES_FMT(p->items[i].name));
    }
    if (properties_find(p, "auto_repair"))
        return fail_set(fail, ERR_CONFIG,
                        "auto_repair option is not supported unless auto-repair is enabled with "
                        "-Dcassandra.autorepair.enable=true");
    return OK;
}

static err_t not_negative(const char *name, int32_t v, struct fail *fail)
{
    return v >= 0 ? OK
                  : fail_set(fail, ERR_CONFIG, "%s must be greater than or equal to 0 (got %d)",
                             name, v);
}

/* A double as Java prints it, for a message. */
static const char *java_double(double v, char *out, size_t n)
{
    struct buf b = {0};
    java_print_double(v, &b);
    snprintf(out, n, "%.*s", (int)b.n, (const char *)b.p);
    buf_free(&b);
    return out;
}

err_t table_options_check(const struct schema_properties *p, const struct table_options *o,
                          struct fail *fail)
{
    char text[40];
    TRY(check_names(p, fail));
    TRY(compaction_check(&o->compaction, fail));
    /* The smallest chance that Cassandra's table of bloom filter parameters reaches. */
    if (o->bloom_filter_fp_chance <= 6.71e-5 || o->bloom_filter_fp_chance > 1)
        return fail_set(fail, ERR_CONFIG,
                        "bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal "
                        "to 1.0 (got %s)",
                        java_double(o->bloom_filter_fp_chance, text, sizeof text));
    if (o->crc_check_chance < 0 || o->crc_check_chance > 1)
        return fail_set(fail, ERR_CONFIG,
                        "crc_check_chance must be larger than or equal to 0 and smaller than or "
                        "equal to 1.0 (got %s)",
                        java_double(o->crc_check_chance, text, sizeof text));
    TRY(not_negative("default_time_to_live", o->default_time_to_live, fail));
    if (o->default_time_to_live > TTL_MAX_S)
        return fail_set(fail, ERR_CONFIG,
                        "default_time_to_live must be less than or equal to %d (got %d)", TTL_MAX_S,
                        o->default_time_to_live);
    TRY(not_negative("gc_grace_seconds", o->gc_grace_seconds, fail));
    if (o->min_index_interval < 1)
        return fail_set(fail, ERR_CONFIG,
                        "min_index_interval must be greater than or equal to 1 (got %d)",
                        o->min_index_interval);
    if (o->max_index_interval < o->min_index_interval)
        return fail_set(
            fail, ERR_CONFIG,
            "max_index_interval must be greater than or equal to min_index_interval (%d) (got %d)",
            o->min_index_interval, o->max_index_interval);
    return not_negative("memtable_flush_period_in_ms", o->memtable_flush_period_in_ms, fail);
}
