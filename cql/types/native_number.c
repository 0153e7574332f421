/* Integers of 1 to 8 bytes (and counters, whose value is their total), booleans, floats and doubles. */
#include "cql/types/number.h"
#include "cql/types/ops.h"

int64_t integer_load(struct bytes v)
{
    switch (v.n) {
    case 1: return (int8_t)v.p[0];
    case 2: return (int16_t)load_be16(v.p);
    case 4: return (int32_t)load_be32(v.p);
    case 8: return (int64_t)load_be64(v.p);
    default: return 0;
    }
}

err_t integer_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    switch (t->id) {
    case TYPE_TINYINT:
        if (v.n == 1)
            return OK;
        return fail_set(fail, ERR_INVALID, "Expected 1 byte for a tinyint (%zu)", v.n);
    case TYPE_SMALLINT:
        if (v.n == 2)
            return OK;
        return fail_set(fail, ERR_INVALID, "Expected 2 bytes for a smallint (%zu)", v.n);
    case TYPE_INT:
        if (v.n == 4 || v.n == 0)
            return OK;
        return fail_set(fail, ERR_INVALID, "Expected 4 or 0 byte int (%zu)", v.n);
    default:
        if (v.n == 8 || v.n == 0)
            return OK;
        return fail_set(fail, ERR_INVALID, "Expected 8 or 0 byte long (%zu)", v.n);
    }
}

int integer_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    int64_t x = integer_load(a), y = integer_load(b);
    return (x > y) - (x < y);
}

void integer_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_printf(out, "%lld", (long long)integer_load(v));
}

bool integer_parse(struct bytes text, int64_t min, int64_t max, int64_t *out)
{
    size_t at = 0;
    bool negative = false;
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+'))
        negative = text.p[at++] == '-';
    if (at == text.n)
        return false;
    uint64_t limit = negative ? (uint64_t) - (min + 1) + 1 : (uint64_t)max, x = 0;
    for (; at < text.n; at++) {
        unsigned digit = (unsigned)(text.p[at] - '0');
        if (digit > 9 || x > (limit - digit) / 10)
            return false;
        x = x * 10 + digit;
        if (x > limit)
            return false;
    }
    *out = (int64_t)(negative ? 0 - x : x);
    return true;
}

err_t integer_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                        struct fail *fail)
{
    int64_t x = 0;
    switch (t->id) {
    case TYPE_TINYINT:
        if (!integer_parse(text, INT8_MIN, INT8_MAX, &x))
            return fail_set(fail, ERR_INVALID, "Unable to make byte from '%.*s'", BYTES_FMT(text));
        *out = value_of_i8(a, (int8_t)x);
        return OK;
    case TYPE_SMALLINT:
        if (!integer_parse(text, INT16_MIN, INT16_MAX, &x))
            return fail_set(fail, ERR_INVALID, "Unable to make short from '%.*s'", BYTES_FMT(text));
        *out = value_of_i16(a, (int16_t)x);
        return OK;
    case TYPE_INT:
        if (!integer_parse(text, INT32_MIN, INT32_MAX, &x))
            return fail_set(fail, ERR_INVALID, "Unable to make int from '%.*s'", BYTES_FMT(text));
        *out = value_of_i32(a, (int32_t)x);
        return OK;
    default:
        if (!integer_parse(text, INT64_MIN, INT64_MAX, &x))
            return fail_set(fail, ERR_INVALID, "Unable to make long from '%.*s'", BYTES_FMT(text));
        *out = value_of_i64(a, x);
        return OK;
    }
}

/* --- boolean: any byte but zero is true ------------------------------------------------------- */

err_t boolean_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n <= 1)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 1 or 0 byte value (%zu)", v.n);
}

int boolean_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return (a.p[0] != 0) - (b.p[0] != 0);
}

void boolean_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_put_str(out, v.p[0] != 0 ? "true" : "false");
}

err_t boolean_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                        struct fail *fail)
{
    (void)t;
    if (text.n == 0 || bytes_equal_nocase(text, bytes_str("false"))) {
        *out = value_of_bool(a, false);
        return OK;
    }
    if (bytes_equal_nocase(text, bytes_str("true"))) {
        *out = value_of_bool(a, true);
        return OK;
    }
    return fail_set(fail, ERR_INVALID, "Unable to make boolean from '%.*s'", BYTES_FMT(text));
}

/* --- float and double: Java's order, -0.0 before 0.0 and every NaN after infinity --------------- */

err_t float4_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 4 || v.n == 0)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 4 or 0 byte value for a float (%zu)", v.n);
}

err_t float8_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 8 || v.n == 0)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 8 or 0 byte value for a double (%zu)", v.n);
}

static int compare_double(double x, double y)
{
    if (x < y)
        return -1;
    if (x > y)
        return 1;
    bool nan_x = x != x, nan_y = y != y;
    if (nan_x || nan_y)
        return nan_x - nan_y;
    return (__builtin_signbit(y) != 0) - (__builtin_signbit(x) != 0);
}

int float4_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    if (a.n != 4 || b.n != 4)
        return bytes_compare(a, b);
    return compare_double((double)value_float(a), (double)value_float(b));
}

int float8_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    if (a.n != 8 || b.n != 8)
        return bytes_compare(a, b);
    return compare_double(value_double(a), value_double(b));
}

void float4_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    if (v.n == 4)
        java_print_float(value_float(v), out);
}

void float8_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    if (v.n == 8)
        java_print_double(value_double(v), out);
}

/* JSON has no NaN and no infinities. */
void floating_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    double d = 0;
    if (t->id == TYPE_FLOAT && v.n == 4)
        d = (double)value_float(v);
    if (t->id == TYPE_DOUBLE && v.n == 8)
        d = value_double(v);
    if (__builtin_isfinite(d))
        type_to_text(t, v, out);
    else
        buf_put_str(out, "null");
}

err_t float4_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                       struct fail *fail)
{
    (void)t;
    float f;
    if (!java_parse_float(text, &f))
        return fail_set(fail, ERR_INVALID, "Unable to make float from '%.*s'", BYTES_FMT(text));
    *out = value_of_float(a, f);
    return OK;
}

err_t float8_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                       struct fail *fail)
{
    (void)t;
    double d;
    if (!java_parse_double(text, &d))
        return fail_set(fail, ERR_INVALID, "Unable to make double from '%.*s'", BYTES_FMT(text));
    *out = value_of_double(a, d);
    return OK;
}
