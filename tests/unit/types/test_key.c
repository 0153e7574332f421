/* Keys sort as their values: for random values of every type, corner values often. */
#include "cql/types/number.h"
#include "tests/unit/types/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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

static void fail_pair(const struct type *t, struct bytes x, struct bytes y, const char *what)
{
    struct buf b = {0};
    type_print(t, &b);
    buf_put_str(&b, ": ");
    type_to_literal(t, x, &b);
    buf_put_str(&b, " and ");
    type_to_literal(t, y, &b);
    buf_u8(&b, 0);
    fail_msg("%s: %s", what, (char *)b.p);
}

static void check_pair(const struct type *t, struct bytes x, struct bytes y, bool desc,
                       struct arena *a)
{
    struct bytes ex = encode(t, x, desc, a), ey = encode(t, y, desc, a);
    int expected = sign(type_compare(t, x, y));
    if (expected != -sign(type_compare(t, y, x)))
        fail_pair(t, x, y, "order depends on sides");
    if (sign(bytes_compare(ex, ey)) != (desc ? -expected : expected))
        fail_pair(t, x, y, "key order");
    if (expected != 0 && (bytes_starts_with(ex, ey) || bytes_starts_with(ey, ex)))
        fail_pair(t, x, y, "prefix");
    if (ex.p[0] == 0 || ex.p[0] == 0xFF)
        fail_pair(t, x, y, "first byte");
}

static void check_round_trip(const struct type *t, struct bytes v, bool desc, struct arena *a)
{
    struct bytes e = encode(t, v, desc, a), back;
    struct cur c = cur_of(e);
    if (type_key_decode(t, desc, &c, a, &back) != OK || !cur_at_end(&c) ||
        type_validate(t, back, NULL) != OK || type_compare(t, v, back) != 0)
        fail_pair(t, v, v, "decode");
    assert_true(bytes_equal(encode(t, back, desc, a), e));
    c = cur_of(e);
    assert_int_equal(type_key_skip(t, desc, &c), OK);
    assert_true(cur_at_end(&c));
    /* Cut short it never decodes. */
    for (size_t n = 0; n < e.n; n += 1 + n / 8) {
        c = cur_of(bytes_of(e.p, n));
        assert_int_equal(type_key_decode(t, desc, &c, a, &back), ERR_CORRUPT);
        c = cur_of(bytes_of(e.p, n));
        assert_int_equal(type_key_skip(t, desc, &c), ERR_CORRUPT);
    }
}

static void random_values_keep_their_order(void **state)
{
    (void)state;
    struct arena types, a;
    struct cases cases;
    struct prng r;
    arena_init(&types, 0);
    arena_init(&a, 65536);
    cases_init(&cases, &types);
    prng_init(&r, 20260101);
    for (int i = 0; i < cases.count; i++) {
        const struct type *t = cases.types[i];
        for (int round = 0; round < 120; round++) {
            struct bytes v[4];
            for (int k = 0; k < 4; k++) {
                v[k] = random_value(&r, t, &a);
                assert_int_equal(type_validate(t, v[k], NULL), OK);
            }
            for (int k = 0; k < 4; k++) {
                check_round_trip(t, v[k], round % 2, &a);
                for (int m = 0; m < 4; m++)
                    check_pair(t, v[k], v[m], round % 2, &a);
            }
            arena_reset(&a);
        }
    }
    arena_free(&types);
    arena_free(&a);
}

/* Texts that must stand in strictly rising order, as Cassandra sorts them. */
static void check_rising(enum type_id id, const char *const *texts, size_t n)
{
    struct arena a;
    arena_init(&a, 0);
    const struct type *t = type_native(id);
    struct bytes v[32];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(type_from_text(t, bytes_str(texts[i]), &a, &v[i], NULL), OK);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(sign(type_compare(t, v[i], v[k])), (i > k) - (i < k));
            check_pair(t, v[i], v[k], false, &a);
            check_pair(t, v[i], v[k], true, &a);
        }
    arena_free(&a);
}
#define CHECK_RISING(id, ...)                                    \
    do {                                                         \
        static const char *const texts[] = {__VA_ARGS__};        \
        check_rising(id, texts, sizeof texts / sizeof texts[0]); \
    } while (0)

static void known_orders(void **state)
{
    (void)state;
    CHECK_RISING(TYPE_INT, "", "-2147483648", "-1", "0", "1", "2147483647");
    CHECK_RISING(TYPE_DOUBLE, "", "-Infinity", "-1e300", "-1", "-4.9e-324", "-0.0", "0.0",
                 "4.9e-324", "1", "Infinity", "NaN");
    CHECK_RISING(TYPE_FLOAT, "-Infinity", "-1", "-0.0", "0.0", "1.5", "Infinity", "NaN");
    CHECK_RISING(TYPE_VARINT, "", "-1000000000000000000000000000000", "-32769", "-32768", "-129",
                 "-128", "-1", "0", "127", "128", "32768", "1000000000000000000000000000000");
    CHECK_RISING(TYPE_DECIMAL, "", "-1e2147483647", "-10", "-1.01", "-1", "-1e-5", "-1e-2147483647",
                 "0", "1e-2147483647", "1e-200", "0.1", "0.10000001", "1", "1.5", "1e2",
                 "1e1000000000", "1e2147483647");
    CHECK_RISING(TYPE_TIMESTAMP, "", "1969-12-31 23:59:59.998Z", "-1", "0", "2026-01-01");
    CHECK_RISING(TYPE_DATE, "-5877641-06-23", "1969-12-31", "1970-01-01", "+5881580-07-11");
    CHECK_RISING(TYPE_INET, "0.0.0.1", "10.0.0.0", "a00::", "10.0.0.1", "10.1.0.0",
                 "255.255.255.255");
    CHECK_RISING(TYPE_BOOLEAN, "false", "true");
    /* Time first; then the low half as signed bytes, unlike in a uuid. */
    CHECK_RISING(TYPE_TIMEUUID, "", "00000000-0000-1000-8000-000000000000",
                 "00000000-0000-1000-7f00-000000000000", "00000001-0000-1000-0000-000000000000",
                 "00000000-0001-1000-0000-000000000000", "00000000-0000-1001-0000-000000000000");
    CHECK_RISING(TYPE_UUID, "", "00000001-0000-0000-0000-000000000000",
                 "00000000-0000-1000-7f00-000000000000", "00000000-0000-1000-8000-000000000000",
                 "00000000-0001-1000-0000-000000000000", "00000000-0000-4000-8000-000000000000");
}

/* A clustering value may have 65,535 bytes, and a decimal any scale: neither may cost much. */
static void large_keys(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    uint8_t *p = arena_alloc(&a, 65535);
    for (int fill = 0; fill < 256; fill += 51) {
        memset(p, fill, 65535);
        struct bytes v = bytes_of(p, 65535);
        check_round_trip(type_native(TYPE_BLOB), v, fill % 2, &a);
        check_round_trip(type_native(TYPE_VARINT), v, fill % 2, &a);
        p[0] = 0x7F;
        check_round_trip(type_native(TYPE_DECIMAL), bytes_of(p, 4096), fill % 2, &a);
        struct bytes e = encode(type_native(TYPE_DECIMAL), bytes_of(p, 65535), false, &a);
        assert_true(e.n < 2 * 65535);
        struct bytes back;
        struct cur c = cur_of(e);
        assert_int_equal(type_key_decode(type_native(TYPE_DECIMAL), false, &c, &a, &back), OK);
    }
    arena_free(&a);
}

/* An exponent that no scale of 32 bits gives is corrupt, not a huge allocation. */
static void corrupt_keys(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    static const struct {
        enum type_id id;
        const char *hex;
    } bad[] = {
        {TYPE_DECIMAL, "a0f0ffffffffff0c00"},
        {TYPE_DECIMAL, "a010000000000c00"},
        {TYPE_DECIMAL, "a0810200"},
        {TYPE_DECIMAL, "a081ff00"},
        {TYPE_DECIMAL, "a08100"},
        {TYPE_VARINT, "a8ffffffff01"},
        {TYPE_VARINT, "80"},
        {TYPE_VARINT, "81ff"},
        {TYPE_TEXT, "40010300"},
        {TYPE_TEXT, "400100"},
        {TYPE_TEXT, "4000"},
        {TYPE_INET, "400102030402"},
        {TYPE_BOOLEAN, "42"},
        {TYPE_INT, "4100000000"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bytes v;
        struct cur c = cur_of(unhex(&a, bad[i].hex, strlen(bad[i].hex)));
        assert_int_equal(type_key_decode(type_native(bad[i].id), false, &c, &a, &v), ERR_CORRUPT);
    }
    assert_true(arena_bytes(&a) < 1 << 20);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_keep_their_order),
        cmocka_unit_test(known_orders),
        cmocka_unit_test(large_keys),
        cmocka_unit_test(corrupt_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
