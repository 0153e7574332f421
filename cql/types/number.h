/* Arithmetic and conversions on serialised numbers, as Java does them for Cassandra (NumberType, CastFcts): integers wrap,
 * a floating-point number narrows to an integer by truncation that saturates (byte and short go through int), varints and
 * decimals are of any size.
 *
 * Values are serialised (see type.h) and results are in the arena. `type` arguments are ids of numeric natives (TINYINT,
 * SMALLINT, INT, BIGINT, COUNTER, VARINT, FLOAT, DOUBLE, DECIMAL); a COUNTER is its 8-byte total. Operands must be valid and
 * neither null nor empty: callers answer null for those, as Cassandra does. An arithmetic error is ERR_FUNCTION_FAILURE with the
 * message of Java's exception ("/ by zero", "BigInteger divide by zero"), to which the caller adds what it knows.
 * Results larger than NUMBER_BYTES_MAX and scales past 32 bits are such errors too, so no input uses much memory or time.
 * Threads: any. */
#ifndef CQL_TYPES_NUMBER_H
#define CQL_TYPES_NUMBER_H

#include "cql/types/type.h"

/* Bytes of a big integer that an operation may give. */
#define NUMBER_BYTES_MAX 65536

enum number_op {
    NUMBER_ADD,
    NUMBER_SUBTRACT,
    NUMBER_MULTIPLY,
    NUMBER_DIVIDE,
    NUMBER_MODULO,
};

/* left op right, both converted to `type` first, the result of `type` (the caller picks it: the wider of the two). Decimals: sums
 * and products rounded to 10,000 digits, quotients of at least 32 significant digits and scale, at most scale 1000, HALF_UP, trailing
 * zeros stripped (DecimalType.divide). */
MUST_USE err_t number_binary(enum number_op op, enum type_id type, enum type_id left_type,
                             struct bytes left, enum type_id right_type, struct bytes right,
                             struct arena *a, struct bytes *out, struct fail *fail);

enum number_fn {
    NUMBER_NEGATE,
    NUMBER_ABS,
    NUMBER_EXP,
    NUMBER_LOG,
    NUMBER_LOG10,
    NUMBER_ROUND,
};

/* fn(v) with the result type that number_fn_type() tells. Integers compute exp, log and log10 in double and truncate. */
MUST_USE err_t number_unary(enum number_fn fn, enum type_id type, struct bytes v, struct arena *a,
                            struct bytes *out, struct fail *fail);
/* The type of fn's result: the argument's (exp, log and log10 of a varint are cut to their whole part). */
enum type_id number_fn_type(enum number_fn fn, enum type_id type);

/* CAST(v AS to). NaN and infinities to decimal are errors; a varint or decimal to varint goes through 64 bits, as in Cassandra. */
MUST_USE err_t number_cast(enum type_id to, enum type_id from, struct bytes v, struct arena *a,
                           struct bytes *out, struct fail *fail);

/* Java's Number.longValue() and doubleValue() of any numeric value. */
int64_t number_i64(enum type_id type, struct bytes v);
double number_double(enum type_id type, struct bytes v);

/* Java's (long) d, (int) d: NaN gives 0, out of range saturates. */
int64_t java_i64_of_double(double d);
int32_t java_i32_of_double(double d);
/* Math.round: floor(x + 0.5) without the double rounding; saturates. */
int64_t java_round_double(double d);
int32_t java_round_float(float f);
/* Double.toString and Float.toString as of JDK 19 on: the shortest decimal that reads back the same ("1.0E10", "NaN"). */
void java_print_double(double d, struct buf *out);
void java_print_float(float f, struct buf *out);
/* Double.parseDouble: surrounding blanks, a sign, a suffix d or f and hexadecimal floats are allowed. False when malformed. */
bool java_parse_double(struct bytes text, double *out);
bool java_parse_float(struct bytes text, float *out);

/* --- varint: two's complement, big endian, any length ---------------------------------------- */
struct bytes varint_of_i64(struct arena *a, int64_t x);
/* The low 64 bits (BigInteger.longValue). */
int64_t varint_i64(struct bytes v);
/* False when v is not within 64 bits. */
bool varint_fits_i64(struct bytes v, int64_t *out);
/* -1, 0, 1; an empty value is 0. */
int varint_sign(struct bytes v);
int varint_compare(struct bytes x, struct bytes y);
/* Decimal digits with an optional sign. False when malformed or longer than NUMBER_BYTES_MAX allows. */
bool varint_parse(struct bytes text, struct arena *a, struct bytes *out);
void varint_print(struct bytes v, struct buf *out);

/* --- decimal: [int scale] then a varint: unscaled × 10^-scale --------------------------------- */
enum rounding {
    ROUND_HALF_UP,
    ROUND_HALF_EVEN,
    ROUND_DOWN,
    ROUND_FLOOR,
};
struct bytes decimal_of_i64(struct arena *a, int64_t unscaled, int32_t scale);
/* BigDecimal.valueOf(double): of its shortest text. d must be finite. */
struct bytes decimal_of_double(struct arena *a, double d);
struct bytes decimal_of_varint(struct arena *a, struct bytes varint);
double decimal_double(struct bytes v);
int32_t decimal_scale(struct bytes v);
/* Digits of the unscaled value; 1 for zero. */
int64_t decimal_precision(struct bytes v);
int decimal_sign(struct bytes v);
int decimal_compare(struct bytes x, struct bytes y);
/* BigDecimal's grammar: [sign] digits [. digits] [e [sign] digits]. False when malformed or out of range. */
bool decimal_parse(struct bytes text, struct arena *a, struct bytes *out);
/* BigDecimal.toString: scientific notation for large and tiny scales, so the length is that of the digits. */
void decimal_print(struct bytes v, struct buf *out);
/* x / y rounded to `scale` (BigDecimal.divide(y, scale, mode)). */
MUST_USE err_t decimal_divide(struct bytes x, struct bytes y, int32_t scale, enum rounding mode,
                              struct arena *a, struct bytes *out, struct fail *fail);
MUST_USE err_t decimal_set_scale(struct bytes v, int32_t scale, enum rounding mode, struct arena *a,
                                 struct bytes *out, struct fail *fail);
struct bytes decimal_strip_zeros(struct arena *a, struct bytes v);

#endif
