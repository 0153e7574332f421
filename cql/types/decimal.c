/* Decimals of any size: [int scale][varint unscaled], as Java's BigDecimal. A scale is any 32-bit number, so nothing here multiplies a
 * number out before it has checked how large that would be. */
#include "cql/types/big.h"
#include "cql/types/key.h"
#include "cql/types/ops.h"

#include <math.h>
#include <stdlib.h>

err_t number_overflow(struct fail *fail)
{
    return fail_set(fail, ERR_FUNCTION_FAILURE, "BigInteger would overflow supported range");
}

void decimal_init(struct decimal *d, struct bytes v)
{
    d->scale = v.n >= 4 ? (int32_t)load_be32(v.p) : 0;
    big_init(d->unscaled, v.n > 4 ? bytes_skip(v, 4) : bytes_of("", 0));
}

void decimal_clear(struct decimal *d)
{
    mpz_clear(d->unscaled);
}

err_t decimal_serialize(const struct decimal *d, struct arena *a, struct bytes *out,
                        struct fail *fail)
{
    int64_t scale = d->scale;
    if (scale != (int32_t)scale) {
        if (mpz_sgn(d->unscaled) != 0)
            return fail_set(fail, ERR_FUNCTION_FAILURE, scale > 0 ? "Underflow" : "Overflow");
        scale = scale > 0 ? INT32_MAX : INT32_MIN;
    }
    if (mpz_sizeinbase(d->unscaled, 2) / 8 + 1 > NUMBER_BYTES_MAX)
        return number_overflow(fail);
    struct bytes v = big_bytes(d->unscaled, 4, a);
    store_be32((uint8_t *)v.p, (uint32_t)(int32_t)scale);
    *out = v;
    return OK;
}

err_t decimal_serialize_any(const struct decimal *d, struct arena *a, struct bytes *out)
{
    if (d->scale != (int32_t)d->scale)
        return ERR_CORRUPT;
    struct bytes v = big_bytes(d->unscaled, 4, a);
    store_be32((uint8_t *)v.p, (uint32_t)(int32_t)d->scale);
    *out = v;
    return OK;
}

int64_t big_digits(const mpz_t x)
{
    if (mpz_sgn(x) == 0)
        return 1;
    size_t n = mpz_sizeinbase(x, 10); /* exact or one too many */
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, n - 1);
    if (mpz_cmpabs(x, power) < 0)
        n--;
    mpz_clear(power);
    return (int64_t)n;
}

bool big_scale_up(mpz_t x, int64_t n)
{
    if (mpz_sgn(x) == 0 || n <= 0)
        return true;
    if (n > NUMBER_DIGITS_MAX || mpz_sizeinbase(x, 10) + (size_t)n > 2 * NUMBER_DIGITS_MAX)
        return false;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)n);
    mpz_mul(x, x, power);
    mpz_clear(power);
    return true;
}

void big_divide(mpz_t q, const mpz_t x, const mpz_t y, enum rounding mode)
{
    mpz_t r;
    mpz_init(r);
    int sign = mpz_sgn(x) * mpz_sgn(y);
    if (mode == ROUND_FLOOR) {
        mpz_fdiv_q(q, x, y);
    } else {
        mpz_t divisor;
        mpz_init_set(divisor, y); /* q may be y */
        mpz_tdiv_qr(q, r, x, y);
        mpz_mul_2exp(r, r, 1);
        int half = mpz_cmpabs(r, divisor);
        if (mode != ROUND_DOWN &&
            (half > 0 || (half == 0 && (mode == ROUND_HALF_UP || mpz_odd_p(q))))) {
            if (sign < 0)
                mpz_sub_ui(q, q, 1);
            else
                mpz_add_ui(q, q, 1);
        }
        mpz_clear(divisor);
    }
    mpz_clear(r);
}

void big_scale_down(mpz_t x, int64_t n, enum rounding mode)
{
    if (n <= 0 || mpz_sgn(x) == 0)
        return;
    if ((uint64_t)n > mpz_sizeinbase(x, 10) + 1) { /* less than a tenth */
        mpz_set_si(x, mode == ROUND_FLOOR && mpz_sgn(x) < 0 ? -1 : 0);
        return;
    }
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)n);
    big_divide(x, x, power, mode);
    mpz_clear(power);
}

struct bytes decimal_of_i64(struct arena *a, int64_t unscaled, int32_t scale)
{
    return decimal_of_varint_scaled(a, varint_of_i64(a, unscaled), scale);
}

struct bytes decimal_of_varint_scaled(struct arena *a, struct bytes varint, int32_t scale)
{
    uint8_t *p = arena_alloc(a, 4 + varint.n);
    store_be32(p, (uint32_t)scale);
    if (varint.n)
        memcpy(p + 4, varint.p, varint.n);
    return bytes_of(p, 4 + varint.n);
}

struct bytes decimal_of_varint(struct arena *a, struct bytes varint)
{
    return decimal_of_varint_scaled(a, varint_stripped(varint), 0);
}

struct bytes decimal_of_double(struct arena *a, double d)
{
    struct buf text = {0};
    java_print_double(d, &text);
    struct bytes out = decimal_of_i64(a, 0, 1);
    decimal_parse(buf_bytes(&text), a, &out);
    buf_free(&text);
    return out;
}

double decimal_double(struct bytes v)
{
    struct buf text = {0};
    decimal_print(v, &text);
    buf_u8(&text, 0);
    double d = strtod((const char *)text.p, NULL);
    buf_free(&text);
    return d;
}

int32_t decimal_scale(struct bytes v)
{
    return v.n >= 4 ? (int32_t)load_be32(v.p) : 0;
}

static struct bytes unscaled_of(struct bytes v)
{
    return v.n > 4 ? bytes_skip(v, 4) : bytes_of("", 0);
}

int64_t decimal_precision(struct bytes v)
{
    mpz_t x;
    big_init(x, unscaled_of(v));
    int64_t n = big_digits(x);
    mpz_clear(x);
    return n;
}

int decimal_sign(struct bytes v)
{
    return varint_sign(unscaled_of(v));
}

/* Both of one sign. Whichever has clearly more digits before the point is further from zero; else both are near enough for the coarser
 * scale to be brought to the finer one. */
static int compare_magnitudes(struct decimal *x, struct decimal *y)
{
    int64_t size_x = (int64_t)mpz_sizeinbase(x->unscaled, 10) - x->scale;
    int64_t size_y = (int64_t)mpz_sizeinbase(y->unscaled, 10) - y->scale;
    if (size_x > size_y + 1)
        return 1;
    if (size_y > size_x + 1)
        return -1;
    struct decimal *coarse = x->scale < y->scale ? x : y, *fine = coarse == x ? y : x;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)(fine->scale - coarse->scale));
    mpz_mul(coarse->unscaled, coarse->unscaled, power);
    mpz_clear(power);
    return mpz_cmpabs(x->unscaled, y->unscaled);
}

int decimal_compare(struct bytes x, struct bytes y)
{
    int sign = decimal_sign(x), sign_y = decimal_sign(y);
    if (sign != sign_y)
        return sign < sign_y ? -1 : 1;
    if (sign == 0)
        return 0;
    if (decimal_scale(x) == decimal_scale(y))
        return varint_compare(unscaled_of(x), unscaled_of(y));
    struct decimal a, b;
    decimal_init(&a, x);
    decimal_init(&b, y);
    int c = compare_magnitudes(&a, &b);
    decimal_clear(&a);
    decimal_clear(&b);
    return sign < 0 ? -c : c;
}

/* Reads an exponent's [sign] digits, all of text. Java wants at most ten digits behind leading zeros, and 32 bits. */
static bool parse_exponent(struct bytes text, int64_t *out)
{
    size_t at = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    if (at == text.n)
        return false;
    while (text.n - at > 10 && text.p[at] == '0')
        at++;
    int64_t x = 0;
    if (text.n - at > 10)
        return false;
    for (; at < text.n; at++) {
        if (text.p[at] < '0' || text.p[at] > '9')
            return false;
        x = x * 10 + (text.p[at] - '0');
    }
    *out = text.p[0] == '-' ? -x : x;
    return *out == (int32_t)*out;
}

bool decimal_parse(struct bytes text, struct arena *a, struct bytes *out)
{
    size_t at = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    struct buf digits = buf_in(a);
    if (at && text.p[0] == '-')
        buf_u8(&digits, '-');
    size_t sign_n = digits.n;
    int64_t scale = 0, exponent = 0;
    bool point = false;
    if (text.n > NUMBER_DIGITS_MAX)
        return false;
    for (; at < text.n; at++) {
        uint8_t c = text.p[at];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            buf_u8(&digits, c);
            scale += point;
        } else {
            break;
        }
    }
    if (digits.n == sign_n)
        return false;
    if (at < text.n &&
        ((text.p[at] | 0x20) != 'e' || !parse_exponent(bytes_skip(text, at + 1), &exponent)))
        return false;
    scale -= exponent;
    struct bytes varint;
    if (scale != (int32_t)scale || !varint_parse(buf_bytes(&digits), a, &varint))
        return false;
    *out = decimal_of_varint_scaled(a, varint, (int32_t)scale);
    return true;
}

static void print_digits(struct bytes digits, int64_t scale, struct buf *out)
{
    int64_t exponent = (int64_t)digits.n - 1 - scale; /* of the first digit */
    if (scale == 0) {
        buf_put_bytes(out, digits);
    } else if (scale > 0 && exponent >= -6) {
        size_t whole = exponent >= 0 ? (size_t)exponent + 1 : 0;
        if (whole == 0)
            buf_u8(out, '0');
        buf_put(out, digits.p, whole);
        buf_u8(out, '.');
        for (int64_t i = exponent + 1; i < 0; i++)
            buf_u8(out, '0');
        buf_put_bytes(out, bytes_skip(digits, whole));
    } else {
        buf_u8(out, digits.p[0]);
        if (digits.n > 1) {
            buf_u8(out, '.');
            buf_put_bytes(out, bytes_skip(digits, 1));
        }
        if (exponent != 0)
            buf_printf(out, "E%+lld", (long long)exponent);
    }
}

void decimal_print(struct bytes v, struct buf *out)
{
    struct buf text = {0};
    if (v.n >= 4) {
        varint_print(v.n > 4 ? unscaled_of(v) : bytes_of("\0", 1), &text);
        struct bytes digits = buf_bytes(&text);
        if (digits.p[0] == '-') {
            buf_u8(out, '-');
            digits = bytes_skip(digits, 1);
        }
        print_digits(digits, decimal_scale(v), out);
    }
    buf_free(&text);
}

err_t decimal_set_scale(struct bytes v, int32_t scale, enum rounding mode, struct arena *a,
                        struct bytes *out, struct fail *fail)
{
    struct decimal d;
    decimal_init(&d, v);
    bool fits = big_scale_up(d.unscaled, scale - d.scale);
    big_scale_down(d.unscaled, d.scale - scale, mode);
    d.scale = scale;
    err_t err = fits ? decimal_serialize(&d, a, out, fail) : number_overflow(fail);
    decimal_clear(&d);
    return err;
}

err_t decimal_divide(struct bytes x, struct bytes y, int32_t scale, enum rounding mode,
                     struct arena *a, struct bytes *out, struct fail *fail)
{
    struct decimal p, q;
    err_t err = OK;
    decimal_init(&p, x);
    decimal_init(&q, y);
    int64_t raise = scale + q.scale - p.scale;
    if (mpz_sgn(q.unscaled) == 0) {
        err = fail_set(fail, ERR_FUNCTION_FAILURE, "/ by zero");
    } else if (raise >= 0) {
        if (!big_scale_up(p.unscaled, raise))
            err = number_overflow(fail);
    } else if (-raise > (int64_t)mpz_sizeinbase(p.unscaled, 10) + 1) {
        /* Less than a hundredth whatever the divisor: one digit less decides the same rounding. */
        mpz_set_si(p.unscaled, mpz_sgn(p.unscaled) * mpz_sgn(q.unscaled));
        mpz_set_ui(q.unscaled, 100);
    } else if (!big_scale_up(q.unscaled, -raise)) {
        err = number_overflow(fail);
    }
    if (err == OK) {
        big_divide(p.unscaled, p.unscaled, q.unscaled, mode);
        p.scale = scale;
        err = decimal_serialize(&p, a, out, fail);
    }
    decimal_clear(&p);
    decimal_clear(&q);
    return err;
}

void decimal_strip(struct decimal *d)
{
    if (mpz_sgn(d->unscaled) == 0) {
        d->scale = 0;
        return;
    }
    /* Trailing zeros number no more than factors of two. */
    mpz_t five, q;
    mpz_init_set_ui(five, 5);
    mpz_init(q);
    unsigned long twos = mpz_scan1(d->unscaled, 0);
    unsigned long fives = mpz_remove(q, d->unscaled, five);
    int64_t zeros = (int64_t)(twos < fives ? twos : fives);
    if (d->scale - zeros < INT32_MIN)
        zeros = d->scale - INT32_MIN;
    if (zeros > 0)
        big_scale_down(d->unscaled, zeros, ROUND_DOWN);
    d->scale -= zeros;
    mpz_clear(q);
    mpz_clear(five);
}

struct bytes decimal_strip_zeros(struct arena *a, struct bytes v)
{
    struct decimal d;
    struct bytes out = v;
    decimal_init(&d, v);
    decimal_strip(&d);
    if (decimal_serialize(&d, a, &out, NULL) != OK)
        out = v;
    decimal_clear(&d);
    return out;
}

/* --- the type --------------------------------------------------------------------------------------- */

err_t decimal_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    /* Cassandra accepts a scale without a number too, and then fails wherever it reads one; here it is a zero. */
    if (v.n == 0 || v.n >= 4)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 0 or at least 4 bytes (%zu)", v.n);
}

int decimal_type_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return decimal_compare(a, b);
}

void decimal_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    decimal_print(v, out);
}

err_t decimal_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                        struct fail *fail)
{
    (void)t;
    if (decimal_parse(text, a, out))
        return OK;
    return fail_set(fail, ERR_INVALID, "unable to make BigDecimal from '%.*s'", BYTES_FMT(text));
}

/* --- key ----------------------------------------------------------------------------------------------
 * 0.d1d2d3… × 10^e with d1 not zero. e in one byte (80 + e) from -100 to 100, else 10 or F0 and e + 2^39 in five bytes; then the
 * digits in pairs, each pair + 2, without trailing zeros, and 00. All behind the tag is inverted for a negative number. */

#define EXPONENT_SHORT_MAX 100
#define EXPONENT_LOW       0x10
#define EXPONENT_HIGH      0xF0
#define EXPONENT_BIAS      (INT64_C(1) << 39)

static void key_put_exponent(int64_t e, struct buf *out)
{
    if (e >= -EXPONENT_SHORT_MAX && e <= EXPONENT_SHORT_MAX) {
        buf_u8(out, (uint8_t)(0x80 + e));
        return;
    }
    uint64_t biased = (uint64_t)(e + EXPONENT_BIAS);
    buf_u8(out, e < 0 ? EXPONENT_LOW : EXPONENT_HIGH);
    buf_u8(out, (uint8_t)(biased >> 32));
    buf_be32(out, (uint32_t)biased);
}

void decimal_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    mpz_t x;
    big_init(x, unscaled_of(v));
    int sign = mpz_sgn(x);
    if (sign == 0) {
        buf_u8(out, KEY_DECIMAL_ZERO);
        mpz_clear(x);
        return;
    }
    mpz_abs(x, x);
    char *digits = mpz_get_str(NULL, 10, x);
    mpz_clear(x);
    size_t n = strlen(digits);
    int64_t exponent = (int64_t)n - decimal_scale(v);
    while (digits[n - 1] == '0')
        n--;
    buf_u8(out, sign < 0 ? KEY_DECIMAL_NEGATIVE : KEY_DECIMAL_POSITIVE);
    size_t start = out->n;
    key_put_exponent(exponent, out);
    for (size_t i = 0; i < n; i += 2)
        buf_u8(out, (uint8_t)((digits[i] - '0') * 10 + (i + 1 < n ? digits[i + 1] - '0' : 0) + 2));
    buf_u8(out, KEY_END);
    free(digits);
    if (sign < 0)
        for (size_t i = start; i < out->n; i++)
            out->p[i] = (uint8_t)~out->p[i];
}

/* Exponent and pairs behind the tag, inverted by mask; the end is read. */
static err_t key_parts(uint8_t mask, struct cur *c, int64_t *exponent, struct bytes *pairs)
{
    uint8_t first = cur_u8(c) ^ mask;
    if (first == EXPONENT_LOW || first == EXPONENT_HIGH) {
        uint64_t biased = (uint64_t)(cur_u8(c) ^ mask) << 32;
        uint32_t low = cur_be32(c);
        biased |= mask ? ~low : low;
        *exponent = (int64_t)biased - EXPONENT_BIAS;
    } else {
        *exponent = (int64_t)first - 0x80;
        if (*exponent < -EXPONENT_SHORT_MAX || *exponent > EXPONENT_SHORT_MAX)
            return ERR_CORRUPT;
    }
    if (c->bad)
        return ERR_CORRUPT;
    const uint8_t *end = memchr(c->p, KEY_END ^ mask, cur_left(c));
    if (end == NULL || end == c->p)
        return ERR_CORRUPT;
    *pairs = bytes_of(c->p, (size_t)(end - c->p));
    c->p = end + 1;
    return OK;
}

err_t decimal_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)t;
    int64_t exponent;
    struct bytes pairs;
    if (tag == KEY_DECIMAL_ZERO)
        return OK;
    if (tag == KEY_DECIMAL_NEGATIVE)
        return key_parts(mask ^ 0xFF, c, &exponent, &pairs);
    return tag == KEY_DECIMAL_POSITIVE ? key_parts(mask, c, &exponent, &pairs) : ERR_CORRUPT;
}

/* The canonical value: no trailing zeros but where the scale would not fit 32 bits without them. */
err_t decimal_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                         struct bytes *out)
{
    (void)t;
    if (tag == KEY_DECIMAL_ZERO) {
        *out = decimal_of_i64(a, 0, 0);
        return OK;
    }
    if (tag != KEY_DECIMAL_NEGATIVE && tag != KEY_DECIMAL_POSITIVE)
        return ERR_CORRUPT;
    uint8_t mask = tag == KEY_DECIMAL_NEGATIVE ? 0xFF : 0;
    int64_t exponent;
    struct bytes pairs;
    TRY(key_parts(mask, c, &exponent, &pairs));
    char *digits = arena_alloc(a, pairs.n * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; i < pairs.n; i++) {
        unsigned pair = (unsigned)(pairs.p[i] ^ mask) - 2;
        if (pair > 99)
            return ERR_CORRUPT;
        digits[n++] = (char)('0' + pair / 10);
        digits[n++] = (char)('0' + pair % 10);
    }
    if (digits[n - 1] == '0')
        n--;
    if (digits[0] == '0' || digits[n - 1] == '0')
        return ERR_CORRUPT;
    digits[n] = 0;
    struct decimal d = {.scale = (int64_t)n - exponent};
    mpz_init(d.unscaled);
    mpz_set_str(d.unscaled, digits, 10);
    if (mask)
        mpz_neg(d.unscaled, d.unscaled);
    err_t err = OK;
    if (d.scale < INT32_MIN) {
        if (!big_scale_up(d.unscaled, INT32_MIN - d.scale))
            err = ERR_CORRUPT;
        d.scale = INT32_MIN;
    }
    if (err == OK && decimal_serialize_any(&d, a, out) != OK)
        err = ERR_CORRUPT;
    decimal_clear(&d);
    return err;
}
