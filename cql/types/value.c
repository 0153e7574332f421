/* Serialised values taken apart and put together: see value.h. */
#include "cql/types/value.h"

#include "cql/types/ops.h"

#include <stdlib.h>

struct collection_iter collection_iter(const struct type *t, struct bytes v)
{
    struct collection_iter it = {.cur = cur_of(v)};
    if (v.n == 0)
        return it;
    int32_t n = (int32_t)cur_be32(&it.cur);
    if (it.cur.bad || n < 0) {
        it.bad = it.cur.bad;
        return it;
    }
    /* Each element takes four bytes at least: a hostile count is cut off at the first one missing. */
    it.left = (uint32_t)n;
    if (t->id == TYPE_MAP) {
        if (n > INT32_MAX / 2)
            it.bad = true;
        else
            it.left *= 2;
    }
    return it;
}

bool collection_next(struct collection_iter *it, struct bytes *elem)
{
    *elem = BYTES_NULL;
    if (it->left == 0 || it->bad)
        return false;
    it->left--;
    int32_t n = (int32_t)cur_be32(&it->cur);
    if (n >= 0)
        *elem = cur_take(&it->cur, (size_t)n);
    if (it->cur.bad) {
        it->bad = true;
        return false;
    }
    return true;
}

uint32_t collection_count(const struct type *t, struct bytes v)
{
    struct collection_iter it = collection_iter(t, v);
    struct bytes elem;
    uint32_t count = 0;
    while (collection_next(&it, &elem))
        count++;
    if (it.bad)
        return 0;
    return t->id == TYPE_MAP ? count / 2 : count;
}

struct sort_entry {
    struct bytes key, value;
    uint32_t index;
};

static int sort_entry_compare(const void *x, const void *y, void *type)
{
    const struct sort_entry *a = x, *b = y;
    int c = type_compare(type, a->key, b->key);
    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

err_t collection_sort(const struct type *t, struct bytes v, struct arena *a, struct bytes *out)
{
    *out = v;
    if (v.n == 0 || t->id == TYPE_LIST)
        return OK;
    uint32_t count = collection_count(t, v);
    if (count < 2)
        return OK;
    struct sort_entry *entries = arena_array(a, struct sort_entry, count);
    struct collection_iter it = collection_iter(t, v);
    for (uint32_t i = 0; i < count; i++) {
        entries[i].index = i;
        if (!collection_next(&it, &entries[i].key))
            return ERR_INVALID;
        if (t->id == TYPE_MAP && !collection_next(&it, &entries[i].value))
            return ERR_INVALID;
        if (bytes_is_null(entries[i].key))
            return ERR_INVALID;
    }
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++)
        sorted = type_compare(t->params[0], entries[i - 1].key, entries[i].key) < 0;
    if (sorted)
        return OK;
    qsort_r(entries, count, sizeof *entries, sort_entry_compare, (void *)t->params[0]);
    struct buf b = buf_in(a);
    buf_reserve(&b, v.n);
    collection_begin(&b, 0);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        /* Of equal keys the last one given wins. */
        if (i + 1 < count && type_compare(t->params[0], entries[i].key, entries[i + 1].key) == 0)
            continue;
        value_put(&b, entries[i].key);
        if (t->id == TYPE_MAP)
            value_put(&b, entries[i].value);
        kept++;
    }
    store_be32(b.p, kept);
    *out = buf_bytes(&b);
    return OK;
}

struct bytes tuple_field(struct bytes v, uint32_t index)
{
    struct cur c = cur_of(v);
    for (uint32_t i = 0;; i++) {
        int32_t n = (int32_t)cur_be32(&c);
        struct bytes field = n >= 0 ? cur_take(&c, (size_t)n) : BYTES_NULL;
        if (c.bad)
            return BYTES_NULL;
        if (i == index)
            return field;
    }
}

struct bytes vector_next(const struct type *t, struct cur *c)
{
    int length = type_fixed_length(t->params[0]);
    if (length >= 0)
        return cur_take(c, (size_t)length);
    uint64_t n;
    size_t used = vint_read(c->p, cur_left(c), &n);
    if (used == 0 || n > cur_left(c) - used) {
        c->bad = true;
        c->p = c->end;
        return BYTES_NULL;
    }
    c->p += used;
    return cur_take(c, (size_t)n);
}

struct bytes vector_element(const struct type *t, struct bytes v, uint32_t index)
{
    if (index >= t->dimension || v.p == NULL)
        return BYTES_NULL;
    int length = type_fixed_length(t->params[0]);
    if (length >= 0) {
        uint64_t at = (uint64_t)length * index;
        return at + (uint64_t)length <= v.n ? bytes_of(v.p + at, (size_t)length) : BYTES_NULL;
    }
    struct cur c = cur_of(v);
    for (uint32_t i = 0; i < index && !c.bad; i++)
        vector_next(t, &c);
    return c.bad ? BYTES_NULL : vector_next(t, &c);
}

void vector_put_element(const struct type *t, struct buf *b, struct bytes elem)
{
    if (type_fixed_length(t->params[0]) < 0)
        vint_write(b, elem.n);
    buf_put_bytes(b, elem);
}

double value_double(struct bytes v)
{
    uint64_t bits = load_be64(v.p);
    double d;
    memcpy(&d, &bits, 8);
    return d;
}

float value_float(struct bytes v)
{
    uint32_t bits = load_be32(v.p);
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

struct bytes value_of_i64(struct arena *a, int64_t x)
{
    uint8_t *p = arena_alloc(a, 8);
    store_be64(p, (uint64_t)x);
    return bytes_of(p, 8);
}

struct bytes value_of_i32(struct arena *a, int32_t x)
{
    uint8_t *p = arena_alloc(a, 4);
    store_be32(p, (uint32_t)x);
    return bytes_of(p, 4);
}

struct bytes value_of_i16(struct arena *a, int16_t x)
{
    uint8_t *p = arena_alloc(a, 2);
    store_be16(p, (uint16_t)x);
    return bytes_of(p, 2);
}

struct bytes value_of_i8(struct arena *a, int8_t x)
{
    uint8_t *p = arena_alloc(a, 1);
    *p = (uint8_t)x;
    return bytes_of(p, 1);
}

struct bytes value_of_double(struct arena *a, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return value_of_i64(a, (int64_t)bits);
}

struct bytes value_of_float(struct arena *a, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return value_of_i32(a, (int32_t)bits);
}

struct bytes value_of_bool(struct arena *a, bool x)
{
    return value_of_i8(a, x);
}

/* Cassandra's vint: the count of leading one bits of the first byte tells how many bytes follow. */
size_t vint_read(const uint8_t *p, size_t n, uint64_t *out)
{
    if (n == 0)
        return 0;
    uint8_t first = p[0];
    size_t extra = first == 0xFF ? 8 : (size_t)__builtin_clz((unsigned)(uint8_t)~first << 24);
    if (n < extra + 1)
        return 0;
    uint64_t x = extra >= 7 ? 0 : first & (0xFFu >> extra);
    for (size_t i = 1; i <= extra; i++)
        x = x << 8 | p[i];
    *out = x;
    return extra + 1;
}

void vint_write(struct buf *b, uint64_t v)
{
    size_t extra = 0;
    while (extra < 8 && v >> (7 * (extra + 1)) != 0)
        extra++;
    uint8_t *p = buf_extend(b, extra + 1);
    for (size_t i = extra; i > 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
    p[0] = (uint8_t)((extra == 8 ? 0 : v) | (uint8_t)(0xFF00u >> extra));
}

static size_t vint_read_signed(const uint8_t *p, size_t n, int64_t *out)
{
    uint64_t u = 0;
    size_t used = vint_read(p, n, &u);
    *out = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
    return used;
}

bool value_duration(struct bytes v, int32_t *months, int32_t *days, int64_t *nanos)
{
    int64_t part[3] = {0};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t used = vint_read_signed(v.p + at, v.n - at, &part[i]);
        if (used == 0)
            return false;
        at += used;
    }
    if (part[0] != (int32_t)part[0] || part[1] != (int32_t)part[1])
        return false;
    *months = (int32_t)part[0];
    *days = (int32_t)part[1];
    *nanos = part[2];
    return true;
}

struct bytes value_of_duration(struct arena *a, int32_t months, int32_t days, int64_t nanos)
{
    struct buf b = buf_in(a);
    int64_t part[3] = {months, days, nanos};
    for (int i = 0; i < 3; i++)
        vint_write(&b, ((uint64_t)part[i] << 1) ^ (uint64_t)(part[i] >> 63));
    return buf_bytes(&b);
}

/* Milliseconds of 1582-10-15 in Unix time. */
#define UUID_EPOCH_MS INT64_C(-12219292800000)

int64_t uuid_ticks(struct bytes uuid)
{
    uint64_t msb = load_be64(uuid.p);
    return (int64_t)((msb & 0xFFF) << 48 | (msb >> 16 & 0xFFFF) << 32 | msb >> 32);
}

int64_t uuid_time_ms(struct bytes uuid)
{
    return uuid_ticks(uuid) / 10000 + UUID_EPOCH_MS;
}

void uuid_of_ticks(int64_t ticks, uint64_t clock_seq_node, uint8_t *out)
{
    uint64_t t = (uint64_t)ticks;
    store_be64(out, t << 32 | (t >> 32 & 0xFFFF) << 16 | 0x1000 | (t >> 48 & 0xFFF));
    store_be64(out + 8, clock_seq_node);
}

void uuid_print(const uint8_t *uuid, struct buf *out)
{
    static const uint8_t starts[] = {0, 4, 6, 8, 10, 16};
    for (int i = 0; i < 5; i++) {
        if (i)
            buf_u8(out, '-');
        hex_print(bytes_of(uuid + starts[i], (size_t)(starts[i + 1] - starts[i])), out);
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(struct bytes text, uint8_t *out)
{
    if (text.n != 36)
        return false;
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (text.p[at++] != '-')
                return false;
        }
        int high = hex_digit(text.p[at]), low = hex_digit(text.p[at + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}
