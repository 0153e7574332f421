/* Integers of any size, two's complement and big endian as Java's BigInteger serialises them. Order and sign are told from the bytes;
 * only text and arithmetic need GMP. */
#include "cql/types/big.h"
#include "cql/types/key.h"
#include "cql/types/ops.h"

#include <stdlib.h>

/* Printing takes more than linear time: larger values, which no arithmetic gives, print in hex. */
#define PRINT_BYTES_MAX ((size_t)1 << 20)

struct bytes varint_stripped(struct bytes v)
{
    while (v.n > 1 && (v.p[0] == 0x00 || v.p[0] == 0xFF) && ((v.p[0] ^ v.p[1]) & 0x80) == 0)
        v = bytes_skip(v, 1);
    return v;
}

bool varint_fits_i64(struct bytes v, int64_t *out)
{
    v = varint_stripped(v);
    if (v.n > 8)
        return false;
    *out = varint_i64(v);
    return true;
}

int64_t varint_i64(struct bytes v)
{
    if (v.n == 0)
        return 0;
    uint64_t x = v.p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = v.n > 8 ? v.n - 8 : 0; i < v.n; i++)
        x = x << 8 | v.p[i];
    return (int64_t)x;
}

struct bytes varint_of_i64(struct arena *a, int64_t x)
{
    uint8_t *p = arena_alloc(a, 8);
    store_be64(p, (uint64_t)x);
    return varint_stripped(bytes_of(p, 8));
}

int varint_sign(struct bytes v)
{
    if (v.n > 0 && (v.p[0] & 0x80))
        return -1;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] != 0)
            return 1;
    return 0;
}

int varint_compare(struct bytes x, struct bytes y)
{
    x = varint_stripped(x);
    y = varint_stripped(y);
    bool negative_x = x.n > 0 && (x.p[0] & 0x80), negative_y = y.n > 0 && (y.p[0] & 0x80);
    if (negative_x != negative_y)
        return negative_y - negative_x;
    if (x.n != y.n)
        return (x.n > y.n) == negative_x ? -1 : 1;
    return bytes_compare(x, y);
}

void big_init(mpz_t x, struct bytes v)
{
    v = varint_stripped(v);
    mpz_init(x);
    if (v.n == 0)
        return;
    if (!(v.p[0] & 0x80)) {
        mpz_import(x, v.n, 1, 1, 1, 0, v.p);
        return;
    }
    uint8_t small[64], *p = v.n <= sizeof small ? small : malloc(v.n);
    ensure(p != NULL);
    for (size_t i = 0; i < v.n; i++)
        p[i] = (uint8_t)~v.p[i];
    mpz_import(x, v.n, 1, 1, 1, 0, p);
    mpz_com(x, x);
    if (p != small)
        free(p);
}

struct bytes big_bytes(const mpz_t x, size_t head, struct arena *a)
{
    mpz_t magnitude;
    bool negative = mpz_sgn(x) < 0;
    mpz_init_set(magnitude, x);
    if (negative)
        mpz_com(magnitude, magnitude);
    size_t n = mpz_sgn(magnitude) == 0 ? 1 : mpz_sizeinbase(magnitude, 2) / 8 + 1;
    uint8_t *p = arena_alloc(a, head + n), *number = p + head;
    size_t written = mpz_sgn(magnitude) == 0 ? 0 : (mpz_sizeinbase(magnitude, 2) + 7) / 8;
    memset(number, 0, n);
    if (written > 0)
        mpz_export(number + n - written, NULL, 1, 1, 1, 0, magnitude);
    if (negative)
        for (size_t i = 0; i < n; i++)
            number[i] = (uint8_t)~number[i];
    mpz_clear(magnitude);
    return bytes_of(p, head + n);
}

bool varint_parse(struct bytes text, struct arena *a, struct bytes *out)
{
    size_t at = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    if (text.n == at || text.n > NUMBER_DIGITS_MAX)
        return false;
    for (size_t i = at; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    int64_t small;
    if (integer_parse(text, INT64_MIN, INT64_MAX, &small)) {
        *out = varint_of_i64(a, small);
        return true;
    }
    char *digits = arena_cstr(a, bytes_skip(text, at));
    mpz_t x;
    mpz_init(x);
    mpz_set_str(x, digits, 10);
    if (text.p[0] == '-')
        mpz_neg(x, x);
    *out = big_bytes(x, 0, a);
    mpz_clear(x);
    return true;
}

void varint_print(struct bytes v, struct buf *out)
{
    int64_t small;
    if (v.n == 0)
        return;
    if (varint_fits_i64(v, &small)) {
        buf_printf(out, "%lld", (long long)small);
    } else if (v.n > PRINT_BYTES_MAX) {
        buf_put_str(out, "0x");
        hex_print(v, out);
    } else {
        mpz_t x;
        big_init(x, v);
        buf_reserve(out, mpz_sizeinbase(x, 10) + 2);
        mpz_get_str((char *)out->p + out->n, 10, x);
        out->n += strlen((char *)out->p + out->n);
        mpz_clear(x);
    }
}

/* --- the type --------------------------------------------------------------------------------------- */

err_t varint_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    (void)v;
    (void)fail;
    return OK;
}

int varint_type_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return varint_compare(a, b);
}

void varint_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    varint_print(v, out);
}

err_t varint_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                       struct fail *fail)
{
    (void)t;
    if (varint_parse(text, a, out))
        return OK;
    return fail_set(fail, ERR_INVALID, "unable to make int from '%.*s'", BYTES_FMT(text));
}

/* --- key: sign and length in the tag, so that longer magnitudes are further from zero ------------------ */

void varint_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    v = varint_stripped(v);
    bool negative = v.p[0] & 0x80;
    unsigned n = v.n < KEY_VARINT_SHORT_MAX ? (unsigned)v.n : KEY_VARINT_SHORT_MAX;
    buf_u8(out, (uint8_t)(negative ? 0x7F - n : 0x80 + n));
    if (n == KEY_VARINT_SHORT_MAX)
        buf_be32(out, negative ? ~(uint32_t)v.n : (uint32_t)v.n);
    buf_put_bytes(out, v);
}

/* The bytes of the number behind the tag. */
static err_t key_number(uint8_t tag, uint8_t mask, struct cur *c, struct bytes *out)
{
    bool negative = tag < 0x80;
    size_t n = negative ? 0x7Fu - tag : tag - 0x80u;
    if (n == 0 || n > KEY_VARINT_SHORT_MAX)
        return ERR_CORRUPT;
    if (n == KEY_VARINT_SHORT_MAX) {
        uint32_t length = cur_be32(c);
        if (negative != (mask != 0))
            length = ~length;
        if (length < KEY_VARINT_SHORT_MAX)
            return ERR_CORRUPT;
        n = length;
    }
    *out = cur_take(c, n);
    if (c->bad)
        return ERR_CORRUPT;
    uint8_t first = out->p[0] ^ mask;
    return (first >= 0x80) == negative ? OK : ERR_CORRUPT;
}

err_t varint_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)t;
    struct bytes v;
    return key_number(tag, mask, c, &v);
}

err_t varint_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                        struct bytes *out)
{
    (void)t;
    (void)a;
    return key_number(tag, 0, c, out);
}
