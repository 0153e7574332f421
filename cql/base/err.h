/* Errors of three kinds that never mix: ensure() for our own bugs, err_t for what is expected to happen, ERR_CORRUPT and
 * ERR_PROTOCOL for bad bytes from disk, peer or client. What a user should read goes in a struct fail. */
#ifndef CQL_BASE_ERR_H
#define CQL_BASE_ERR_H

#include "cql/base/bytes.h"

#include <stdarg.h>

struct arena;

typedef enum err {
    OK = 0,
#define X(name, code, text) ERR_##name,
#include "cql/base/errors.def"
#undef X
    ERR_COUNT
} err_t;

#define MUST_USE __attribute__((warn_unused_result))

/* Returns err from the enclosing function when x fails. Not for functions that hold a non-arena resource. */
#define TRY(x)                                   \
    do {                                         \
        err_t try_err_ = (x);                    \
        if (__builtin_expect(try_err_ != OK, 0)) \
            return try_err_;                     \
    } while (0)

/* Aborts with file, line and the expression when our own invariant is broken. On in release builds. */
#define ensure(x)                                            \
    do {                                                     \
        if (__builtin_expect(!(x), 0))                       \
            ensure_failed(#x, __FILE__, __LINE__, __func__); \
    } while (0)
_Noreturn void ensure_failed(const char *expr, const char *file, int line, const char *func);

/* The protocol's code of err; 0x0000 for internal ones. */
uint16_t err_protocol_code(err_t err);
/* "INVALID" etc., static. */
const char *err_name(err_t err);

/* What went wrong, for the user. The caller sets arena (where the message is formatted) and zeroes the rest; a function that
 * returns an error fills it in. The extra fields are those that the protocol's error bodies carry (spec section 9). */
struct fail {
    struct arena *arena;
    err_t err;
    struct bytes message;
    /* ALREADY_EXISTS, FUNCTION_FAILURE */
    struct bytes keyspace, name;
    /* FUNCTION_FAILURE: the types of its arguments */
    const struct bytes *args;
    uint16_t args_count;
    /* UNAVAILABLE, *_TIMEOUT, *_FAILURE */
    uint16_t consistency;
    int32_t received, required, alive, failures_count;
    bool data_present;
    const char *write_type;
    /* UNPREPARED: the id */
    struct bytes id;
};

/* Formats message into f->arena, sets f->err and returns err. f may be NULL: then only err is returned. */
err_t fail_set(struct fail *f, err_t err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
