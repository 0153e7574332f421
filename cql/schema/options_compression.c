/* Compression options: checked as Cassandra's CompressionParams and its compressors do, kept and echoed. */
#include "cql/schema/options_priv.h"

#include "cql/types/number.h"

#define COMPRESS "org.apache.cassandra.io.compress."

enum compressor { LZ4, SNAPPY, DEFLATE, ZSTD, NOOP, COMPRESSORS };
static const char *const names[] = {"LZ4Compressor", "SnappyCompressor", "DeflateCompressor",
                                    "ZstdCompressor", "NoopCompressor"};

static enum compressor compressor_of(struct bytes class)
{
    struct bytes package = bytes_str(COMPRESS);
    if (bytes_starts_with(class, package))
        class = bytes_skip(class, package.n);
    int i = 0;
    while (i < COMPRESSORS && !bytes_equal_str(class, names[i]))
        i++;
    return (enum compressor)i;
}

static err_t bad_lz4_level(struct bytes v, struct fail *fail)
{
    return fail_set(fail, ERR_CONFIG,
                    "Invalid value [%.*s] for parameter 'lz4_high_compressor_level'. Value must be "
                    "between 1 and 17.",
                    BYTES_FMT(v));
}

static err_t check_lz4(const struct option_map *given, struct fail *fail)
{
    struct bytes type = option_map_get_str(given, "lz4_compressor_type");
    if (type.p && !bytes_equal_str(type, "fast") && !bytes_equal_str(type, "high"))
        return fail_set(fail, ERR_CONFIG,
                        "Invalid compressor type '%.*s' specified for LZ4 parameter "
                        "'lz4_compressor_type'. Valid options are "
                        "[high, fast].",
                        BYTES_FMT(type));
    struct bytes level = option_map_get_str(given, "lz4_high_compressor_level");
    int32_t n;
    if (level.p && (!option_int(level, &n) || n < 1 || n > 17))
        return bad_lz4_level(level, fail);
    return OK;
}

static err_t check_zstd(const struct option_map *given, struct fail *fail)
{
    struct bytes level = option_map_get_str(given, "compression_level");
    int32_t n;
    if (!level.p)
        return OK;
    if (!option_int(level, &n))
        return fail_set(fail, ERR_CONFIG,
                        "ZstdCompressor.create() threw an error: java.lang.NumberFormatException "
                        "For input string: \"%.*s\"",
                        BYTES_FMT(level));
    if (n < -131072 || n > 22)
        return fail_set(fail, ERR_CONFIG,
                        "ZstdCompressor.create() threw an error: "
                        "java.lang.IllegalArgumentException compression_level=%d is "
                        "invalid",
                        n);
    return OK;
}

static bool is_option_of(enum compressor compressor, struct bytes key)
{
    if (bytes_equal_str(key, "class") || bytes_equal_str(key, "enabled") ||
        bytes_equal_str(key, "chunk_length_in_kb") || bytes_equal_str(key, "min_compress_ratio"))
        return true;
    if (compressor == LZ4)
        return bytes_equal_str(key, "lz4_compressor_type") ||
               bytes_equal_str(key, "lz4_high_compressor_level");
    return compressor == ZSTD && bytes_equal_str(key, "compression_level");
}

/* Also writes the two numbers as Cassandra echoes them. */
static err_t read_numbers(struct arena *a, struct option_map *m, struct fail *fail)
{
    struct bytes chunk = option_map_get_str(m, "chunk_length_in_kb"),
                 ratio_text = option_map_get_str(m, "min_compress_ratio");
    int32_t kb = 16;
    if (chunk.p && !option_int(chunk, &kb))
        return fail_set(fail, ERR_CONFIG, "Invalid value for chunk_length_in_kb");
    if (kb > INT32_MAX / 1024)
        return fail_set(fail, ERR_CONFIG, "Value of chunk_length_in_kb is too large (%d)", kb);
    double ratio = 0;
    if (ratio_text.p && !java_parse_double(ratio_text, &ratio))
        return fail_set(fail, ERR_CONFIG, "Invalid value for min_compress_ratio");
    if (kb <= 0)
        return fail_set(fail, ERR_CONFIG, "Invalid negative or null chunk_length_in_kb");
    if ((kb & (kb - 1)) != 0)
        return fail_set(fail, ERR_CONFIG, "chunk_length_in_kb must be a power of 2");
    if (ratio < 0)
        return fail_set(fail, ERR_CONFIG, "Invalid negative min_compress_ratio");
    if (ratio > 0 && ratio < 1)
        return fail_set(fail, ERR_CONFIG,
                        "min_compress_ratio can either be 0 or greater than or equal to 1");
    option_map_put(a, m, bytes_str("chunk_length_in_kb"), arena_printf(a, "%d", kb));
    option_map_del(m, bytes_str("min_compress_ratio"));
    if (ratio != 0) {
        struct buf text = buf_in(a);
        java_print_double(ratio, &text);
        option_map_put(a, m, bytes_str("min_compress_ratio"), buf_bytes(&text));
    }
    return OK;
}

static err_t check_class(const struct option_map *given, enum compressor *out, struct fail *fail)
{
    struct bytes class = option_map_get_str(given, "class");
    if (!class.p)
        return fail_set(fail, ERR_CONFIG,
                        "Missing sub-option 'class' for the 'compression' option.");
    if (class.n == 0)
        return fail_set(
            fail, ERR_CONFIG,
            "The 'class' option must not be empty. To disable compression use 'enabled' : false");
    *out = compressor_of(class);
    if (*out == COMPRESSORS)
        return fail_set(fail, ERR_CONFIG, "Could not create Compression for type %s%.*s",
                        memchr(class.p, '.', class.n) ? "" : COMPRESS, BYTES_FMT(class));
    return OK;
}

err_t compression_read(struct arena *a, const struct option_map *given, struct option_map *out,
                       struct fail *fail)
{
    struct bytes enabled = option_map_get_str(given, "enabled");
    bool off = enabled.p && !bytes_equal_nocase(enabled, bytes_str("true"));
    if (off && given->count > 1)
        return fail_set(
            fail, ERR_CONFIG,
            "If the 'enabled' option is set to false no other options must be specified");
    *out = (struct option_map){0};
    if (off || given->count == 0) {
        option_map_put_str(a, out, "enabled", "false");
        return OK;
    }
    enum compressor compressor = COMPRESSORS;
    TRY(check_class(given, &compressor, fail));
    if (compressor == LZ4)
        TRY(check_lz4(given, fail));
    if (compressor == ZSTD)
        TRY(check_zstd(given, fail));
    for (size_t i = 0; i < given->count; i++)
        if (!is_option_of(compressor, given->items[i].key))
            return fail_set(fail, ERR_CONFIG, "Unknown compression options %.*s",
                            BYTES_FMT(given->items[i].key));
    *out = option_map_copy(a, given);
    option_map_del(out, bytes_str("enabled"));
    TRY(read_numbers(a, out, fail));
    option_map_put(a, out, bytes_str("class"),
                   arena_printf(a, "%s%s", COMPRESS, names[compressor]));
    return OK;
}
