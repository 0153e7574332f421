/* Errors: see err.h. */
#include "cql/base/err.h"

#include "cql/base/arena.h"

#include <stdio.h>
#include <stdlib.h>

void ensure_failed(const char *expr, const char *file, int line, const char *func)
{
    fprintf(stderr, "%s:%d: %s: invariant broken: %s\n", file, line, func, expr);
    abort();
}

uint16_t err_protocol_code(err_t err)
{
    switch (err) {
#define X(name, code, text) \
    case ERR_##name:        \
        return code;
#include "cql/base/errors.def"
#undef X
    default: return 0;
    }
}

const char *err_name(err_t err)
{
    switch (err) {
    case OK: return "OK";
#define X(name, code, text) \
    case ERR_##name:        \
        return #name;
#include "cql/base/errors.def"
#undef X
    default: return "?";
    }
}

err_t fail_set(struct fail *f, err_t err, const char *fmt, ...)
{
    if (f == NULL)
        return err;
    f->err = err;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ensure(n >= 0);
    char *text = arena_alloc(f->arena, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    f->message = bytes_of(text, (size_t)n);
    return err;
}
