/* A growing byte buffer, and the cursor that reads what one wrote. Big-endian integers as in the native protocol, varints
 * (LEB128) and zigzag varints as in our own formats. */
#ifndef CQL_BASE_BUF_H
#define CQL_BASE_BUF_H

#include "cql/base/arena.h"
#include "cql/base/err.h"

/* With arena == NULL the memory is malloc'ed and buf_free() frees it; else it lives in the arena (old blocks are left behind
 * when it grows, so give a capacity when the size is known). A zeroed struct is an empty malloc'ed buffer. */
struct buf {
    uint8_t *p;
    size_t n, cap;
    struct arena *arena;
};

static inline struct buf buf_in(struct arena *a)
{
    return (struct buf){.arena = a};
}
void buf_free(struct buf *b);
/* Room for n more bytes. */
void buf_reserve_slow(struct buf *b, size_t n);
static inline void buf_reserve(struct buf *b, size_t n)
{
    if (__builtin_expect(b->cap - b->n < n, 0))
        buf_reserve_slow(b, n);
}
/* Appends n uninitialised bytes and returns where they start; valid until the next append. */
static inline uint8_t *buf_extend(struct buf *b, size_t n)
{
    buf_reserve(b, n);
    uint8_t *p = b->p + b->n;
    b->n += n;
    return p;
}
static inline struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->p ? b->p : (const uint8_t *)"", b->n};
}
static inline void buf_u8(struct buf *b, uint8_t v)
{
    *buf_extend(b, 1) = v;
}
static inline void buf_be16(struct buf *b, uint16_t v)
{
    store_be16(buf_extend(b, 2), v);
}
static inline void buf_be32(struct buf *b, uint32_t v)
{
    store_be32(buf_extend(b, 4), v);
}
static inline void buf_be64(struct buf *b, uint64_t v)
{
    store_be64(buf_extend(b, 8), v);
}
static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n)
        memcpy(buf_extend(b, n), p, n);
}
static inline void buf_put_bytes(struct buf *b, struct bytes v)
{
    buf_put(b, v.p, v.n);
}
static inline void buf_put_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* LEB128, at most 10 bytes. */
static inline void buf_varint(struct buf *b, uint64_t v)
{
    buf_reserve(b, 10);
    uint8_t *p = b->p + b->n;
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    b->n = (size_t)(p - b->p);
}
static inline void buf_zigzag(struct buf *b, int64_t v)
{
    buf_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}
/* varint length, then the bytes. */
static inline void buf_lstr(struct buf *b, struct bytes v)
{
    buf_varint(b, v.n);
    buf_put_bytes(b, v);
}

/* Reads from bytes that may be hostile: after the first read past the end `bad` is set, every read gives zero, and the cursor
 * stays at its end. Check cur_ok() once after a group of reads. */
struct cur {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct cur cur_of(struct bytes b)
{
    return (struct cur){b.p, b.p + b.n, false};
}
static inline bool cur_ok(const struct cur *c)
{
    return !c->bad;
}
static inline size_t cur_left(const struct cur *c)
{
    return (size_t)(c->end - c->p);
}
static inline bool cur_at_end(const struct cur *c)
{
    return c->p == c->end;
}
static inline bool cur_need(struct cur *c, size_t n)
{
    if (__builtin_expect((size_t)(c->end - c->p) < n, 0)) {
        c->bad = true;
        c->p = c->end;
        return false;
    }
    return true;
}
static inline uint8_t cur_u8(struct cur *c)
{
    return cur_need(c, 1) ? *c->p++ : 0;
}
static inline uint16_t cur_be16(struct cur *c)
{
    if (!cur_need(c, 2))
        return 0;
    c->p += 2;
    return load_be16(c->p - 2);
}
static inline uint32_t cur_be32(struct cur *c)
{
    if (!cur_need(c, 4))
        return 0;
    c->p += 4;
    return load_be32(c->p - 4);
}
static inline uint64_t cur_be64(struct cur *c)
{
    if (!cur_need(c, 8))
        return 0;
    c->p += 8;
    return load_be64(c->p - 8);
}
/* The next n bytes; {NULL, 0} and bad when there are fewer. */
static inline struct bytes cur_take(struct cur *c, size_t n)
{
    if (!cur_need(c, n))
        return BYTES_NULL;
    c->p += n;
    return (struct bytes){c->p - n, n};
}
static inline uint64_t cur_varint(struct cur *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (!cur_need(c, 1))
            return 0;
        uint8_t x = *c->p++;
        v |= (uint64_t)(x & 0x7f) << shift;
        if (x < 0x80)
            return v;
    }
    c->bad = true;
    c->p = c->end;
    return 0;
}
static inline int64_t cur_zigzag(struct cur *c)
{
    uint64_t v = cur_varint(c);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
static inline struct bytes cur_lstr(struct cur *c)
{
    uint64_t n = cur_varint(c);
    if (n > cur_left(c)) {
        c->bad = true;
        c->p = c->end;
        return BYTES_NULL;
    }
    return cur_take(c, (size_t)n);
}

#endif
