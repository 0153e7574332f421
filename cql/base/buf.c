/* Growing byte buffers: see buf.h. */
#include "cql/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *b)
{
    if (b->arena == NULL)
        free(b->p);
    *b = (struct buf){.arena = b->arena};
}

void buf_reserve_slow(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 32;
    ensure(b->n + n >= n);
    while (cap < b->n + n)
        cap *= 2;
    if (b->arena) {
        uint8_t *p = arena_alloc(b->arena, cap);
        if (b->n)
            memcpy(p, b->p, b->n);
        b->p = p;
    } else {
        b->p = realloc(b->p, cap);
        ensure(b->p != NULL);
    }
    b->cap = cap;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ensure(n >= 0);
    buf_reserve(b, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, args);
    va_end(args);
    b->n += (size_t)n;
}
