/* Arithmetic of varints and decimals as BigInteger and BigDecimal do it for Cassandra (IntegerType, DecimalType). Unlike Java, an
 * operation that would need more than NUMBER_BYTES_MAX fails before it takes memory. */
#include "cql/types/big.h"
#include "cql/types/ops.h"

/* DecimalType's constants: sums and products keep 10,000 digits, quotients 32 digits and decimals at least, 1,000 decimals at most. */
#define PRECISION_MAX       10000
#define QUOTIENT_DIGITS_MIN 32
#define QUOTIENT_SCALE_MIN  32
#define QUOTIENT_SCALE_MAX  1000

static size_t bytes_of_big(const mpz_t x)
{
    return mpz_sizeinbase(x, 2) / 8 + 1;
}

err_t varint_binary(enum number_op op, struct bytes x, struct bytes y, struct arena *a,
                    struct bytes *out, struct fail *fail)
{
    if (x.n > 2 * NUMBER_BYTES_MAX || y.n > 2 * NUMBER_BYTES_MAX)
        return number_overflow(fail);
    mpz_t p, q;
    err_t err = OK;
    big_init(p, x);
    big_init(q, y);
    bool divides = op == NUMBER_DIVIDE || op == NUMBER_MODULO;
    if (divides && mpz_sgn(q) == 0)
        err = fail_set(fail, ERR_FUNCTION_FAILURE, "BigInteger divide by zero");
    else if (op == NUMBER_ADD)
        mpz_add(p, p, q);
    else if (op == NUMBER_SUBTRACT)
        mpz_sub(p, p, q);
    else if (op == NUMBER_MULTIPLY)
        mpz_mul(p, p, q);
    else if (op == NUMBER_DIVIDE)
        mpz_tdiv_q(p, p, q);
    else
        mpz_tdiv_r(p, p, q);
    if (err == OK && bytes_of_big(p) > NUMBER_BYTES_MAX)
        err = number_overflow(fail);
    if (err == OK)
        *out = big_bytes(p, 0, a);
    mpz_clear(p);
    mpz_clear(q);
    return err;
}

/* Rounded to at most `precision` digits, HALF_UP; no zeros are stripped (BigDecimal's doRound). */
static void round_digits(struct decimal *d, int64_t precision)
{
    int64_t drop = big_digits(d->unscaled) - precision;
    while (drop > 0) {
        big_scale_down(d->unscaled, drop, ROUND_HALF_UP);
        d->scale -= drop;
        drop = big_digits(d->unscaled) - precision; /* 999 may have become 1000 */
    }
}

/* Brings d to `scale`; false when it would grow too large. Digits are only dropped where they are zeros. */
static bool to_scale(struct decimal *d, int64_t scale)
{
    if (!big_scale_up(d->unscaled, scale - d->scale))
        return false;
    big_scale_down(d->unscaled, d->scale - scale, ROUND_DOWN);
    d->scale = scale;
    return true;
}

/* One operand is zero: the other, rounded, with a scale as near to the larger of both as it can have. */
static bool add_zero(struct decimal *x, const struct decimal *y)
{
    int64_t preferred = x->scale > y->scale ? x->scale : y->scale;
    if (mpz_sgn(x->unscaled) == 0) {
        mpz_set(x->unscaled, y->unscaled);
        x->scale = y->scale;
    }
    if (mpz_sgn(x->unscaled) == 0) {
        x->scale = preferred;
        return true;
    }
    round_digits(x, PRECISION_MAX);
    int64_t room = PRECISION_MAX - big_digits(x->unscaled);
    int64_t missing = preferred - x->scale;
    return missing <= 0 || to_scale(x, x->scale + (missing < room ? missing : room));
}

/* x += y. A term so small that it does not show in 10,000 digits is replaced by one just below them, so that scales that lie far apart
 * cost nothing (BigDecimal.preAlign). */
static bool add(struct decimal *x, struct decimal *y)
{
    if (mpz_sgn(x->unscaled) == 0 || mpz_sgn(y->unscaled) == 0)
        return add_zero(x, y);
    struct decimal *big = x->scale < y->scale ? x : y, *small = big == x ? y : x;
    int64_t ulp = big->scale - big_digits(big->unscaled) + PRECISION_MAX;
    int64_t small_high = small->scale - big_digits(small->unscaled) + 1;
    if (small_high > big->scale + 2 && small_high > ulp + 2) {
        mpz_set_si(small->unscaled, mpz_sgn(small->unscaled));
        small->scale = (big->scale > ulp ? big->scale : ulp) + 3;
    }
    if (!to_scale(big, small->scale))
        return false;
    mpz_add(x->unscaled, x->unscaled, y->unscaled);
    round_digits(x, PRECISION_MAX);
    return true;
}

static err_t divide(struct decimal *x, struct decimal *y, struct fail *fail)
{
    int64_t first_digit = big_digits(x->unscaled) - x->scale - (big_digits(y->unscaled) - y->scale);
    int64_t scale = QUOTIENT_DIGITS_MIN - first_digit;
    if (scale < x->scale)
        scale = x->scale;
    if (scale < y->scale)
        scale = y->scale;
    if (scale < QUOTIENT_SCALE_MIN)
        scale = QUOTIENT_SCALE_MIN;
    if (scale > QUOTIENT_SCALE_MAX)
        scale = QUOTIENT_SCALE_MAX;
    int64_t raise = scale + y->scale - x->scale;
    if (raise < 0 && -raise > (int64_t)mpz_sizeinbase(x->unscaled, 10) + 1) {
        mpz_set_ui(x->unscaled, 0); /* less than a tenth of the last digit */
    } else {
        if (!big_scale_up(x->unscaled, raise) || !big_scale_up(y->unscaled, -raise))
            return number_overflow(fail);
        big_divide(x->unscaled, x->unscaled, y->unscaled, ROUND_HALF_UP);
    }
    x->scale = scale;
    decimal_strip(x);
    return OK;
}

static int64_t trailing_zeros(const mpz_t x)
{
    struct decimal d = {.scale = 0};
    mpz_init_set(d.unscaled, x);
    decimal_strip(&d);
    mpz_clear(d.unscaled);
    return -d.scale;
}

/* x - trunc(x / y) * y with BigDecimal.remainder's scale: x's, or finer where y is and the quotient ends in fewer zeros than that. */
static err_t modulo(struct decimal *x, struct decimal *y, struct fail *fail)
{
    int64_t scale = x->scale, preferred = x->scale - y->scale;
    int64_t common = x->scale > y->scale ? x->scale : y->scale;
    int64_t size_x = (int64_t)mpz_sizeinbase(x->unscaled, 10) - x->scale;
    int64_t size_y = (int64_t)mpz_sizeinbase(y->unscaled, 10) - y->scale;
    if (mpz_sgn(x->unscaled) == 0 || size_x + 1 < size_y)
        return OK; /* smaller than y: itself */
    if (!to_scale(x, common) || !to_scale(y, common))
        return number_overflow(fail);
    mpz_t quotient;
    mpz_init(quotient);
    mpz_tdiv_qr(quotient, x->unscaled, x->unscaled, y->unscaled);
    if (preferred < 0 && mpz_sgn(quotient) != 0) {
        int64_t zeros = trailing_zeros(quotient);
        scale = common + (preferred > -zeros ? preferred : -zeros);
    }
    mpz_clear(quotient);
    if (mpz_sgn(x->unscaled) != 0 || scale < common)
        to_scale(x, scale);
    x->scale = scale;
    return OK;
}

err_t decimal_binary(enum number_op op, struct bytes left, struct bytes right, struct arena *a,
                     struct bytes *out, struct fail *fail)
{
    if (left.n > 2 * NUMBER_BYTES_MAX || right.n > 2 * NUMBER_BYTES_MAX)
        return number_overflow(fail);
    struct decimal x, y;
    err_t err = OK;
    decimal_init(&x, left);
    decimal_init(&y, right);
    if (mpz_sgn(y.unscaled) == 0 && op == NUMBER_DIVIDE) {
        err = fail_set(fail, ERR_FUNCTION_FAILURE, "BigInteger divide by zero");
    } else if (mpz_sgn(y.unscaled) == 0 && op == NUMBER_MODULO) {
        err = fail_set(fail, ERR_FUNCTION_FAILURE,
                       mpz_sgn(x.unscaled) == 0 ? "Division undefined" : "Division by zero");
    } else if (op == NUMBER_ADD || op == NUMBER_SUBTRACT) {
        if (op == NUMBER_SUBTRACT)
            mpz_neg(y.unscaled, y.unscaled);
        if (!add(&x, &y))
            err = number_overflow(fail);
    } else if (op == NUMBER_MULTIPLY) {
        mpz_mul(x.unscaled, x.unscaled, y.unscaled);
        x.scale += y.scale;
        round_digits(&x, PRECISION_MAX);
    } else {
        err = op == NUMBER_DIVIDE ? divide(&x, &y, fail) : modulo(&x, &y, fail);
    }
    if (err == OK)
        err = decimal_serialize(&x, a, out, fail);
    decimal_clear(&x);
    decimal_clear(&y);
    return err;
}

err_t decimal_unary(enum number_fn fn, struct bytes v, struct arena *a, struct bytes *out,
                    struct fail *fail)
{
    if (v.n > 2 * NUMBER_BYTES_MAX)
        return number_overflow(fail);
    if (fn == NUMBER_ROUND)
        return decimal_set_scale(v, 0, ROUND_HALF_UP, a, out, fail);
    if (fn != NUMBER_NEGATE && fn != NUMBER_ABS)
        return decimal_transcendental(fn, v, a, out, fail);
    struct decimal d;
    decimal_init(&d, v);
    if (fn == NUMBER_NEGATE)
        mpz_neg(d.unscaled, d.unscaled);
    else
        mpz_abs(d.unscaled, d.unscaled);
    err_t err = decimal_serialize(&d, a, out, fail);
    decimal_clear(&d);
    return err;
}

err_t varint_unary(enum number_fn fn, struct bytes v, struct arena *a, struct bytes *out,
                   struct fail *fail)
{
    if (v.n > 2 * NUMBER_BYTES_MAX)
        return number_overflow(fail);
    if (fn == NUMBER_ROUND) {
        *out = varint_stripped(v);
        return OK;
    }
    if (fn == NUMBER_NEGATE || fn == NUMBER_ABS) {
        mpz_t x;
        big_init(x, v);
        if (fn == NUMBER_NEGATE)
            mpz_neg(x, x);
        else
            mpz_abs(x, x);
        *out = big_bytes(x, 0, a);
        mpz_clear(x);
        return OK;
    }
    struct bytes d;
    TRY(decimal_transcendental(fn, decimal_of_varint(a, v), a, &d, fail));
    TRY(decimal_set_scale(d, 0, ROUND_DOWN, a, &d, fail));
    *out = arena_dup(a, bytes_skip(d, 4));
    return OK;
}
