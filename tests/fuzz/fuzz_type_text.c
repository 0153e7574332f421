/* Texts of natives: the first byte picks the type and what is done. What parses must print and parse again to an equal value; JSON of
 * it too. Any text must be refused or read without harm. */
#include "cql/base/arena.h"
#include "cql/types/number.h"
#include "cql/types/type.h"
#include "cql/types/value.h"

#include <stdlib.h>

#define REQUIRE(x)   \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

/* Some texts do not come back: a null literal of an empty value, and timestamps of years that no pattern reads. */
static bool comes_back(const struct type *t, struct bytes v)
{
    if (v.n == 0)
        return false;
    return t->id != TYPE_TIMESTAMP ||
           (value_i64(v) > INT64_C(-62135596800000) && value_i64(v) < INT64_C(253402300800000));
}

static void check_text(const struct type *t, struct bytes v, struct arena *a, struct fail *fail)
{
    struct buf text = buf_in(a), literal = buf_in(a), json = buf_in(a);
    struct bytes back;
    type_to_text(t, v, &text);
    type_to_literal(t, v, &literal);
    type_to_json(t, v, &json);
    if (!comes_back(t, v) || text.n == 0) /* a duration of zero prints as nothing */
        return;
    REQUIRE(type_from_text(t, buf_bytes(&text), a, &back, fail) == OK);
    REQUIRE(type_compare(t, v, back) == 0);
    struct buf again = buf_in(a);
    type_to_text(t, back, &again);
    REQUIRE(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
    bool finite = !bytes_equal_str(buf_bytes(&json), "null");
    if (!finite || t->id == TYPE_TEXT) /* Cassandra's UTF-8 is laxer than JSON's */
        return;
    REQUIRE(type_from_json(t, buf_bytes(&json), a, &back, fail) == OK);
    REQUIRE(type_compare(t, v, back) == 0);
}

/* Nothing that arithmetic on parsed numbers does may take long or much memory. */
static void check_arithmetic(enum type_id id, struct bytes v, struct arena *a, struct fail *fail)
{
    struct bytes out;
    for (int op = NUMBER_ADD; op <= NUMBER_MODULO; op++) {
        struct bytes three = decimal_of_i64(a, 3, 1);
        (void)!number_binary((enum number_op)op, TYPE_DECIMAL, id, v, TYPE_DECIMAL, three, a, &out,
                             fail);
        (void)!number_binary((enum number_op)op, TYPE_DECIMAL, TYPE_DECIMAL, three, id, v, a, &out,
                             fail);
    }
    for (int fn = NUMBER_NEGATE; fn <= NUMBER_ROUND; fn++)
        (void)!number_unary((enum number_fn)fn, id, v, a, &out, fail);
    (void)!number_cast(TYPE_BIGINT, id, v, a, &out, fail);
    (void)!number_cast(TYPE_FLOAT, id, v, a, &out, fail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    const struct type *t = type_native((enum type_id)(data[0] % TYPE_LIST));
    struct bytes text = bytes_of(data + 1, size - 1), v;
    bool as_json = data[0] >= 2 * TYPE_LIST;
    err_t err =
        as_json ? type_from_json(t, text, &a, &v, &fail) : type_from_text(t, text, &a, &v, &fail);
    if (err == OK && v.p != NULL) {
        /* Cassandra reads an empty text as the empty value even where that is not valid (tinyint). */
        REQUIRE(v.n == 0 || type_validate(t, v, NULL) == OK);
        check_text(t, v, &a, &fail);
        if (type_is_numeric(t) && v.n > 0 && v.n < 200)
            check_arithmetic(t->id, v, &a, &fail);
    } else if (err != OK) {
        REQUIRE(fail.message.n > 0);
    }
    arena_free(&a);
    return 0;
}
