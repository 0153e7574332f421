#include "tests/unit/types/cases.h"

#include "cql/types/number.h"
#include "cql/types/value.h"

static const struct type *add(struct cases *c, const struct type *t)
{
    ensure(c->count < CASES_MAX);
    return c->types[c->count++] = t;
}

void cases_init(struct cases *c, struct arena *a)
{
    const struct type *n[TYPE_LIST];
    *c = (struct cases){0};
    for (int id = 0; id < TYPE_LIST; id++)
        n[id] = add(c, type_native((enum type_id)id));
    add(c, type_list(a, n[TYPE_INT], true));
    add(c, type_set(a, n[TYPE_TEXT], true));
    add(c, type_map(a, n[TYPE_INT], n[TYPE_TEXT], true));
    add(c, type_list(a, n[TYPE_INT], false));
    add(c, type_list(a, n[TYPE_DECIMAL], true));
    add(c, type_map(a, n[TYPE_TIMEUUID], n[TYPE_DOUBLE], true));
    const struct type *fields[] = {n[TYPE_INT], n[TYPE_TEXT], n[TYPE_VARINT]};
    const struct bytes names[] = {bytes_str("a"), bytes_str("Bc"), bytes_str("select")};
    const struct type *tuple = add(c, type_tuple(a, fields, 3));
    struct bytes ks = bytes_str("ks"), name = bytes_str("u_t");
    const struct type *udt = add(c, type_udt(a, ks, name, names, fields, 3, true));
    add(c, type_udt(a, ks, name, names, fields, 3, false));
    add(c, type_vector(a, n[TYPE_FLOAT], 3));
    add(c, type_vector(a, n[TYPE_TEXT], 2));
    add(c, type_vector(a, n[TYPE_SMALLINT], 2));
    add(c, type_vector(a, type_vector(a, n[TYPE_INT], 2), 2));
    add(c, type_set(a, tuple, true));
    add(c, type_map(a, udt, type_list(a, n[TYPE_BLOB], true), true));
    add(c, type_list(a, tuple, false));
    add(c, type_vector(a, n[TYPE_VARINT], 2));
    add(c, type_set(a, n[TYPE_INT], false));
    add(c, type_map(a, n[TYPE_TEXT], n[TYPE_BIGINT], true));
    add(c, type_list(a, n[TYPE_BIGINT], true));
    add(c, type_list(a, n[TYPE_TIMESTAMP], true));
    const struct type *deep[] = {
        type_list(a, type_set(a, n[TYPE_INET], true), true),
        type_vector(a, n[TYPE_DECIMAL], 2),
        type_map(a, n[TYPE_UUID], tuple, true),
        n[TYPE_BOOLEAN],
        n[TYPE_DURATION],
    };
    add(c, type_tuple(a, deep, 5));
}

const struct type *cases_find(const struct cases *c, const char *name)
{
    for (int i = 0; i < c->count; i++) {
        struct buf b = {0};
        type_print(c->types[i], &b);
        bool same = bytes_equal_str(buf_bytes(&b), name);
        buf_free(&b);
        if (same)
            return c->types[i];
    }
    return NULL;
}

struct bytes unhex(struct arena *a, const char *hex, size_t n)
{
    struct bytes v;
    ensure(type_from_text(type_native(TYPE_BLOB), bytes_of(hex, n), a, &v, NULL) == OK);
    return v;
}

static struct bytes random_bytes(struct prng *r, size_t n, struct arena *a)
{
    uint8_t *p = arena_alloc(a, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)prng_u64(r);
    return bytes_of(p, n);
}

/* n bytes of an integer near a limit or zero, or any. */
static struct bytes random_integer(struct prng *r, size_t n, struct arena *a)
{
    uint8_t *p = (uint8_t *)random_bytes(r, n, a).p;
    switch (prng_below(r, 5)) {
    case 0:
        memset(p, 0, n);
        p[n - 1] = (uint8_t)prng_below(r, 3);
        break;
    case 1:
        memset(p, 0xFF, n);
        p[n - 1] = (uint8_t)(0xFD + prng_below(r, 3));
        break;
    case 2:
        memset(p, 0, n);
        p[0] = 0x80;
        break;
    case 3:
        memset(p, 0xFF, n);
        p[0] = 0x7F;
        break;
    default: break;
    }
    return bytes_of(p, n);
}

static struct bytes random_varint(struct prng *r, struct arena *a)
{
    static const size_t sizes[] = {1, 1, 2, 3, 7, 8, 9, 39, 40, 41, 300};
    size_t n = sizes[prng_below(r, sizeof sizes / sizeof sizes[0])];
    struct bytes v = random_integer(r, n, a);
    if (prng_below(r, 4) != 0)
        return v;
    /* Bytes that only repeat the sign are allowed and mean nothing. */
    uint8_t *p = arena_alloc(a, n + 2);
    memset(p, v.p[0] & 0x80 ? 0xFF : 0, 2);
    memcpy(p + 2, v.p, n);
    return bytes_of(p, n + 2);
}

static struct bytes random_decimal(struct prng *r, struct arena *a)
{
    static const int32_t scales[] = {0, 0, 1, 2, 5, -1, -3, 100, 101, INT32_MAX, INT32_MIN};
    size_t pick = prng_below(r, 14);
    int32_t scale = pick < 11 ? scales[pick] : (int32_t)prng_below(r, 400) - 200;
    struct bytes v;
    if (prng_below(r, 3) == 0) {
        v = random_varint(r, a);
    } else { /* powers of ten, so that values equal but for their scale come up */
        int64_t x = (int64_t)prng_below(r, 21) - 10;
        for (size_t i = prng_below(r, 6); i > 0; i--)
            x *= 10;
        v = varint_of_i64(a, x);
    }
    struct buf b = buf_in(a);
    buf_be32(&b, (uint32_t)scale);
    buf_put_bytes(&b, v);
    return buf_bytes(&b);
}

static struct bytes random_float(struct prng *r, size_t n, struct arena *a)
{
    static const uint64_t corners[] = {
        0,          0x8000000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
        1,          0x8000000000000001, 0x7FF8000000000000, 0xFFF8000000000001,
        0x7FF00001, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FEFFFFFFFFFFFFF,
    };
    static const uint32_t corners_4[] = {
        0,          0x80000000, 0x7F800000, 0xFF800000, 1,          0x80000001,
        0x7FC00000, 0xFFC00001, 0x7F800001, 0x3F800000, 0xBF800000, 0x7F7FFFFF,
    };
    if (prng_below(r, 2))
        return random_bytes(r, n, a);
    size_t i = prng_below(r, 12);
    return n == 4 ? value_of_i32(a, (int32_t)corners_4[i]) : value_of_i64(a, (int64_t)corners[i]);
}

static struct bytes random_text(struct prng *r, bool ascii, struct arena *a)
{
    static const char *const pieces[] = {"",   "a",  "b",  "ab",   "'",
                                         "\"", "\1", "\2", "\x7f", "zzzzzzzz"};
    struct buf b = buf_in(a);
    for (size_t n = prng_below(r, 5); n > 0; n--) {
        size_t i = prng_below(r, ascii ? 11 : 13);
        if (i < 10)
            buf_put_str(&b, pieces[i]);
        else if (i == 10)
            buf_u8(&b, 0);
        else
            buf_put_str(&b, i == 11 ? "\xC3\xA9" : "\xF0\x9F\x98\x80");
    }
    return buf_bytes(&b);
}

static struct bytes random_uuid(struct prng *r, bool time, struct arena *a)
{
    uint8_t *p = (uint8_t *)random_integer(r, 16, a).p;
    static const uint8_t versions[] = {0x10, 0x10, 0x40, 0x70, 0x00, 0xF0};
    p[6] = (uint8_t)((p[6] & 15) | (time ? 0x10 : versions[prng_below(r, 6)]));
    if (prng_below(r, 3) == 0)
        p[8] ^= 0x80;
    return bytes_of(p, 16);
}

static struct bytes random_duration(struct prng *r, struct arena *a)
{
    int sign = prng_below(r, 2) ? 1 : -1;
    return value_of_duration(a, sign * (int32_t)prng_below(r, 30),
                             sign * (int32_t)prng_below(r, 40),
                             sign * (int64_t)(prng_u64(r) >> (1 + prng_below(r, 60))));
}

static struct bytes random_native(struct prng *r, const struct type *t, struct arena *a)
{
    switch (t->id) {
    case TYPE_TINYINT:
    case TYPE_BOOLEAN: return random_integer(r, 1, a);
    case TYPE_SMALLINT: return random_integer(r, 2, a);
    case TYPE_INT:
    case TYPE_DATE: return random_integer(r, 4, a);
    case TYPE_BIGINT:
    case TYPE_COUNTER:
    case TYPE_TIMESTAMP:
    case TYPE_TIME: return random_integer(r, 8, a);
    case TYPE_FLOAT: return random_float(r, 4, a);
    case TYPE_DOUBLE: return random_float(r, 8, a);
    case TYPE_UUID:
    case TYPE_TIMEUUID: return random_uuid(r, t->id == TYPE_TIMEUUID, a);
    case TYPE_INET: return random_integer(r, prng_below(r, 2) ? 4 : 16, a);
    case TYPE_VARINT: return random_varint(r, a);
    case TYPE_DECIMAL: return random_decimal(r, a);
    case TYPE_DURATION: return random_duration(r, a);
    case TYPE_EMPTY: return bytes_of("", 0);
    default: return random_text(r, t->id == TYPE_ASCII, a);
    }
}

static bool allows_empty(const struct type *t)
{
    return type_validate(t, bytes_of("", 0), NULL) == OK;
}

struct bytes random_value(struct prng *r, const struct type *t, struct arena *a)
{
    struct buf b = buf_in(a);
    if (t->params_count == 0)
        return allows_empty(t) && prng_below(r, 12) == 0 ? bytes_of("", 0) : random_native(r, t, a);
    if (type_is_collection(t)) {
        uint32_t count = (uint32_t)prng_below(r, 4);
        collection_begin(&b, count);
        for (uint32_t i = 0; i < count * t->params_count; i++)
            value_put(&b, random_value(r, t->params[i % t->params_count], a));
    } else if (t->id == TYPE_VECTOR) {
        for (uint32_t i = 0; i < t->dimension; i++) {
            struct bytes v;
            do
                v = random_value(r, t->params[0], a);
            while (v.n == 0 && type_fixed_length(t->params[0]) > 0);
            vector_put_element(t, &b, v);
        }
    } else {
        for (uint64_t i = 0, n = prng_below(r, t->params_count + 1u); i < n; i++)
            value_put(&b, prng_below(r, 4) == 0 ? BYTES_NULL : random_value(r, t->params[i], a));
    }
    return buf_bytes(&b);
}
