/* Compaction options. LMDB needs no compaction, so they are checked as Cassandra's strategies do, kept and echoed. */
#include "cql/schema/options_priv.h"

#include "cql/types/number.h"

#include <math.h>

#define COMPACTION "org.apache.cassandra.db.compaction."

static const char *const strategies[] = {
    "SizeTieredCompactionStrategy", "LeveledCompactionStrategy", "TimeWindowCompactionStrategy",
    "UnifiedCompactionStrategy"};
enum strategy { SIZE_TIERED, LEVELED, TIME_WINDOW, UNIFIED, STRATEGIES };

/* Names are given with or without the package. */
static enum strategy strategy_of(struct bytes class)
{
    struct bytes package = bytes_str(COMPACTION);
    if (bytes_starts_with(class, package))
        class = bytes_skip(class, package.n);
    int i = 0;
    while (i < STRATEGIES && !bytes_equal_str(class, strategies[i]))
        i++;
    return (enum strategy)i;
}

bool compaction_is_leveled(const struct option_map *m)
{
    return strategy_of(option_map_get_str(m, "class")) == LEVELED;
}

err_t compaction_read(struct arena *a, const struct option_map *given, struct option_map *out,
                      struct fail *fail)
{
    struct bytes class = option_map_get_str(given, "class");
    if (!class.p)
        return fail_set(fail, ERR_CONFIG, "Missing sub-option 'class' for the 'compaction' option");
    enum strategy strategy = strategy_of(class);
    if (strategy == STRATEGIES)
        return fail_set(fail, ERR_CONFIG, "Unable to find compaction strategy class '%s%.*s'",
                        class.n && memchr(class.p, '.', class.n) ? "" : COMPACTION,
                        BYTES_FMT(class));
    struct bytes overlapping = option_map_get_str(given, "provide_overlapping_tombstones");
    if (overlapping.p && !bytes_equal_nocase(overlapping, bytes_str("NONE")) &&
        !bytes_equal_nocase(overlapping, bytes_str("ROW")) &&
        !bytes_equal_nocase(overlapping, bytes_str("CELL"))) {
        struct buf upper = buf_in(a);
        for (size_t i = 0; i < overlapping.n; i++) {
            uint8_t c = overlapping.p[i];
            buf_u8(&upper, c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c);
        }
        return fail_set(fail, ERR_CONFIG,
                        "Invalid value %.*s for 'provide_overlapping_tombstones' compaction "
                        "sub-option - must be one of the "
                        "following [NONE, ROW, CELL].",
                        BYTES_FMT(buf_bytes(&upper)));
    }
    *out = option_map_copy(a, given);
    option_map_put(a, out, bytes_str("class"),
                   arena_printf(a, "%s%s", COMPACTION, strategies[strategy]));
    if (strategy != UNIFIED) {
        if (!option_map_get_str(out, "min_threshold").p)
            option_map_put_str(a, out, "min_threshold", "4");
        if (!option_map_get_str(out, "max_threshold").p)
            option_map_put_str(a, out, "max_threshold", "32");
    }
    return OK;
}

/* --- Checks of values ------------------------------------------------------------------------- */

struct check {
    const struct option_map *m;
    struct fail *fail;
};

static struct bytes get(const struct check *c, const char *key)
{
    return option_map_get_str(c->m, key);
}

static err_t not_an_int(const struct check *c, const char *key, struct bytes text)
{
    return fail_set(c->fail, ERR_CONFIG, "%.*s is not a parsable int (base10) for %s",
                    BYTES_FMT(text), key);
}

static bool is_true_or_false(struct bytes text)
{
    return bytes_equal_nocase(text, bytes_str("true")) ||
           bytes_equal_nocase(text, bytes_str("false"));
}

static err_t check_common(const struct check *c)
{
    struct bytes v = get(c, "tombstone_threshold");
    float threshold;
    if (v.p) {
        if (!java_parse_float(v, &threshold))
            return not_an_int(c, "tombstone_threshold", v);
        if (threshold < 0)
            return fail_set(c->fail, ERR_CONFIG,
                            "tombstone_threshold must be greater than 0, but was %f",
                            (double)threshold);
    }
    int64_t interval;
    v = get(c, "tombstone_compaction_interval");
    if (v.p) {
        if (!option_long(v, &interval))
            return not_an_int(c, "tombstone_compaction_interval", v);
        if (interval < 0)
            return fail_set(c->fail, ERR_CONFIG,
                            "tombstone_compaction_interval must be greater than 0, but was %lld",
                            (long long)interval);
    }
    v = get(c, "unchecked_tombstone_compaction");
    if (v.p && !is_true_or_false(v))
        return fail_set(
            c->fail, ERR_CONFIG,
            "'unchecked_tombstone_compaction' should be either 'true' or 'false', not '%.*s'",
            BYTES_FMT(v));
    v = get(c, "log_all");
    if (v.p && !is_true_or_false(v))
        return fail_set(c->fail, ERR_CONFIG,
                        "'log_all' should either be 'true' or 'false', not %.*s", BYTES_FMT(v));
    v = get(c, "enabled");
    if (v.p && !is_true_or_false(v))
        return fail_set(c->fail, ERR_CONFIG, "enabled should either be 'true' or 'false', not %.*s",
                        BYTES_FMT(v));
    return OK;
}

static err_t read_double(const struct check *c, const char *key, double *value)
{
    struct bytes v = get(c, key);
    if (v.p && !java_parse_double(v, value))
        return fail_set(c->fail, ERR_CONFIG, "%.*s is not a parsable float for %s", BYTES_FMT(v),
                        key);
    return OK;
}

static err_t check_size_tiered(const struct check *c)
{
    struct bytes v = get(c, "min_sstable_size");
    int64_t size;
    if (v.p) {
        if (!option_long(v, &size))
            return not_an_int(c, "min_sstable_size", v);
        if (size < 0)
            return fail_set(c->fail, ERR_CONFIG, "min_sstable_size must be non negative: %lld",
                            (long long)size);
    }
    double low = 0.5, high = 1.5;
    TRY(read_double(c, "bucket_low", &low));
    TRY(read_double(c, "bucket_high", &high));
    if (!(high <= low))
        return OK;
    struct buf text_low = {0}, text_high = {0};
    java_print_double(low, &text_low);
    java_print_double(high, &text_high);
    err_t err =
        fail_set(c->fail, ERR_CONFIG,
                 "bucket_high value (%.*s) is less than or equal to the bucket_low value (%.*s)",
                 BYTES_FMT(buf_bytes(&text_high)), BYTES_FMT(buf_bytes(&text_low)));
    buf_free(&text_low);
    buf_free(&text_high);
    return err;
}

static err_t check_positive_int(const struct check *c, const char *key, int32_t *value)
{
    struct bytes v = get(c, key);
    if (v.p && !option_int(v, value))
        return not_an_int(c, key, v);
    if (*value < 1)
        return fail_set(c->fail, ERR_CONFIG, "%s must be larger than 0, but was %d", key, *value);
    return OK;
}

/* A number of any size, as the message about levels that are too big names one: least digit first. 2^31 to the 8th by 2^31 by
 * 2^20 has 91 digits. */
struct decimal {
    uint8_t digits[112];
    size_t count;
};

static void decimal_multiply(struct decimal *d, int64_t factor)
{
    int64_t carry = 0;
    for (size_t i = 0; i < d->count || carry; i++) {
        ensure(i < sizeof d->digits);
        if (i == d->count)
            d->digits[d->count++] = 0;
        carry += d->digits[i] * factor;
        d->digits[i] = (uint8_t)(carry % 10);
        carry /= 10;
    }
}

static err_t check_leveled(const struct check *c)
{
    int32_t size_mb = 1, fanout = 10;
    TRY(check_positive_int(c, "sstable_size_in_mb", &size_mb));
    TRY(check_positive_int(c, "fanout_size", &fanout));
    /* Levels 0 to 8 must stay countable in 63 bits. */
    double most = pow(fanout, 8) * size_mb * 1048576.0;
    if (most >= 9223372036854775807.0) {
        struct decimal d = {{1}, 1};
        for (int i = 0; i < 8; i++)
            decimal_multiply(&d, fanout);
        decimal_multiply(&d, size_mb);
        decimal_multiply(&d, 1048576);
        char text[sizeof d.digits + 1];
        for (size_t i = 0; i < d.count; i++)
            text[i] = (char)('0' + d.digits[d.count - 1 - i]);
        text[d.count] = 0;
        return fail_set(c->fail, ERR_CONFIG,
                        "At most 9223372036854775807 bytes may be in a compaction level; your "
                        "maxSSTableSize must be absurdly "
                        "high to compute %s",
                        text);
    }
    return check_size_tiered(c);
}

static bool is_one_of(struct bytes v, const char *const *names)
{
    for (; *names; names++)
        if (bytes_equal_str(v, *names))
            return true;
    return false;
}

static err_t check_time_window(const struct check *c)
{
    static const char *const resolutions[] = {"SECONDS", "MILLISECONDS", "MICROSECONDS",
                                              "NANOSECONDS", NULL};
    static const char *const units[] = {"MINUTES", "HOURS", "DAYS", NULL};
    struct bytes v = get(c, "timestamp_resolution");
    if (v.p && !is_one_of(v, resolutions))
        return fail_set(c->fail, ERR_CONFIG, "%.*s is not valid for timestamp_resolution",
                        BYTES_FMT(v));
    v = get(c, "compaction_window_unit");
    if (v.p && !is_one_of(v, units))
        return fail_set(c->fail, ERR_CONFIG, "%.*s is not valid for compaction_window_unit",
                        BYTES_FMT(v));
    int32_t size = 1;
    v = get(c, "compaction_window_size");
    if (v.p && !option_int(v, &size))
        return not_an_int(c, "compaction_window_size", v);
    if (size < 1)
        return fail_set(c->fail, ERR_CONFIG, "%d must be greater than 1 for compaction_window_size",
                        size);
    int64_t frequency = 0;
    v = get(c, "expired_sstable_check_frequency_seconds");
    if (v.p && !option_long(v, &frequency))
        return not_an_int(c, "expired_sstable_check_frequency_seconds", v);
    if (frequency < 0)
        return fail_set(
            c->fail, ERR_CONFIG,
            "expired_sstable_check_frequency_seconds must not be negative, but was %lld",
            (long long)frequency);
    v = get(c, "unsafe_aggressive_sstable_expiration");
    if (v.p && !is_true_or_false(v))
        return fail_set(c->fail, ERR_CONFIG,
                        "unsafe_aggressive_sstable_expiration is not 'true' or 'false' (%.*s)",
                        BYTES_FMT(v));
    if (v.p && bytes_equal_nocase(v, bytes_str("true")))
        return fail_set(c->fail, ERR_CONFIG,
                        "unsafe_aggressive_sstable_expiration is requested but not allowed, "
                        "restart cassandra with "
                        "-Dcassandra.allow_unsafe_aggressive_sstable_expiration=true to allow it");
    return check_size_tiered(c);
}

/* --- UnifiedCompactionStrategy ------------------------------------------------------------------ */

static err_t bad_scaling(const struct check *c, struct bytes v)
{
    return fail_set(c->fail, ERR_CONFIG,
                    "Scaling parameter %.*s must match N|L[0-9]+|T[0-9]+|[+-]?[0-9]+",
                    BYTES_FMT(v));
}

static err_t check_scaling_parameter(const struct check *c, struct bytes v)
{
    if (bytes_equal_str(v, "N"))
        return OK;
    if (v.n == 0)
        return bad_scaling(c, v);
    bool fan = v.p[0] == 'L' || v.p[0] == 'T';
    struct bytes digits = fan || v.p[0] == '+' || v.p[0] == '-' ? bytes_skip(v, 1) : v;
    int32_t n;
    if (digits.n == 0 || digits.p[0] == '+' || digits.p[0] == '-' || !option_int(digits, &n))
        return bad_scaling(c, v);
    if (fan && n < 2)
        return fail_set(c->fail, ERR_CONFIG, "Fan factor cannot be lower than 2 in %.*s",
                        BYTES_FMT(v));
    return OK;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.n && text.p[0] <= ' ')
        text = bytes_skip(text, 1);
    while (text.n && text.p[text.n - 1] <= ' ')
        text.n--;
    return text;
}

static err_t check_scaling(const struct check *c)
{
    struct bytes v = get(c, "scaling_parameters");
    if (!v.p)
        return OK;
    for (;;) {
        const uint8_t *comma = v.n ? memchr(v.p, ',', v.n) : NULL;
        struct bytes one = comma ? bytes_of(v.p, (size_t)(comma - v.p)) : v;
        TRY(check_scaling_parameter(c, trimmed(one)));
        if (!comma)
            return OK;
        v = bytes_skip(v, one.n + 1);
    }
}

enum { SIZE_OK, SIZE_NO_UNIT, SIZE_MALFORMED };

/* "100MiB", "1.5 GB": a number, blanks, a decimal or (with i) binary prefix, and B. */
static int parse_size(struct bytes text, double *out)
{
    static const char prefixes[] = "kMGTPE";
    if (text.n == 0 || text.p[text.n - 1] != 'B')
        return SIZE_NO_UNIT;
    text.n--;
    size_t n = 0;
    while (n < text.n && (memchr("+-.", text.p[n], 3) || (text.p[n] >= '0' && text.p[n] <= '9') ||
                          ((text.p[n] == 'e' || text.p[n] == 'E') && n + 1 < text.n && n > 0 &&
                           memchr("+-0123456789", text.p[n + 1], 12))))
        n++;
    if (!java_parse_double(bytes_of(text.p, n), out))
        return SIZE_MALFORMED;
    text = trimmed(bytes_skip(text, n));
    if (text.n == 0)
        return SIZE_OK;
    const char *prefix =
        text.p[0] == 'K' ? prefixes : memchr(prefixes, text.p[0], sizeof prefixes - 1);
    if (!prefix)
        return SIZE_MALFORMED;
    double power = (double)(prefix - prefixes) + 1;
    bool binary = text.n == 2 && text.p[1] == 'i';
    if (text.n > 1 && !binary)
        return SIZE_MALFORMED;
    *out *= binary ? pow(1024, power) : pow(1000, power);
    return SIZE_OK;
}

/* FBUtilities.prettyPrintMemory. */
static void print_size(double bytes, char *out, size_t n)
{
    int power = 0;
    for (; bytes >= 1024 && power < 6; power++)
        bytes /= 1024;
    if (power == 0)
        snprintf(out, n, "%.0fB", bytes);
    else
        snprintf(out, n, "%.3f%ciB", bytes, "?KMGTPE"[power]);
}

static err_t check_size(const struct check *c, const char *key, double *value)
{
    struct bytes v = get(c, key);
    if (!v.p)
        return OK;
    int outcome = parse_size(v, value);
    if (outcome == SIZE_NO_UNIT)
        return fail_set(c->fail, ERR_CONFIG,
                        "%s %.*s is not a valid size in bytes: %.*s does not end in unit B", key,
                        BYTES_FMT(v), BYTES_FMT(v));
    if (outcome == SIZE_MALFORMED)
        return fail_set(c->fail, ERR_CONFIG, "%s %.*s is not a valid size in bytes: null", key,
                        BYTES_FMT(v));
    if (*value >= 9223372036854775807.0)
        return fail_set(c->fail, ERR_CONFIG, "%s %.*s is out of range of Long.", key, BYTES_FMT(v));
    if (*value < 1048576)
        return fail_set(c->fail, ERR_CONFIG,
                        "%s %.*s is not acceptable, size must be at least 1.000MiB", key,
                        BYTES_FMT(v));
    return OK;
}

static err_t check_unified_sizes(const struct check *c)
{
    double target = 1024.0 * 1024 * 1024, flush, least;
    TRY(check_size(c, "target_sstable_size", &target));
    TRY(check_size(c, "flush_size_override", &flush));
    struct bytes v = get(c, "min_sstable_size");
    if (!v.p)
        return OK;
    if (parse_size(v, &least) != SIZE_OK)
        return fail_set(c->fail, ERR_CONFIG,
                        "%.*s is not a valid size in bytes for min_sstable_size", BYTES_FMT(v));
    if (least < 0)
        return fail_set(
            c->fail, ERR_CONFIG,
            "Invalid configuration, min_sstable_size should be greater than or equal to 0 (zero)");
    if (least >= ceil(target * sqrt(0.5))) {
        char least_text[40], target_text[40];
        print_size(least, least_text, sizeof least_text);
        print_size(target, target_text, sizeof target_text);
        return fail_set(c->fail, ERR_CONFIG,
                        "Invalid configuration, min_sstable_size (%s) should be less than 70%% of "
                        "the targetSSTableSize (%s)",
                        least_text, target_text);
    }
    return OK;
}

static err_t check_unified(const struct check *c)
{
    TRY(check_scaling(c));
    struct bytes v = get(c, "base_shard_count");
    int32_t n;
    if (v.p) {
        if (!option_int(v, &n))
            return not_an_int(c, "base_shard_count", v);
        if (n <= 0)
            return fail_set(c->fail, ERR_CONFIG,
                            "Invalid configuration, base_shard_count should be positive: %d", n);
    }
    TRY(check_unified_sizes(c));
    v = get(c, "max_sstables_to_compact");
    if (v.p && !option_int(v, &n))
        return not_an_int(c, "max_sstables_to_compact", v);
    int64_t frequency;
    static const char frequency_key[] = "expired_sstable_check_frequency_seconds";
    v = get(c, frequency_key);
    if (v.p && !option_long(v, &frequency))
        return fail_set(c->fail, ERR_CONFIG, "%.*s is not a parsable long (base10) for %s",
                        BYTES_FMT(v), frequency_key);
    if (v.p && frequency <= 0)
        return fail_set(c->fail, ERR_CONFIG, "Invalid configuration, %s should be positive: %lld",
                        frequency_key, (long long)frequency);
    v = get(c, "unsafe_aggressive_sstable_expiration");
    if (v.p && !is_true_or_false(v))
        return fail_set(
            c->fail, ERR_CONFIG,
            "unsafe_aggressive_sstable_expiration should either be 'true' or 'false', not %.*s",
            BYTES_FMT(v));
    v = get(c, "overlap_inclusion_method");
    if (v.p && !bytes_equal_nocase(v, bytes_str("NONE")) &&
        !bytes_equal_nocase(v, bytes_str("SINGLE")) &&
        !bytes_equal_nocase(v, bytes_str("TRANSITIVE")))
        return fail_set(c->fail, ERR_CONFIG,
                        "Invalid overlap inclusion method %.*s. The valid options are [NONE, "
                        "SINGLE, TRANSITIVE].",
                        BYTES_FMT(v));
    v = get(c, "sstable_growth");
    if (!v.p)
        return OK;
    struct bytes digits = trimmed(v);
    bool percent = digits.n && digits.p[digits.n - 1] == '%';
    if (percent)
        digits.n--;
    double growth;
    if (!java_parse_double(digits, &growth))
        return fail_set(
            c->fail, ERR_CONFIG,
            "sstable_growth is not a valid number between 0 and 1: For input string: \"%.*s\"",
            BYTES_FMT(digits));
    if (percent)
        growth /= 100;
    if (growth < 0 || growth > 1)
        return fail_set(c->fail, ERR_CONFIG, "sstable_growth %.*s must be between 0 and 1",
                        BYTES_FMT(v));
    return OK;
}

/* --- Names, thresholds ---------------------------------------------------------------------------- */

static const char *const common_keys[] = {"class",
                                          "tombstone_threshold",
                                          "tombstone_compaction_interval",
                                          "unchecked_tombstone_compaction",
                                          "log_all",
                                          "enabled",
                                          "only_purge_repaired_tombstones",
                                          "provide_overlapping_tombstones",
                                          NULL};
static const char *const size_tiered_keys[] = {"min_threshold", "max_threshold", "min_sstable_size",
                                               "bucket_low",    "bucket_high",   NULL};
static const char *const leveled_keys[] = {"sstable_size_in_mb", "fanout_size",
                                           "single_sstable_uplevel", NULL};
static const char *const time_window_keys[] = {"compaction_window_size",
                                               "compaction_window_unit",
                                               "timestamp_resolution",
                                               "expired_sstable_check_frequency_seconds",
                                               "unsafe_aggressive_sstable_expiration",
                                               NULL};
static const char *const unified_keys[] = {"scaling_parameters",
                                           "base_shard_count",
                                           "target_sstable_size",
                                           "flush_size_override",
                                           "max_sstables_to_compact",
                                           "expired_sstable_check_frequency_seconds",
                                           "unsafe_aggressive_sstable_expiration",
                                           "overlap_inclusion_method",
                                           "min_sstable_size",
                                           "sstable_growth",
                                           NULL};
static const char *const no_keys[] = {NULL};
static const char *const *const own_keys[] = {no_keys, leveled_keys, time_window_keys,
                                              unified_keys};

static err_t check_names(const struct check *c, enum strategy strategy)
{
    if (c->m->count > 64)
        return fail_set(c->fail, ERR_CONFIG, "Too many compaction sub-options: %zu", c->m->count);
    struct bytes unknown[64];
    size_t count = 0;
    for (size_t i = 0; i < c->m->count; i++) {
        struct bytes key = c->m->items[i].key;
        if (!is_one_of(key, common_keys) && !is_one_of(key, own_keys[strategy]) &&
            (strategy == UNIFIED || !is_one_of(key, size_tiered_keys)))
            unknown[count++] = key;
    }
    if (!count)
        return OK;
    struct arena a;
    arena_init(&a, 0);
    struct buf keys = buf_in(&a);
    option_keys_print(&a, unknown, count, c->m->count - 1, &keys);
    err_t err = fail_set(c->fail, ERR_CONFIG, "Properties specified %.*s are not understood by %s",
                         BYTES_FMT(buf_bytes(&keys)), strategies[strategy]);
    arena_free(&a);
    return err;
}

static err_t read_threshold(const struct check *c, const char *key, int32_t *value)
{
    struct bytes v = get(c, key);
    if (!v.p)
        return OK;
    if (v.n == 0 || v.p[0] == '-' || v.p[0] == '+' || !option_int(v, value))
        return fail_set(c->fail, ERR_CONFIG,
                        "Invalid value %.*s for '%s' compaction sub-option - must be an integer",
                        BYTES_FMT(v), key);
    return OK;
}

err_t compaction_check(const struct option_map *m, struct fail *fail)
{
    static err_t (*const checks[])(const struct check *) = {check_size_tiered, check_leveled,
                                                            check_time_window, check_unified};
    struct check c = {m, fail};
    enum strategy strategy = strategy_of(option_map_get_str(m, "class"));
    ensure(strategy < STRATEGIES);
    TRY(check_common(&c));
    TRY(checks[strategy](&c));
    TRY(check_names(&c, strategy));
    int32_t min = 4, max = 32;
    TRY(read_threshold(&c, "min_threshold", &min));
    TRY(read_threshold(&c, "max_threshold", &max));
    if (min <= 0 || max <= 0)
        return fail_set(fail, ERR_CONFIG,
                        "Disabling compaction by setting compaction thresholds to 0 has been "
                        "removed, set the compaction "
                        "option 'enabled' to false instead.");
    if (min <= 1)
        return fail_set(fail, ERR_CONFIG, "Min compaction threshold cannot be less than 2 (got %d)",
                        min);
    if (min > max)
        return fail_set(fail, ERR_CONFIG,
                        "Min compaction threshold (got %d) cannot be greater than max compaction "
                        "threshold (got %d)",
                        min, max);
    return OK;
}
