/* Conversions and fixed-size arithmetic on serialised numbers; decimals and varints are handed to number_big.c. See number.h. */
#include "cql/types/big.h"
#include "cql/types/ops.h"

#include <math.h>
#include <stdlib.h>

static err_t by_zero(struct fail *fail)
{
    return fail_set(fail, ERR_FUNCTION_FAILURE, "/ by zero");
}

/* BigDecimal.longValue: the low 64 bits of the whole part. Ten to the 64th and up is a multiple of 2^64. */
static int64_t decimal_i64(struct bytes v)
{
    struct decimal d;
    decimal_init(&d, v);
    int64_t x = 0;
    if (d.scale > -64) {
        big_scale_up(d.unscaled, -d.scale);
        big_scale_down(d.unscaled, d.scale, ROUND_DOWN);
        mpz_t low;
        mpz_init(low);
        mpz_fdiv_r_2exp(low, d.unscaled, 64);
        x = (int64_t)mpz_get_ui(low);
        mpz_clear(low);
    }
    decimal_clear(&d);
    return x;
}

int64_t number_i64(enum type_id type, struct bytes v)
{
    switch (type) {
    case TYPE_FLOAT: return v.n == 4 ? java_i64_of_double((double)value_float(v)) : 0;
    case TYPE_DOUBLE: return v.n == 8 ? java_i64_of_double(value_double(v)) : 0;
    case TYPE_VARINT: return varint_i64(v);
    case TYPE_DECIMAL: return decimal_i64(v);
    default: return integer_load(v);
    }
}

/* Number.intValue(): floating-point numbers saturate at 32 bits, all others wrap. */
static int32_t number_i32(enum type_id type, struct bytes v)
{
    if (type == TYPE_FLOAT)
        return v.n == 4 ? java_i32_of_double((double)value_float(v)) : 0;
    if (type == TYPE_DOUBLE)
        return v.n == 8 ? java_i32_of_double(value_double(v)) : 0;
    return (int32_t)number_i64(type, v);
}

static double double_of_text(enum type_id type, struct bytes v, bool to_float)
{
    struct buf text = {0};
    if (type == TYPE_DECIMAL)
        decimal_print(v, &text);
    else
        varint_print(v, &text);
    buf_u8(&text, 0);
    const char *s = (const char *)text.p;
    double d = to_float ? (double)strtof(s, NULL) : strtod(s, NULL);
    buf_free(&text);
    return d;
}

double number_double(enum type_id type, struct bytes v)
{
    switch (type) {
    case TYPE_FLOAT: return v.n == 4 ? (double)value_float(v) : 0;
    case TYPE_DOUBLE: return v.n == 8 ? value_double(v) : 0;
    case TYPE_VARINT:
    case TYPE_DECIMAL: return double_of_text(type, v, false);
    default: return (double)integer_load(v);
    }
}

/* Number.floatValue(), rounded once. */
static float number_float(enum type_id type, struct bytes v)
{
    if (type == TYPE_VARINT || type == TYPE_DECIMAL)
        return (float)double_of_text(type, v, true);
    if (type == TYPE_FLOAT || type == TYPE_DOUBLE)
        return (float)number_double(type, v);
    return (float)integer_load(v);
}

static err_t not_finite(double d, struct fail *fail)
{
    return fail_set(fail, ERR_FUNCTION_FAILURE,
                    isnan(d) ? "A NaN cannot be converted into a decimal"
                             : "An infinite number cannot be converted into a decimal");
}

/* CAST's conversion: a float by its own shortest text. */
static err_t cast_to_decimal(enum type_id from, struct bytes v, struct arena *a, struct bytes *out,
                             struct fail *fail)
{
    if (from == TYPE_VARINT) {
        *out = decimal_of_varint(a, v);
    } else if (from == TYPE_FLOAT || from == TYPE_DOUBLE) {
        double d = number_double(from, v);
        if (!isfinite(d))
            return not_finite(d, fail);
        struct buf text = buf_in(a);
        if (from == TYPE_FLOAT)
            java_print_float((float)d, &text);
        else
            java_print_double(d, &text);
        ensure(decimal_parse(buf_bytes(&text), a, out));
    } else {
        *out = decimal_of_i64(a, integer_load(v), 0);
    }
    return OK;
}

err_t number_cast(enum type_id to, enum type_id from, struct bytes v, struct arena *a,
                  struct bytes *out, struct fail *fail)
{
    if (to == from || (to == TYPE_COUNTER && from == TYPE_BIGINT) ||
        (to == TYPE_BIGINT && from == TYPE_COUNTER)) {
        *out = v;
        return OK;
    }
    switch (to) {
    case TYPE_TINYINT: *out = value_of_i8(a, (int8_t)number_i32(from, v)); return OK;
    case TYPE_SMALLINT: *out = value_of_i16(a, (int16_t)number_i32(from, v)); return OK;
    case TYPE_INT: *out = value_of_i32(a, number_i32(from, v)); return OK;
    case TYPE_BIGINT:
    case TYPE_COUNTER: *out = value_of_i64(a, number_i64(from, v)); return OK;
    case TYPE_FLOAT: *out = value_of_float(a, number_float(from, v)); return OK;
    case TYPE_DOUBLE: *out = value_of_double(a, number_double(from, v)); return OK;
    case TYPE_VARINT: *out = varint_of_i64(a, number_i64(from, v)); return OK;
    default: return cast_to_decimal(from, v, a, out, fail);
    }
}

/* Wrapping arithmetic in 64 bits; the caller narrows. Division by zero is told before. */
static int64_t integer_op(enum number_op op, int64_t x, int64_t y)
{
    switch (op) {
    case NUMBER_ADD: return (int64_t)((uint64_t)x + (uint64_t)y);
    case NUMBER_SUBTRACT: return (int64_t)((uint64_t)x - (uint64_t)y);
    case NUMBER_MULTIPLY: return (int64_t)((uint64_t)x * (uint64_t)y);
    case NUMBER_DIVIDE: return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
    default: return y == -1 ? 0 : x % y;
    }
}

static float float_op(enum number_op op, float x, float y)
{
    switch (op) {
    case NUMBER_ADD: return x + y;
    case NUMBER_SUBTRACT: return x - y;
    case NUMBER_MULTIPLY: return x * y;
    case NUMBER_DIVIDE: return x / y;
    default: return fmodf(x, y);
    }
}

static double double_op(enum number_op op, double x, double y)
{
    switch (op) {
    case NUMBER_ADD: return x + y;
    case NUMBER_SUBTRACT: return x - y;
    case NUMBER_MULTIPLY: return x * y;
    case NUMBER_DIVIDE: return x / y;
    default: return fmod(x, y);
    }
}

static struct bytes integer_value(enum type_id type, int64_t x, struct arena *a)
{
    switch (type) {
    case TYPE_TINYINT: return value_of_i8(a, (int8_t)x);
    case TYPE_SMALLINT: return value_of_i16(a, (int16_t)x);
    case TYPE_INT: return value_of_i32(a, (int32_t)x);
    default: return value_of_i64(a, x);
    }
}

/* NumberType's conversion of an operand: everything but a varint or decimal goes through a double. */
static err_t operand_to_decimal(enum type_id from, struct bytes v, struct arena *a,
                                struct bytes *out, struct fail *fail)
{
    if (from == TYPE_DECIMAL) {
        *out = v;
    } else if (from == TYPE_VARINT) {
        *out = decimal_of_varint(a, v);
    } else {
        double d = number_double(from, v);
        if (!isfinite(d))
            return not_finite(d, fail);
        *out = decimal_of_double(a, d);
    }
    return OK;
}

err_t number_binary(enum number_op op, enum type_id type, enum type_id left_type, struct bytes left,
                    enum type_id right_type, struct bytes right, struct arena *a, struct bytes *out,
                    struct fail *fail)
{
    struct bytes x, y;
    switch (type) {
    case TYPE_FLOAT:
        *out = value_of_float(
            a, float_op(op, number_float(left_type, left), number_float(right_type, right)));
        return OK;
    case TYPE_DOUBLE:
        *out = value_of_double(
            a, double_op(op, number_double(left_type, left), number_double(right_type, right)));
        return OK;
    case TYPE_VARINT:
        x = left_type == TYPE_VARINT ? left : varint_of_i64(a, number_i64(left_type, left));
        y = right_type == TYPE_VARINT ? right : varint_of_i64(a, number_i64(right_type, right));
        return varint_binary(op, x, y, a, out, fail);
    case TYPE_DECIMAL:
        TRY(operand_to_decimal(left_type, left, a, &x, fail));
        TRY(operand_to_decimal(right_type, right, a, &y, fail));
        return decimal_binary(op, x, y, a, out, fail);
    default: {
        /* byteValue and shortValue go through intValue, which saturates for floats: those never come with an integer result. */
        int64_t i = number_i64(left_type, left), k = number_i64(right_type, right);
        if (k == 0 && (op == NUMBER_DIVIDE || op == NUMBER_MODULO))
            return by_zero(fail);
        *out = integer_value(type, integer_op(op, i, k), a);
        return OK;
    }
    }
}

static double double_fn(enum number_fn fn, double x)
{
    switch (fn) {
    case NUMBER_NEGATE: return -x;
    case NUMBER_ABS: return fabs(x);
    case NUMBER_EXP: return exp(x);
    case NUMBER_LOG: return log(x);
    case NUMBER_LOG10: return log10(x);
    default: return (double)java_round_double(x);
    }
}

/* Java narrows the double to int before byte and short. */
static int64_t integer_fn(enum number_fn fn, enum type_id type, int64_t x)
{
    switch (fn) {
    case NUMBER_NEGATE: return (int64_t)(0 - (uint64_t)x);
    case NUMBER_ABS: return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
    case NUMBER_ROUND: return x;
    default: {
        double d = double_fn(fn, (double)x);
        bool wide = type == TYPE_BIGINT || type == TYPE_COUNTER;
        return wide ? java_i64_of_double(d) : java_i32_of_double(d);
    }
    }
}

enum type_id number_fn_type(enum number_fn fn, enum type_id type)
{
    (void)fn;
    return type;
}

err_t number_unary(enum number_fn fn, enum type_id type, struct bytes v, struct arena *a,
                   struct bytes *out, struct fail *fail)
{
    switch (type) {
    case TYPE_FLOAT: {
        float f = number_float(type, v);
        *out = value_of_float(a, fn == NUMBER_ROUND ? (float)java_round_float(f)
                                                    : (float)double_fn(fn, (double)f));
        return OK;
    }
    case TYPE_DOUBLE: *out = value_of_double(a, double_fn(fn, number_double(type, v))); return OK;
    case TYPE_VARINT: return varint_unary(fn, v, a, out, fail);
    case TYPE_DECIMAL: return decimal_unary(fn, v, a, out, fail);
    default: *out = integer_value(type, integer_fn(fn, type, integer_load(v)), a); return OK;
    }
}
