/* Arithmetic and conversion of numbers beyond what oracle.def holds: limits, hostile sizes, and mathematics checked against itself. */
#include "cql/types/number.h"
#include "cql/types/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct fail failure;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    failure = (struct fail){.arena = &arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct bytes decimal(const char *text)
{
    struct bytes v = BYTES_NULL;
    assert_true(decimal_parse(bytes_str(text), &arena, &v));
    return v;
}

static void assert_text(enum type_id id, struct bytes v, const char *expected)
{
    struct buf b = buf_in(&arena);
    type_to_text(type_native(id), v, &b);
    buf_u8(&b, 0);
    assert_string_equal((char *)b.p, expected);
}

static struct bytes binary(enum number_op op, const char *x, const char *y)
{
    struct bytes v = BYTES_NULL;
    assert_int_equal(number_binary(op, TYPE_DECIMAL, TYPE_DECIMAL, decimal(x), TYPE_DECIMAL,
                                   decimal(y), &arena, &v, &failure),
                     OK);
    return v;
}

static void decimals(void **state)
{
    (void)state;
    assert_text(TYPE_DECIMAL, binary(NUMBER_ADD, "1.10", "2.2"), "3.30");
    assert_text(TYPE_DECIMAL, binary(NUMBER_SUBTRACT, "1", "1.000"), "0.000");
    assert_text(TYPE_DECIMAL, binary(NUMBER_MULTIPLY, "1.5", "-1.50"), "-2.250");
    assert_text(TYPE_DECIMAL, binary(NUMBER_DIVIDE, "1", "3"),
                "0.33333333333333333333333333333333");
    assert_text(TYPE_DECIMAL, binary(NUMBER_DIVIDE, "10", "4"), "2.5");
    assert_text(TYPE_DECIMAL, binary(NUMBER_MODULO, "-7.5", "2"), "-1.5");
    struct bytes v;
    assert_int_equal(decimal_set_scale(decimal("2.5"), 0, ROUND_HALF_EVEN, &arena, &v, &failure),
                     OK);
    assert_text(TYPE_DECIMAL, v, "2");
    assert_int_equal(decimal_set_scale(decimal("-2.5"), 0, ROUND_HALF_UP, &arena, &v, &failure),
                     OK);
    assert_text(TYPE_DECIMAL, v, "-3");
    assert_int_equal(decimal_set_scale(decimal("-0.1"), 0, ROUND_FLOOR, &arena, &v, &failure), OK);
    assert_text(TYPE_DECIMAL, v, "-1");
    assert_int_equal(
        decimal_divide(decimal("7"), decimal("2"), 0, ROUND_HALF_EVEN, &arena, &v, &failure), OK);
    assert_text(TYPE_DECIMAL, v, "4");
    assert_text(TYPE_DECIMAL, decimal_strip_zeros(&arena, decimal("1200")), "1.2E+3");
    assert_int_equal(decimal_precision(decimal("1200")), 4);
    assert_int_equal(decimal_compare(decimal("1.0"), decimal("1.000")), 0);
    assert_int_equal(decimal_compare(decimal("1e1000000000"), decimal("9e999999999")), 1);
}

/* Scales at the limits of 32 bits: an answer or an error, at once and in little memory. */
static void hostile_scales(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "1e2147483647", "-1e2147483647", "7e-2147483647", "3", "0e2147483647", "1e1000000000", "0"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct bytes x = decimal(numbers[i]), v;
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            for (int op = NUMBER_ADD; op <= NUMBER_MODULO; op++) {
                err_t err = number_binary((enum number_op)op, TYPE_DECIMAL, TYPE_DECIMAL, x,
                                          TYPE_DECIMAL, decimal(numbers[k]), &arena, &v, &failure);
                assert_true(err == OK || err == ERR_FUNCTION_FAILURE);
            }
        for (int fn = NUMBER_NEGATE; fn <= NUMBER_ROUND; fn++) {
            err_t err = number_unary((enum number_fn)fn, TYPE_DECIMAL, x, &arena, &v, &failure);
            assert_true(err == OK || err == ERR_FUNCTION_FAILURE);
        }
        (void)number_i64(TYPE_DECIMAL, x);
        (void)number_double(TYPE_DECIMAL, x);
        struct buf text = buf_in(&arena);
        decimal_print(x, &text);
        assert_true(text.n < 32);
    }
    /* Past 10,000 digits a term is only a rounding. */
    struct bytes v = binary(NUMBER_ADD, "1e1000000", "1");
    assert_int_equal(decimal_precision(v), 10000);
    assert_true(arena_bytes(&arena) < 64 << 20);
}

static void results_too_large(void **state)
{
    (void)state;
    uint8_t *p = arena_alloc(&arena, 40000);
    memset(p, 0x55, 40000);
    struct bytes big = bytes_of(p, 40000), v;
    assert_int_equal(number_binary(NUMBER_MULTIPLY, TYPE_VARINT, TYPE_VARINT, big, TYPE_VARINT, big,
                                   &arena, &v, &failure),
                     ERR_FUNCTION_FAILURE);
    assert_true(bytes_equal_str(failure.message, "BigInteger would overflow supported range"));
    assert_int_equal(number_binary(NUMBER_ADD, TYPE_VARINT, TYPE_VARINT, big, TYPE_VARINT, big,
                                   &arena, &v, &failure),
                     OK);
    assert_int_equal(v.n, 40001);
}

static void division_by_zero(void **state)
{
    (void)state;
    struct bytes zero = value_of_i32(&arena, 0), one = value_of_i32(&arena, 1), v;
    assert_int_equal(
        number_binary(NUMBER_DIVIDE, TYPE_INT, TYPE_INT, one, TYPE_INT, zero, &arena, &v, &failure),
        ERR_FUNCTION_FAILURE);
    assert_true(bytes_equal_str(failure.message, "/ by zero"));
    struct bytes least = value_of_i64(&arena, INT64_MIN), minus = value_of_i64(&arena, -1);
    for (int op = NUMBER_DIVIDE; op <= NUMBER_MODULO; op++) {
        assert_int_equal(number_binary((enum number_op)op, TYPE_BIGINT, TYPE_BIGINT, least,
                                       TYPE_BIGINT, minus, &arena, &v, &failure),
                         OK);
        assert_true(value_i64(v) == (op == NUMBER_DIVIDE ? INT64_MIN : 0));
    }
}

/* log and exp undo one another to nearly all digits, at 32 digits and at many. */
static void logarithms(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "2",
        "0.5",
        "1.0000000000000000000000000000000001",
        "123456789.123456789",
        "9.99e-30",
        "3.1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348"
        "2534211706798214808651328230664709384460955058223172535940812848111745028410270193852110"
        "5"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct bytes x = decimal(numbers[i]), log, back, ratio;
        assert_int_equal(number_unary(NUMBER_LOG, TYPE_DECIMAL, x, &arena, &log, &failure), OK);
        assert_int_equal(number_unary(NUMBER_EXP, TYPE_DECIMAL, log, &arena, &back, &failure), OK);
        assert_int_equal(decimal_divide(back, x, 400, ROUND_HALF_UP, &arena, &ratio, &failure), OK);
        struct bytes error;
        assert_int_equal(number_binary(NUMBER_SUBTRACT, TYPE_DECIMAL, TYPE_DECIMAL, ratio,
                                       TYPE_DECIMAL, decimal("1"), &arena, &error, &failure),
                         OK);
        int64_t digits = decimal_precision(x) > 32 ? decimal_precision(x) : 32;
        int64_t wrong_at = decimal_scale(error) - decimal_precision(error);
        assert_true(decimal_sign(error) == 0 || wrong_at >= digits - 4);
    }
}

static void floats(void **state)
{
    (void)state;
    static const struct {
        double d;
        const char *text;
    } rows[] = {
        {0.1, "0.1"},
        {1e7, "1.0E7"},
        {9999999, "9999999.0"},
        {0.001, "0.001"},
        {0.0009, "9.0E-4"},
        {1e21, "1.0E21"},
        {4.9e-324, "4.9E-324"},
        {-0.0, "-0.0"},
        {123456, "123456.0"},
        {2e23, "2.0E23"},
        {0x1p-44, "5.684341886080802E-14"},
        {1e300 * 10, "1.0E301"},
        {9007199254740993.0, "9.007199254740992E15"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {100, "100.0"},
        {12.5, "12.5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_text(TYPE_DOUBLE, value_of_double(&arena, rows[i].d), rows[i].text);
        double back;
        assert_true(java_parse_double(bytes_str(rows[i].text), &back));
        assert_true(back == rows[i].d);
    }
    assert_text(TYPE_FLOAT, value_of_float(&arena, 0.1f), "0.1");
    assert_text(TYPE_FLOAT, value_of_float(&arena, 3.4028235e38f), "3.4028235E38");
    assert_text(TYPE_FLOAT, value_of_float(&arena, 1.4e-45f), "1.4E-45");
    assert_true(java_i32_of_double(1e10) == INT32_MAX && java_i32_of_double((double)NAN) == 0);
    assert_true(java_i64_of_double(-1e30) == INT64_MIN && java_i64_of_double(-1.9) == -1);
    assert_true(java_round_double(0.49999999999999994) == 0 && java_round_double(-2.5) == -2);
    assert_true(java_round_double(2.5) == 3 && java_round_float(-0.5f) == 0);
}

static void casts(void **state)
{
    (void)state;
    struct bytes v;
    assert_int_equal(
        number_cast(TYPE_TINYINT, TYPE_INT, value_of_i32(&arena, 300), &arena, &v, &failure), OK);
    assert_text(TYPE_TINYINT, v, "44");
    assert_int_equal(
        number_cast(TYPE_TINYINT, TYPE_DOUBLE, value_of_double(&arena, 1e10), &arena, &v, &failure),
        OK);
    assert_text(TYPE_TINYINT, v, "-1"); /* through int, which saturates */
    assert_int_equal(
        number_cast(TYPE_DECIMAL, TYPE_FLOAT, value_of_float(&arena, 5.2f), &arena, &v, &failure),
        OK);
    assert_text(TYPE_DECIMAL, v, "5.2");
    assert_int_equal(number_cast(TYPE_DECIMAL, TYPE_DOUBLE, value_of_double(&arena, (double)NAN),
                                 &arena, &v, &failure),
                     ERR_FUNCTION_FAILURE);
    int64_t x;
    assert_true(varint_fits_i64(varint_of_i64(&arena, INT64_MIN), &x) && x == INT64_MIN);
    struct bytes big;
    assert_true(varint_parse(bytes_str("9223372036854775808"), &arena, &big));
    assert_false(varint_fits_i64(big, &x));
    assert_true(varint_i64(big) == INT64_MIN && varint_sign(big) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decimals, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_scales, setup, teardown),
        cmocka_unit_test_setup_teardown(results_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(division_by_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(logarithms, setup, teardown),
        cmocka_unit_test_setup_teardown(floats, setup, teardown),
        cmocka_unit_test_setup_teardown(casts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
