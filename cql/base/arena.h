/* Memory by lifetime: everything allocated in an arena is freed together. One owner, one thread at a time.
 *
 * Allocation never fails (out of memory aborts: requests are bounded before they allocate, see arena_bytes()). Under
 * AddressSanitizer every allocation is a malloc of its own, so a stale or overrunning pointer is caught. */
#ifndef CQL_BASE_ARENA_H
#define CQL_BASE_ARENA_H

#include "cql/base/bytes.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    uint8_t *at, *end;         /* free part of the newest chunk */
    size_t bytes;              /* handed out since init or reset */
    size_t chunk_bytes;        /* size of an ordinary chunk */
};

#define ARENA_CHUNK_BYTES_DEFAULT 4096

/* chunk_bytes: size of ordinary chunks, 0 for the default; nothing is allocated until first use. */
void arena_init(struct arena *a, size_t chunk_bytes);
/* Frees all memory; the arena can be used again. */
void arena_free(struct arena *a);
/* Makes all memory reusable; keeps at most one ordinary chunk so that the next request allocates nothing. */
void arena_reset(struct arena *a);

/* n bytes aligned to 16, uninitialised, never NULL (n == 0 gives a unique non-NULL pointer). */
void *arena_alloc(struct arena *a, size_t n)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));
/* Zeroed. count * size must not overflow (ensured). */
void *arena_zalloc(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
/* Copies; the result is never null even when b is empty, but BYTES_NULL stays BYTES_NULL. */
struct bytes arena_dup(struct arena *a, struct bytes b);
/* A NUL-terminated copy. */
char *arena_cstr(struct arena *a, struct bytes b);
/* printf into the arena; the bytes are followed by a NUL that is not counted. */
struct bytes arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define arena_new(a, T)          ((T *)arena_zalloc((a), 1, sizeof(T)))
#define arena_array(a, T, count) ((T *)arena_zalloc((a), (count), sizeof(T)))

/* Bytes handed out since init or reset. */
static inline size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}

#endif
