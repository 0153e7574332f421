/* Keys of hostile values: the input picks a type and a direction, then holds two values. A valid value must come back equal from its
 * key, two must sort as they compare; any bytes at all must be refused or decode without harm. */
#include "cql/base/arena.h"
#include "cql/types/type.h"
#include "cql/types/value.h"

#include <stdlib.h>

#define REQUIRE(x)   \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

/* A type by a byte: a native, or a collection, tuple or vector over another byte's native. */
static const struct type *pick_type(struct cur *c, struct arena *a)
{
    uint8_t kind = cur_u8(c);
    if (kind < TYPE_LIST)
        return type_native((enum type_id)kind);
    const struct type *x = type_native((enum type_id)(cur_u8(c) % TYPE_LIST));
    const struct type *y = type_native((enum type_id)(cur_u8(c) % TYPE_LIST));
    switch (kind % 7) {
    case 0: return type_list(a, x, true);
    case 1: return type_set(a, x, true);
    case 2: return type_map(a, x, y, true);
    case 3: return type_tuple(a, (const struct type *const[]){x, y}, 2);
    case 4: return type_vector(a, x, 1 + kind / 7 % 4);
    case 5: return type_list(a, type_tuple(a, (const struct type *const[]){x, y, x}, 3), true);
    default: return type_map(a, type_list(a, x, true), type_vector(a, y, 2), true);
    }
}

static struct bytes encode(const struct type *t, struct bytes v, bool desc, struct arena *a)
{
    struct buf b = buf_in(a);
    type_key_encode(t, v, desc, &b);
    return buf_bytes(&b);
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void check_value(const struct type *t, struct bytes v, bool desc, struct arena *a)
{
    struct bytes e = encode(t, v, desc, a), back;
    struct cur c = cur_of(e);
    REQUIRE(e.p[0] != 0 && e.p[0] != 0xFF);
    REQUIRE(type_key_decode(t, desc, &c, a, &back) == OK && cur_at_end(&c));
    REQUIRE(type_validate(t, back, NULL) == OK);
    REQUIRE(type_compare(t, v, back) == 0);
    REQUIRE(bytes_equal(encode(t, back, desc, a), e));
    c = cur_of(e);
    REQUIRE(type_key_skip(t, desc, &c) == OK && cur_at_end(&c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    arena_init(&a, 0);
    struct cur c = cur_of(bytes_of(data, size));
    const struct type *t = pick_type(&c, &a);
    uint8_t flags = cur_u8(&c);
    bool desc = flags & 1;
    size_t first = cur_u8(&c);
    if (first > cur_left(&c))
        first = cur_left(&c);
    struct bytes x = cur_take(&c, first), y = cur_take(&c, cur_left(&c)), v;
    if (x.p != NULL && y.p != NULL) {
        bool x_valid = type_validate(t, x, NULL) == OK, y_valid = type_validate(t, y, NULL) == OK;
        if (x_valid)
            check_value(t, x, desc, &a);
        if (y_valid)
            check_value(t, y, desc, &a);
        int order = sign(type_compare(t, x, y)); /* of any bytes */
        struct bytes ex = encode(t, x, desc, &a), ey = encode(t, y, desc, &a);
        if (x_valid && y_valid)
            REQUIRE(sign(bytes_compare(ex, ey)) == (desc ? -order : order));
        struct buf out = buf_in(&a);
        type_to_literal(t, x, &out);
        type_to_text(t, x, &out);
        type_to_json(t, x, &out);
        /* The second value taken for a key. */
        struct cur key = cur_of(y), skipped = key;
        err_t err = type_key_decode(t, desc, &key, &a, &v);
        REQUIRE(err == OK || err == ERR_CORRUPT);
        if (err == OK)
            REQUIRE(type_key_skip(t, desc, &skipped) == OK && skipped.p == key.p);
    }
    arena_free(&a);
    return 0;
}
