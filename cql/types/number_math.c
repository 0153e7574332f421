/* exp, ln and log10 of decimals, to as many digits as the argument has but at least 32 and at most 10,000, correctly rounded but for
 * the improbable case that all guard digits agree (DecimalType's precision; Cassandra uses the library big-math).
 *
 * All is done in binary fixed point: an mpz of `bits` fraction bits. A decimal is split into a number between 1 and 10 and a power of
 * ten first, so that no scale makes a number large. */
#include "cql/types/big.h"

#include <math.h>

#define DIGITS_MIN 32
#define DIGITS_MAX 10000
/* Digits of an argument: a number that differs from 1 in its last one costs as many again. */
#define ARGUMENT_DIGITS_MAX 20000
#define GUARD_BITS          96
#define BITS_PER_10         3.3219280948873626
#define BITS_PER_MANY       3.33 /* more than enough bits for that many digits */

/* Σ 1/((2k+1) n^(2k+1)): artanh(1/n). */
static void artanh_inverse(mpz_t sum, unsigned long n, mp_bitcnt_t bits)
{
    mpz_t power, term;
    mpz_init(power);
    mpz_init(term);
    mpz_set_ui(power, 1);
    mpz_mul_2exp(power, power, bits);
    mpz_tdiv_q_ui(power, power, n);
    mpz_set(sum, power);
    for (unsigned long k = 3; mpz_sgn(power) != 0; k += 2) {
        mpz_tdiv_q_ui(power, power, n * n);
        mpz_tdiv_q_ui(term, power, k);
        mpz_add(sum, sum, term);
    }
    mpz_clear(power);
    mpz_clear(term);
}

/* c31 artanh(1/31) + c49 artanh(1/49) + c161 artanh(1/161): 14, 10, 6 give ln 2 and 46, 34, 20 ln 10. */
static void log_constant(mpz_t out, unsigned c31, unsigned c49, unsigned c161, mp_bitcnt_t bits)
{
    mpz_t term;
    mpz_init(term);
    artanh_inverse(out, 31, bits);
    mpz_mul_ui(out, out, c31);
    artanh_inverse(term, 49, bits);
    mpz_addmul_ui(out, term, c49);
    artanh_inverse(term, 161, bits);
    mpz_addmul_ui(out, term, c161);
    mpz_clear(term);
}

static void log_2(mpz_t out, mp_bitcnt_t bits)
{
    log_constant(out, 14, 10, 6, bits);
}

static void log_10(mpz_t out, mp_bitcnt_t bits)
{
    log_constant(out, 46, 34, 20, bits);
}

static void fixed_mul(mpz_t x, const mpz_t y, mp_bitcnt_t bits)
{
    mpz_mul(x, x, y);
    mpz_tdiv_q_2exp(x, x, bits);
}

/* How often an argument is halved (or its root taken) before its series: the fewer terms, the more steps; their product is least near
 * the root of the precision. */
static unsigned reductions(mp_bitcnt_t bits)
{
    return (unsigned)sqrt((double)bits) / 2 + 4;
}

/* x := ln x for x between 1 and 10. */
static void fixed_log(mpz_t x, mp_bitcnt_t bits)
{
    unsigned roots = reductions(bits), halvings = 0;
    mp_bitcnt_t extra = bits + roots + 16;
    mpz_t num, den, square, constant;
    mpz_init(num);
    mpz_init(den);
    mpz_init(square);
    mpz_init(constant);
    mpz_mul_2exp(x, x, extra - bits);
    while (mpz_sizeinbase(x, 2) > extra + 1) { /* down to between 1 and 2 */
        mpz_tdiv_q_2exp(x, x, 1);
        halvings++;
    }
    for (unsigned i = 0; i < roots; i++) {
        mpz_mul_2exp(x, x, extra);
        mpz_sqrt(x, x);
    }
    /* ln x = 2 artanh((x - 1) / (x + 1)) */
    mpz_set_ui(den, 1);
    mpz_mul_2exp(den, den, extra);
    mpz_sub(num, x, den);
    mpz_add(den, x, den);
    mpz_mul_2exp(num, num, extra);
    mpz_tdiv_q(num, num, den);
    mpz_mul(square, num, num);
    mpz_tdiv_q_2exp(square, square, extra);
    mpz_set(x, num);
    for (unsigned long k = 3; mpz_sgn(num) != 0; k += 2) {
        fixed_mul(num, square, extra);
        mpz_tdiv_q_ui(den, num, k);
        mpz_add(x, x, den);
    }
    mpz_mul_2exp(x, x, roots + 1);
    if (halvings) {
        log_2(constant, extra);
        mpz_addmul_ui(x, constant, halvings);
    }
    mpz_tdiv_q_2exp(x, x, extra - bits);
    mpz_clear(num);
    mpz_clear(den);
    mpz_clear(square);
    mpz_clear(constant);
}

/* x := e^x for x between 0 and 2.4. */
static void fixed_exp(mpz_t x, mp_bitcnt_t bits)
{
    unsigned halvings = reductions(bits);
    mp_bitcnt_t extra = bits + 2 * halvings + 16;
    mpz_t sum, term;
    mpz_init(sum);
    mpz_init(term);
    mpz_mul_2exp(x, x, extra - bits);
    mpz_tdiv_q_2exp(x, x, halvings);
    mpz_set_ui(sum, 1);
    mpz_mul_2exp(sum, sum, extra);
    mpz_set(term, sum);
    for (unsigned long k = 1; mpz_sgn(term) != 0; k++) {
        fixed_mul(term, x, extra);
        mpz_tdiv_q_ui(term, term, k);
        mpz_add(sum, sum, term);
    }
    for (unsigned i = 0; i < halvings; i++)
        fixed_mul(sum, sum, extra);
    mpz_tdiv_q_2exp(x, sum, extra - bits);
    mpz_clear(sum);
    mpz_clear(term);
}

/* The fixed-point number x × 10^exponent in `digits` digits, rounded HALF_EVEN. */
static void fixed_to_decimal(const mpz_t x, mp_bitcnt_t bits, int64_t exponent, int64_t digits,
                             struct decimal *out)
{
    if (mpz_sgn(x) == 0) {
        mpz_set_ui(out->unscaled, 0);
        out->scale = 0;
        return;
    }
    /* Enough decimals that at least `digits` digits come before the cut. */
    double log2x = (double)mpz_sizeinbase(x, 2) - (double)bits;
    int64_t scale = digits + 2 - (int64_t)floor(log2x / BITS_PER_10);
    if (scale < 0)
        scale = 0;
    mpz_ui_pow_ui(out->unscaled, 10, (unsigned long)scale);
    mpz_mul(out->unscaled, out->unscaled, x);
    mpz_t unit;
    mpz_init_set_ui(unit, 1);
    mpz_mul_2exp(unit, unit, bits);
    mpz_tdiv_q(out->unscaled, out->unscaled, unit);
    mpz_clear(unit);
    int64_t drop = big_digits(out->unscaled) - digits;
    big_scale_down(out->unscaled, drop, ROUND_HALF_EVEN);
    out->scale = scale - drop - exponent;
    if (big_digits(out->unscaled) > digits) { /* 999… became 1000… */
        big_scale_down(out->unscaled, 1, ROUND_DOWN);
        out->scale--;
    }
}

/* d (positive) as fixed point between 1 and 10, and the exponent of ten that is left. */
static int64_t split(const struct decimal *d, mp_bitcnt_t bits, mpz_t x)
{
    int64_t digits = big_digits(d->unscaled);
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)(digits - 1));
    mpz_mul_2exp(x, d->unscaled, bits);
    mpz_tdiv_q(x, x, power);
    mpz_clear(power);
    return digits - 1 - d->scale;
}

/* Digits lost because d is near 1, where its logarithm is near 0. */
static int64_t digits_near_one(const struct decimal *d)
{
    int64_t digits = big_digits(d->unscaled);
    if (d->scale < digits - 1 || d->scale > digits)
        return 0;
    mpz_t one;
    mpz_init(one);
    mpz_ui_pow_ui(one, 10, (unsigned long)d->scale);
    mpz_sub(one, d->unscaled, one);
    int64_t left = big_digits(one);
    mpz_clear(one);
    return d->scale - left + 2;
}

static void log_of(struct decimal *d, bool base_10, int64_t digits)
{
    int64_t lost = digits_near_one(d);
    mp_bitcnt_t bits = (mp_bitcnt_t)((double)(digits + lost) * BITS_PER_MANY) + GUARD_BITS;
    mpz_t x, ln10;
    mpz_init(x);
    mpz_init(ln10);
    int64_t exponent = split(d, bits, x);
    bool is_power_of_10 = mpz_sizeinbase(x, 2) == bits + 1 && mpz_scan1(x, 0) == bits;
    fixed_log(x, bits);
    log_10(ln10, bits);
    if (base_10 && is_power_of_10) {
        mpz_set_si(d->unscaled, (long)exponent);
        d->scale = 0;
    } else {
        mpz_t whole;
        mpz_init_set_si(whole, (long)exponent);
        if (base_10) {
            mpz_mul_2exp(x, x, bits);
            mpz_tdiv_q(x, x, ln10);
            mpz_mul_2exp(whole, whole, bits);
        } else {
            mpz_mul(whole, whole, ln10);
        }
        mpz_add(x, x, whole);
        mpz_clear(whole);
        fixed_to_decimal(x, bits, 0, digits, d);
    }
    mpz_clear(x);
    mpz_clear(ln10);
}

/* Past this the result's exponent does not fit 32 bits. */
#define EXP_ARGUMENT_MAX 4944763837.0

static err_t exp_of(struct decimal *d, double approximate, int64_t digits, struct fail *fail)
{
    if (fabs(approximate) > EXP_ARGUMENT_MAX)
        return fail_set(fail, ERR_FUNCTION_FAILURE, "Overflow");
    mp_bitcnt_t bits = (mp_bitcnt_t)((double)digits * BITS_PER_MANY) + GUARD_BITS;
    mpz_t x, ln10, power, exponent;
    mpz_init(x);
    mpz_init(ln10);
    mpz_init(power);
    mpz_init(exponent);
    mpz_mul_2exp(x, d->unscaled, bits);
    if (d->scale > 0 && (uint64_t)d->scale > mpz_sizeinbase(x, 10) + 1) {
        mpz_set_ui(x, 0); /* too small to show */
    } else if (d->scale > 0) {
        mpz_ui_pow_ui(power, 10, (unsigned long)d->scale);
        mpz_fdiv_q(x, x, power);
    } else {
        mpz_ui_pow_ui(power, 10, (unsigned long)-d->scale); /* at most ten, by the size of d */
        mpz_mul(x, x, power);
    }
    log_10(ln10, bits);
    mpz_fdiv_qr(exponent, x, x, ln10);
    fixed_exp(x, bits);
    fixed_to_decimal(x, bits, mpz_get_si(exponent), digits, d);
    mpz_clear(x);
    mpz_clear(ln10);
    mpz_clear(power);
    mpz_clear(exponent);
    return OK;
}

err_t decimal_transcendental(enum number_fn fn, struct bytes v, struct arena *a, struct bytes *out,
                             struct fail *fail)
{
    struct decimal d;
    err_t err = OK;
    decimal_init(&d, v);
    int64_t digits = big_digits(d.unscaled);
    if (digits > ARGUMENT_DIGITS_MAX) {
        decimal_clear(&d);
        return number_overflow(fail);
    }
    if (digits < DIGITS_MIN)
        digits = DIGITS_MIN;
    if (digits > DIGITS_MAX)
        digits = DIGITS_MAX;
    if (fn == NUMBER_EXP) {
        if (mpz_sgn(d.unscaled) == 0) {
            mpz_set_ui(d.unscaled, 1);
            d.scale = 0;
        } else {
            err = exp_of(&d, decimal_double(v), digits, fail);
        }
    } else if (mpz_sgn(d.unscaled) <= 0) {
        err = fail_set(fail, ERR_FUNCTION_FAILURE,
                       fn == NUMBER_LOG ? "Natural log of number zero or less"
                                        : "Log10 of number zero or less");
    } else {
        log_of(&d, fn == NUMBER_LOG10, digits);
    }
    if (err == OK)
        err = decimal_serialize(&d, a, out, fail);
    decimal_clear(&d);
    return err;
}
