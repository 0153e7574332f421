/* Byte strings: a pointer and a length, passed by value. Never owns memory. */
#ifndef CQL_BASE_BYTES_H
#define CQL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Wherever a CQL value is meant, p == NULL is null and p != NULL with n == 0 is the empty value. */
struct bytes {
    const uint8_t *p;
    size_t n;
};

#define BYTES_NULL ((struct bytes){0})
/* printf arguments for "%.*s". */
#define BYTES_FMT(b) (int)(b).n, (const char *)(b).p

static inline struct bytes bytes_of(const void *p, size_t n)
{
    return (struct bytes){(const uint8_t *)p, n};
}

/* The bytes of a C string without its NUL. */
static inline struct bytes bytes_str(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline bool bytes_is_null(struct bytes b)
{
    return b.p == NULL;
}

/* memcmp order, a prefix before what extends it. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *s)
{
    return bytes_equal(a, bytes_str(s));
}

static inline bool bytes_starts_with(struct bytes a, struct bytes prefix)
{
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

/* The rest of b after its first n bytes; n <= b.n. */
static inline struct bytes bytes_skip(struct bytes b, size_t n)
{
    return (struct bytes){b.p + n, b.n - n};
}

/* ASCII case-insensitive equality. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* Big-endian loads and stores, no alignment needed. */
static inline uint16_t load_be16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
static inline uint32_t load_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static inline uint64_t load_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
static inline void store_be16(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, 2);
}
static inline void store_be32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}
static inline void store_be64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}
static inline uint32_t load_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t load_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline void store_le32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}
static inline void store_le64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

#endif
