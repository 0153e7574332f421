/* Order-preserving keys of natives other than varint and decimal. The format is in key.h. */
#include "cql/types/key.h"

#include "cql/types/ops.h"

static size_t fixed_size(const struct type *t)
{
    switch (t->id) {
    case TYPE_TINYINT: return 1;
    case TYPE_SMALLINT: return 2;
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_DATE: return 4;
    case TYPE_UUID:
    case TYPE_TIMEUUID: return 16;
    default: return 8;
    }
}

/* A floating-point number's bits as an unsigned one of the same order, every NaN as the one after infinity. */
static uint64_t float_to_order(uint64_t bits, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (size * 8 - 1), all = sign | (sign - 1);
    uint64_t infinity = size == 4 ? UINT64_C(0x7F800000) : UINT64_C(0x7FF0000000000000);
    if ((bits & ~sign) > infinity)
        bits = infinity | (infinity >> 1 & ~infinity);
    return bits & sign ? ~bits & all : bits | sign;
}

static uint64_t order_to_float(uint64_t order, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (size * 8 - 1), all = sign | (sign - 1);
    return order & sign ? order & ~sign : ~order & all;
}

/* A version 1 uuid's time most significant first, its version on top; and back. */
static uint64_t time_first(uint64_t msb)
{
    return msb << 48 | (msb << 16 & UINT64_C(0xFFFF00000000)) | msb >> 32;
}
static uint64_t time_back(uint64_t order)
{
    return order << 32 | (order >> 16 & UINT64_C(0xFFFF0000)) | order >> 48;
}
/* Any other uuid's version moved to the top; and back. */
static uint64_t version_first(uint64_t msb)
{
    return msb >> 12 << 60 | (msb >> 4 & UINT64_C(0x0FFFFFFFFFFFF000)) | (msb & 0xFFF);
}
static uint64_t version_back(uint64_t order)
{
    return (order << 4 & UINT64_C(0xFFFFFFFFFFFF0000)) | order >> 60 << 12 | (order & 0xFFF);
}

static void uuid_to_order(const struct type *t, const uint8_t *v, uint8_t *out)
{
    uint64_t high = load_be64(v), low = load_be64(v + 8);
    bool by_time = t->id == TYPE_TIMEUUID || (high >> 12 & 15) == 1;
    store_be64(out, by_time ? time_first(high) : version_first(high));
    if (t->id == TYPE_TIMEUUID)
        low ^= UINT64_C(0x8080808080808080);
    store_be64(out + 8, low);
}

static void order_to_uuid(const struct type *t, const uint8_t *order, uint8_t *out)
{
    uint64_t high = load_be64(order), low = load_be64(order + 8);
    bool by_time = t->id == TYPE_TIMEUUID || high >> 60 == 1;
    store_be64(out, by_time ? time_back(high) : version_back(high));
    if (t->id == TYPE_TIMEUUID)
        low ^= UINT64_C(0x8080808080808080);
    store_be64(out + 8, low);
}

/* Signed integers: everything of fixed size but these. */
static bool is_unsigned(const struct type *t)
{
    return t->id == TYPE_DATE || t->id == TYPE_TIME;
}

void fixed_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    uint8_t *p = buf_extend(out, v.n + 1);
    *p++ = KEY_VALUE;
    switch (t->id) {
    case TYPE_FLOAT: store_be32(p, (uint32_t)float_to_order(load_be32(v.p), 4)); break;
    case TYPE_DOUBLE: store_be64(p, float_to_order(load_be64(v.p), 8)); break;
    case TYPE_UUID:
    case TYPE_TIMEUUID: uuid_to_order(t, v.p, p); break;
    default:
        memcpy(p, v.p, v.n);
        if (!is_unsigned(t))
            p[0] ^= 0x80;
        break;
    }
}

err_t fixed_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)mask;
    if (tag != KEY_VALUE)
        return ERR_CORRUPT;
    cur_take(c, fixed_size(t));
    return c->bad ? ERR_CORRUPT : OK;
}

err_t fixed_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                       struct bytes *out)
{
    size_t n = fixed_size(t);
    struct bytes v = cur_take(c, n);
    if (tag != KEY_VALUE || c->bad)
        return ERR_CORRUPT;
    if (is_unsigned(t)) {
        *out = v;
        return OK;
    }
    uint8_t *p = arena_alloc(a, n);
    switch (t->id) {
    case TYPE_FLOAT: store_be32(p, (uint32_t)order_to_float(load_be32(v.p), 4)); break;
    case TYPE_DOUBLE: store_be64(p, order_to_float(load_be64(v.p), 8)); break;
    case TYPE_UUID:
    case TYPE_TIMEUUID: order_to_uuid(t, v.p, p); break;
    default:
        memcpy(p, v.p, n);
        p[0] ^= 0x80;
        break;
    }
    *out = bytes_of(p, n);
    return OK;
}

void boolean_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_u8(out, v.p[0] != 0 ? KEY_TRUE : KEY_VALUE);
}

err_t boolean_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)t;
    (void)mask;
    (void)c;
    return tag == KEY_TRUE || tag == KEY_VALUE ? OK : ERR_CORRUPT;
}

err_t boolean_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                         struct bytes *out)
{
    TRY(boolean_key_skip(t, tag, 0, c));
    *out = value_of_bool(a, tag == KEY_TRUE);
    return OK;
}

/* An IPv4 address sorts directly before the IPv6 ones that start with its bytes. */
void inet_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    uint8_t *p = buf_extend(out, v.n + 2);
    p[0] = KEY_VALUE;
    memcpy(p + 1, v.p, 4);
    p[5] = v.n == 16;
    if (v.n == 16)
        memcpy(p + 6, v.p + 4, 12);
}

err_t inet_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)t;
    cur_take(c, 4);
    uint8_t kind = cur_u8(c) ^ mask;
    if (kind == 1)
        cur_take(c, 12);
    return tag != KEY_VALUE || kind > 1 || c->bad ? ERR_CORRUPT : OK;
}

err_t inet_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                      struct bytes *out)
{
    const uint8_t *start = c->p;
    TRY(inet_key_skip(t, tag, 0, c));
    if (start[4] == 0) {
        *out = bytes_of(start, 4);
        return OK;
    }
    uint8_t *p = arena_alloc(a, 16);
    memcpy(p, start, 4);
    memcpy(p + 4, start + 5, 12);
    *out = bytes_of(p, 16);
    return OK;
}

/* --- texts and blobs ------------------------------------------------------------------------------- */

/* Bytes at the start of s without a 00 or 01. */
static size_t plain_prefix(struct bytes s)
{
    size_t i = 0;
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (; i + 8 <= s.n; i += 8) {
        uint64_t x;
        memcpy(&x, s.p + i, 8);
        x &= ~ones; /* 00 and 01 become 00, which the next line finds */
        if ((x - ones) & ~x & (ones << 7))
            break;
    }
    while (i < s.n && s.p[i] > 1)
        i++;
    return i;
}

void escaped_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_reserve(out, v.n + 2);
    buf_u8(out, KEY_VALUE);
    for (;;) {
        size_t n = plain_prefix(v);
        buf_put(out, v.p, n);
        if (n == v.n)
            break;
        buf_u8(out, 1);
        buf_u8(out, v.p[n] + 1);
        v = bytes_skip(v, n + 1);
    }
    buf_u8(out, KEY_END);
}

err_t escaped_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    (void)t;
    if (tag != KEY_VALUE && tag != KEY_RAW)
        return ERR_CORRUPT;
    const uint8_t *end = memchr(c->p, KEY_END ^ mask, cur_left(c));
    if (end == NULL)
        return ERR_CORRUPT;
    for (const uint8_t *p = c->p; p < end;) {
        const uint8_t *escape = memchr(p, 1 ^ mask, (size_t)(end - p));
        if (escape == NULL)
            break;
        uint8_t what = escape + 1 < end ? escape[1] ^ mask : 0;
        if (what != 1 && what != 2)
            return ERR_CORRUPT;
        p = escape + 2;
    }
    c->p = end + 1;
    return OK;
}

err_t escaped_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                         struct bytes *out)
{
    const uint8_t *start = c->p;
    TRY(escaped_key_skip(t, tag, 0, c));
    struct bytes in = bytes_of(start, (size_t)(c->p - start) - 1);
    if (in.n == 0)
        return ERR_CORRUPT; /* the empty value has a tag of its own */
    if (memchr(in.p, 1, in.n) == NULL) {
        *out = in;
        return OK;
    }
    uint8_t *p = arena_alloc(a, in.n);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++)
        p[n++] = in.p[i] == 1 ? (uint8_t)(in.p[++i] - 1) : in.p[i];
    *out = bytes_of(p, n);
    return OK;
}
