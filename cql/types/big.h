/* Serialised big integers as GMP ones, for the files of this folder that compute on them: nothing outside includes gmp.h. An mpz_t is
 * the caller's to clear. GMP takes its memory from malloc and aborts without it, so sizes are checked before work is done. */
#ifndef CQL_TYPES_BIG_H
#define CQL_TYPES_BIG_H

#include "cql/types/number.h"

#include <gmp.h>

/* Decimal digits that fit NUMBER_BYTES_MAX. */
#define NUMBER_DIGITS_MAX 157826

/* An unscaled × 10^-scale; scale is wider than the serialised one while computing. */
struct decimal {
    mpz_t unscaled;
    int64_t scale;
};

/* v without the leading bytes that only repeat its sign. Empty stays empty. */
struct bytes varint_stripped(struct bytes v);
/* From two's complement bytes; an empty value is 0. Initialises x. */
void big_init(mpz_t x, struct bytes v);
/* The shortest two's complement form, as BigInteger.toByteArray, behind `head` bytes left uninitialised. */
struct bytes big_bytes(const mpz_t x, size_t head, struct arena *a);
/* Initialises d; v of less than 4 bytes is 0. */
void decimal_init(struct decimal *d, struct bytes v);
void decimal_clear(struct decimal *d);
/* The serialised form; an error when the scale is not within 32 bits or the number is too large. */
MUST_USE err_t decimal_serialize(const struct decimal *d, struct arena *a, struct bytes *out,
                                 struct fail *fail);
/* The same without the limit of size, for what is already stored. */
MUST_USE err_t decimal_serialize_any(const struct decimal *d, struct arena *a, struct bytes *out);
struct bytes decimal_of_varint_scaled(struct arena *a, struct bytes varint, int32_t scale);
/* Without trailing zeros, as BigDecimal.stripTrailingZeros. */
void decimal_strip(struct decimal *d);
/* Exact number of decimal digits, 1 for zero. */
int64_t big_digits(const mpz_t x);
/* x × 10^n; false when the result would be too large (x is unchanged). */
bool big_scale_up(mpz_t x, int64_t n);
/* x / 10^n rounded. */
void big_scale_down(mpz_t x, int64_t n, enum rounding mode);
/* q = x / y rounded; y is not zero. */
void big_divide(mpz_t q, const mpz_t x, const mpz_t y, enum rounding mode);
/* number_binary and number_unary of varints and decimals. */
MUST_USE err_t varint_binary(enum number_op op, struct bytes x, struct bytes y, struct arena *a,
                             struct bytes *out, struct fail *fail);
MUST_USE err_t varint_unary(enum number_fn fn, struct bytes v, struct arena *a, struct bytes *out,
                            struct fail *fail);
MUST_USE err_t decimal_binary(enum number_op op, struct bytes x, struct bytes y, struct arena *a,
                              struct bytes *out, struct fail *fail);
MUST_USE err_t decimal_unary(enum number_fn fn, struct bytes v, struct arena *a, struct bytes *out,
                             struct fail *fail);
/* exp, log and log10 of a decimal at max(32, its own) digits, at most 10,000 (DecimalType.exp). */
MUST_USE err_t decimal_transcendental(enum number_fn fn, struct bytes v, struct arena *a,
                                      struct bytes *out, struct fail *fail);
/* The error of a result that is too large, with Java's words. */
err_t number_overflow(struct fail *fail);

#endif
