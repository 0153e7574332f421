/* Bump allocation in chunks; under AddressSanitizer one malloc an allocation. See arena.h. */
#include "cql/base/arena.h"

#include "cql/base/err.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_EMULATED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_EMULATED 1
#endif
#endif

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(16) uint8_t data[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
    struct arena_chunk *c = malloc(sizeof *c + size);
    ensure(c != NULL);
    c->size = size;
    c->next = a->chunk;
    a->chunk = c;
    return c;
}

void arena_init(struct arena *a, size_t chunk_bytes)
{
    *a = (struct arena){.chunk_bytes = chunk_bytes ? chunk_bytes : ARENA_CHUNK_BYTES_DEFAULT};
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *c = a->chunk, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    arena_init(a, a->chunk_bytes);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = NULL;
    for (struct arena_chunk *c = a->chunk, *next; c; c = next) {
        next = c->next;
#ifndef ARENA_EMULATED
        if (keep == NULL && c->size == a->chunk_bytes) {
            keep = c;
            continue;
        }
#endif
        free(c);
    }
    a->chunk = keep;
    a->bytes = 0;
    a->at = a->end = NULL;
    if (keep) {
        keep->next = NULL;
        a->at = keep->data;
        a->end = keep->data + keep->size;
    }
}

void *arena_alloc(struct arena *a, size_t n)
{
    a->bytes += n;
#ifdef ARENA_EMULATED
    return chunk_new(a, n ? n : 1)->data;
#else
    size_t size = n ? (n + 15) & ~(size_t)15 : 16;
    ensure(size >= n);
    if ((size_t)(a->end - a->at) >= size) {
        void *p = a->at;
        a->at += size;
        return p;
    }
    if (a->chunk_bytes == 0)
        a->chunk_bytes = ARENA_CHUNK_BYTES_DEFAULT;
    if (size > a->chunk_bytes / 4) { /* a chunk of its own; the current one stays in use */
        struct arena_chunk *c = chunk_new(a, size);
        if (c->next && a->at != NULL) { /* keep the chunk that at points into first */
            struct arena_chunk *current = c->next;
            a->chunk = current;
            c->next = current->next;
            current->next = c;
        }
        return c->data;
    }
    struct arena_chunk *c = chunk_new(a, a->chunk_bytes);
    a->at = c->data + size;
    a->end = c->data + c->size;
    return c->data;
#endif
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
    size_t n;
    ensure(!__builtin_mul_overflow(count, size, &n));
    return memset(arena_alloc(a, n), 0, n);
}

struct bytes arena_dup(struct arena *a, struct bytes b)
{
    if (bytes_is_null(b))
        return BYTES_NULL;
    void *p = arena_alloc(a, b.n);
    if (b.n)
        memcpy(p, b.p, b.n);
    return bytes_of(p, b.n);
}

char *arena_cstr(struct arena *a, struct bytes b)
{
    char *s = arena_alloc(a, b.n + 1);
    if (b.n)
        memcpy(s, b.p, b.n);
    s[b.n] = 0;
    return s;
}

struct bytes arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ensure(n >= 0);
    char *s = arena_alloc(a, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, args);
    va_end(args);
    return bytes_of(s, (size_t)n);
}
