/* Order-preserving keys: tags, direction, and what holds other values. The format is in key.h. */
#include "cql/types/key.h"

#include "cql/types/ops.h"

/* Whether v has a length that its type's own encoding takes. */
static bool has_own_form(const struct type *t, struct bytes v)
{
    switch (t->id) {
    case TYPE_TINYINT: return v.n == 1;
    case TYPE_SMALLINT: return v.n == 2;
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_DATE: return v.n == 4;
    case TYPE_BIGINT:
    case TYPE_COUNTER:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP:
    case TYPE_TIME: return v.n == 8;
    case TYPE_UUID:
    case TYPE_TIMEUUID: return v.n == 16;
    case TYPE_BOOLEAN: return v.n == 1;
    case TYPE_INET: return v.n == 4 || v.n == 16;
    case TYPE_DECIMAL: return v.n >= 4;
    default: return true;
    }
}

static void encode_ascending(const struct type *t, struct bytes v, struct buf *out)
{
    if (v.n == 0) {
        buf_u8(out, KEY_EMPTY);
    } else if (has_own_form(t, v)) {
        type_ops[t->id].key_encode(t, v, out);
    } else {
        size_t start = out->n;
        escaped_key_encode(t, v, out);
        out->p[start] = KEY_RAW;
    }
}

void type_key_encode(const struct type *t, struct bytes v, bool desc, struct buf *out)
{
    size_t start = out->n;
    switch (t->id) {
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        if (__builtin_expect(v.n != 8, 0))
            goto slow;
        {
            uint8_t *p = buf_extend(out, 9);
            p[0] = KEY_VALUE;
            store_be64(p + 1, load_be64(v.p) ^ UINT64_C(1) << 63);
        }
        break;
    case TYPE_INT:
        if (__builtin_expect(v.n != 4, 0))
            goto slow;
        {
            uint8_t *p = buf_extend(out, 5);
            p[0] = KEY_VALUE;
            store_be32(p + 1, load_be32(v.p) ^ UINT32_C(1) << 31);
        }
        break;
    default:
    slow:
        encode_ascending(t, v, out);
        break;
    }
    if (desc)
        for (size_t i = start; i < out->n; i++)
            out->p[i] = (uint8_t)~out->p[i];
}

static err_t skip(const struct type *t, uint8_t mask, struct cur *c)
{
    uint8_t tag = cur_u8(c) ^ mask;
    if (c->bad)
        return ERR_CORRUPT;
    if (tag == KEY_EMPTY)
        return OK;
    if (tag == KEY_RAW)
        return escaped_key_skip(t, tag, mask, c);
    return type_ops[t->id].key_skip(t, tag, mask, c);
}

err_t type_key_skip(const struct type *t, bool desc, struct cur *c)
{
    return skip(t, desc ? 0xFF : 0, c);
}

static err_t decode_ascending(const struct type *t, struct cur *c, struct arena *a,
                              struct bytes *out)
{
    uint8_t tag = cur_u8(c);
    if (c->bad)
        return ERR_CORRUPT;
    if (tag == KEY_EMPTY) {
        *out = bytes_of(arena_alloc(a, 1), 0);
        return OK;
    }
    if (tag == KEY_RAW)
        return escaped_key_decode(t, tag, c, a, out);
    return type_ops[t->id].key_decode(t, tag, c, a, out);
}

err_t type_key_decode(const struct type *t, bool desc, struct cur *c, struct arena *a,
                      struct bytes *out)
{
    *out = BYTES_NULL;
    if (!desc)
        return decode_ascending(t, c, a, out);
    const uint8_t *start = c->p;
    TRY(skip(t, 0xFF, c));
    size_t n = (size_t)(c->p - start);
    uint8_t *p = arena_alloc(a, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)~start[i];
    struct cur ascending = cur_of(bytes_of(p, n));
    return decode_ascending(t, &ascending, a, out);
}

/* --- lists, sets, maps, tuples, UDTs ------------------------------------------------------------ */

static bool is_tuple(const struct type *t)
{
    return t->id == TYPE_TUPLE || t->id == TYPE_UDT;
}

/* The type of element i, NULL past a tuple's last field. */
static const struct type *element_type(const struct type *t, uint32_t i)
{
    if (is_tuple(t))
        return i < t->params_count ? t->params[i] : NULL;
    return t->params[t->id == TYPE_MAP ? i % 2 : 0];
}

static void encode_element(const struct type *t, struct bytes v, struct buf *out)
{
    if (bytes_is_null(v))
        buf_u8(out, KEY_NULL);
    else
        encode_ascending(t, v, out);
}

static void encode_fields(const struct type *t, struct bytes v, struct buf *out)
{
    struct cur c = cur_of(v);
    size_t end = out->n; /* behind the last field that is not null */
    for (unsigned i = 0; i < t->params_count && !cur_at_end(&c); i++) {
        int32_t n = (int32_t)cur_be32(&c);
        struct bytes field = n >= 0 ? cur_take(&c, (size_t)n) : BYTES_NULL;
        if (c.bad)
            break;
        encode_element(t->params[i], field, out);
        if (!bytes_is_null(field))
            end = out->n;
    }
    out->n = end;
}

void sequence_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    buf_u8(out, KEY_VALUE);
    if (is_tuple(t)) {
        encode_fields(t, v, out);
    } else {
        struct collection_iter it = collection_iter(t, v);
        struct bytes elem;
        for (uint32_t i = 0; collection_next(&it, &elem); i++)
            encode_element(element_type(t, i), elem, out);
    }
    buf_u8(out, KEY_END);
}

err_t sequence_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    if (tag != KEY_VALUE)
        return ERR_CORRUPT;
    for (uint32_t i = 0;; i++) {
        if (cur_at_end(c))
            return ERR_CORRUPT;
        uint8_t next = *c->p ^ mask;
        if (next == KEY_END || next == KEY_NULL)
            c->p++;
        if (next == KEY_END)
            return OK;
        const struct type *elem = element_type(t, i);
        if (elem == NULL)
            return ERR_CORRUPT;
        if (next != KEY_NULL)
            TRY(skip(elem, mask, c));
    }
}

err_t sequence_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                          struct bytes *out)
{
    if (tag != KEY_VALUE)
        return ERR_CORRUPT;
    struct buf b = buf_in(a);
    if (!is_tuple(t))
        collection_begin(&b, 0);
    uint32_t count = 0;
    for (;; count++) {
        if (cur_at_end(c))
            return ERR_CORRUPT;
        uint8_t next = *c->p;
        if (next == KEY_END || next == KEY_NULL)
            c->p++;
        if (next == KEY_END)
            break;
        const struct type *elem = element_type(t, count);
        if (elem == NULL)
            return ERR_CORRUPT;
        struct bytes v = BYTES_NULL;
        if (next != KEY_NULL)
            TRY(decode_ascending(elem, c, a, &v));
        value_put(&b, v);
    }
    if (t->id == TYPE_MAP && count % 2 != 0)
        return ERR_CORRUPT;
    /* Absent fields compare as nulls, and Cassandra returns them so. */
    for (; is_tuple(t) && count < t->params_count; count++)
        value_put(&b, BYTES_NULL);
    if (!is_tuple(t))
        store_be32(b.p, t->id == TYPE_MAP ? count / 2 : count);
    *out = buf_bytes(&b);
    return OK;
}

/* --- vectors: always `dimension` elements, so no end is needed ------------------------------------ */

void vector_key_encode(const struct type *t, struct bytes v, struct buf *out)
{
    struct cur c = cur_of(v);
    buf_u8(out, KEY_VALUE);
    for (uint32_t i = 0; i < t->dimension; i++) {
        struct bytes elem = vector_next(t, &c);
        if (c.bad) { /* an invalid one ends here: it does not decode */
            buf_u8(out, KEY_NULL);
            return;
        }
        encode_ascending(t->params[0], elem, out);
    }
}

err_t vector_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)
{
    if (tag != KEY_VALUE)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < t->dimension; i++)
        TRY(skip(t->params[0], mask, c));
    return OK;
}

err_t vector_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                        struct bytes *out)
{
    if (tag != KEY_VALUE)
        return ERR_CORRUPT;
    struct buf b = buf_in(a);
    for (uint32_t i = 0; i < t->dimension; i++) {
        struct bytes elem;
        TRY(decode_ascending(t->params[0], c, a, &elem));
        vector_put_element(t, &b, elem);
    }
    *out = buf_bytes(&b);
    return OK;
}
