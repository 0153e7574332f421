/* The base library: buffers and cursors on hostile bytes, arena, map, checksums, generator. */
#include "cql/base/arena.h"
#include "cql/base/buf.h"
#include "cql/base/hash.h"
#include "cql/base/map.h"
#include "cql/base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_crc32c_of_the_check_string(void **state)
{
    (void)state;
    /* The check value of CRC-32C in the catalogue of parametrised CRC algorithms. */
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    uint32_t in_two = crc32c(crc32c(0, "1234", 4), "56789", 5);
    assert_int_equal(in_two, 0xE3069283);
}

static void test_varints_round_trip(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 1);
    struct buf b = {0};
    uint64_t values[200];
    for (int i = 0; i < 200; i++) {
        values[i] = prng_u64(&r) >> prng_below(&r, 64);
        buf_varint(&b, values[i]);
        buf_zigzag(&b, (int64_t)values[i]);
        buf_zigzag(&b, -(int64_t)(values[i] >> 1));
    }
    struct cur c = cur_of(buf_bytes(&b));
    for (int i = 0; i < 200; i++) {
        assert_true(cur_varint(&c) == values[i]);
        assert_true(cur_zigzag(&c) == (int64_t)values[i]);
        assert_true(cur_zigzag(&c) == -(int64_t)(values[i] >> 1));
    }
    assert_true(cur_ok(&c) && cur_at_end(&c));
    buf_free(&b);
}

static void test_cursor_stays_in_bounds(void **state)
{
    (void)state;
    static const uint8_t endless[11] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff};
    struct cur c = cur_of(bytes_of(endless, sizeof endless));
    cur_varint(&c);
    assert_false(cur_ok(&c));
    static const uint8_t lying[2] = {200, 1};
    c = cur_of(bytes_of(lying, sizeof lying));
    assert_true(bytes_is_null(cur_lstr(&c)));
    assert_false(cur_ok(&c));
    assert_int_equal(cur_be32(&c), 0);
    assert_true(cur_at_end(&c));
}

static void test_arena_keeps_what_it_gave(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 512);
    for (int round = 0; round < 3; round++) {
        struct bytes kept[100];
        char text[600];
        for (int i = 0; i < 100; i++) {
            int n = snprintf(text, sizeof text, "%d:%0*d", i, i * 5, i);
            kept[i] = arena_dup(&a, bytes_of(text, (size_t)n));
            assert_int_equal((uintptr_t)kept[i].p % 16, 0);
        }
        for (int i = 0; i < 100; i++) {
            int n = snprintf(text, sizeof text, "%d:%0*d", i, i * 5, i);
            assert_true(bytes_equal(kept[i], bytes_of(text, (size_t)n)));
        }
        arena_reset(&a);
        assert_int_equal(arena_bytes(&a), 0);
    }
    assert_true(bytes_is_null(arena_dup(&a, BYTES_NULL)));
    assert_false(bytes_is_null(arena_dup(&a, bytes_of("", 0))));
    arena_free(&a);
}

static void test_map_against_an_array(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 7);
    struct map m = {.seed = 3};
    static uint32_t keys[500];
    static void *values[500];
    for (int i = 0; i < 500; i++)
        keys[i] = (uint32_t)i;
    for (int step = 0; step < 20000; step++) {
        size_t k = prng_below(&r, 500);
        struct bytes key = bytes_of(&keys[k], sizeof keys[k]);
        switch (prng_below(&r, 3)) {
        case 0:
            assert_ptr_equal(map_put(&m, key, &keys[step % 500]), values[k]);
            values[k] = &keys[step % 500];
            break;
        case 1:
            assert_ptr_equal(map_del(&m, key), values[k]);
            values[k] = NULL;
            break;
        default: assert_ptr_equal(map_get(&m, key), values[k]);
        }
    }
    size_t count = 0, i = 0;
    for (struct map_slot *s; (s = map_next(&m, &i));)
        count++;
    assert_int_equal(count, m.count);
    map_free(&m);
}

static void test_error_messages(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    struct fail f = {.arena = &a};
    assert_int_equal(fail_set(&f, ERR_INVALID, "no %s at %d", "x", 7), ERR_INVALID);
    assert_true(bytes_equal_str(f.message, "no x at 7"));
    assert_int_equal(err_protocol_code(ERR_ALREADY_EXISTS), 0x2400);
    assert_int_equal(err_protocol_code(ERR_CORRUPT), 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c_of_the_check_string),
        cmocka_unit_test(test_varints_round_trip),
        cmocka_unit_test(test_cursor_stays_in_bounds),
        cmocka_unit_test(test_arena_keeps_what_it_gave),
        cmocka_unit_test(test_map_against_an_array),
        cmocka_unit_test(test_error_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
