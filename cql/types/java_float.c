/* Floating-point numbers as Java reads, prints and narrows them. */
#include "cql/types/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int64_t java_i64_of_double(double d)
{
    if (d != d)
        return 0;
    if (d >= 0x1p63)
        return INT64_MAX;
    if (d < -0x1p63)
        return INT64_MIN;
    return (int64_t)d;
}

int32_t java_i32_of_double(double d)
{
    if (d != d)
        return 0;
    if (d >= 0x1p31)
        return INT32_MAX;
    if (d <= -0x1p31)
        return INT32_MIN;
    return (int32_t)d;
}

int64_t java_round_double(double d)
{
    double whole = floor(d);
    return java_i64_of_double(d - whole >= 0.5 ? whole + 1 : whole);
}

int32_t java_round_float(float f)
{
    double whole = floor((double)f);
    return java_i32_of_double((double)f - whole >= 0.5 ? whole + 1 : whole);
}

/* A decimal of `count` digits d.ddd × 10^exponent, without trailing zeros. */
struct shortest {
    char digits[20];
    int count, exponent;
};

static bool reads_back(const char *text, double d, bool is_float)
{
    return is_float ? strtof(text, NULL) == (float)d : strtod(text, NULL) == d;
}

/* The nearest decimal of `count` digits, or the one above it where only that reads back (at a power of two the interval that rounds to
 * it is wider above than below). */
static bool try_digits(double d, bool is_float, int count, struct shortest *s)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, d);
    if (!reads_back(text, d, is_float)) {
        int i = count; /* text: d.ddd: digit i > 0 stands at i + 1 */
        for (; i > 0; i--) {
            char *digit = &text[i == 1 ? 0 : i];
            if (*digit != '9') {
                (*digit)++;
                break;
            }
            *digit = '0';
        }
        if (i == 0 || !reads_back(text, d, is_float))
            return false;
    }
    s->count = 0;
    char *p = text;
    for (; *p != 'e'; p++)
        if (*p != '.')
            s->digits[s->count++] = *p;
    s->exponent = (int)strtol(p + 1, NULL, 10);
    while (s->count > 1 && s->digits[s->count - 1] == '0')
        s->count--;
    return true;
}

/* Normal numbers that have a short form have it at 15 (float: 6) digits; subnormal ones are tried from two digits up, as Java does. */
static struct shortest shortest_of(double d, bool is_float)
{
    struct shortest s = {.count = 1, .digits = "0"};
    bool normal = is_float ? d >= 0x1p-126 : d >= 0x1p-1022;
    int from = !normal ? 2 : is_float ? 6 : 15;
    for (int count = from; count <= 17; count++)
        if (try_digits(d, is_float, count, &s))
            break;
    return s;
}

static void print_java(double d, bool is_float, struct buf *out)
{
    if (d != d) {
        buf_put_str(out, "NaN");
        return;
    }
    if (signbit(d))
        buf_u8(out, '-');
    d = fabs(d);
    if (isinf(d)) {
        buf_put_str(out, "Infinity");
        return;
    }
    if (d == 0) {
        buf_put_str(out, "0.0");
        return;
    }
    struct shortest s = shortest_of(d, is_float);
    if (d >= 1e-3 && d < 1e7) {
        int point = s.exponent + 1; /* digits before the point */
        if (point <= 0) {
            buf_put_str(out, "0.");
            for (int i = point; i < 0; i++)
                buf_u8(out, '0');
        }
        for (int i = 0; i < s.count || i < point; i++) {
            if (i == point && point > 0)
                buf_u8(out, '.');
            buf_u8(out, (uint8_t)(i < s.count ? s.digits[i] : '0'));
        }
        if (point >= s.count)
            buf_put_str(out, ".0");
        return;
    }
    buf_u8(out, (uint8_t)s.digits[0]);
    buf_u8(out, '.');
    if (s.count == 1)
        buf_u8(out, '0');
    else
        buf_put(out, s.digits + 1, (size_t)s.count - 1);
    buf_printf(out, "E%d", s.exponent);
}

void java_print_double(double d, struct buf *out)
{
    print_java(d, false, out);
}

void java_print_float(float f, struct buf *out)
{
    print_java((double)f, true, out);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static size_t skip_while(struct bytes s, size_t at, bool (*of_class)(uint8_t))
{
    while (at < s.n && of_class(s.p[at]))
        at++;
    return at;
}

/* [sign] exponent digits after the letter at `at`; 0 when there are none. */
static size_t skip_exponent(struct bytes s, size_t at)
{
    at++;
    if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
        at++;
    size_t end = skip_while(s, at, is_digit);
    return end > at ? end : 0;
}

/* Where the number in s ends by Java's grammar (Double.valueOf), 0 when there is none. */
static size_t scan_number(struct bytes s)
{
    size_t at = 0;
    bool hex = s.n >= 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';
    bool (*of_class)(uint8_t) = hex ? is_hex : is_digit;
    if (hex)
        at = 2;
    size_t whole = skip_while(s, at, of_class), digits = whole - at;
    at = whole;
    if (at < s.n && s.p[at] == '.') {
        size_t end = skip_while(s, at + 1, of_class);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0)
        return 0;
    uint8_t letter = hex ? 'p' : 'e';
    if (at < s.n && (s.p[at] | 0x20) == letter)
        return skip_exponent(s, at);
    return hex ? 0 : at;
}

static bool parse_java(struct bytes text, bool is_float, double *out)
{
    while (text.n > 0 && text.p[0] <= ' ')
        text = bytes_skip(text, 1);
    while (text.n > 0 && text.p[text.n - 1] <= ' ')
        text.n--;
    bool negative = false;
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
        negative = text.p[0] == '-';
        text = bytes_skip(text, 1);
    }
    double d;
    if (bytes_equal_str(text, "NaN")) {
        d = (double)NAN;
        negative = false;
    } else if (bytes_equal_str(text, "Infinity")) {
        d = (double)INFINITY;
    } else {
        size_t end = scan_number(text);
        if (end == 0)
            return false;
        if (end + 1 == text.n && strchr("fFdD", text.p[end]) != NULL && text.p[end] != 0)
            text.n--;
        if (end != text.n)
            return false;
        char small[128], *s = text.n < sizeof small ? small : malloc(text.n + 1);
        ensure(s != NULL);
        memcpy(s, text.p, text.n);
        s[text.n] = 0;
        d = is_float ? (double)strtof(s, NULL) : strtod(s, NULL);
        if (s != small)
            free(s);
    }
    *out = negative ? -d : d;
    return true;
}

bool java_parse_double(struct bytes text, double *out)
{
    return parse_java(text, false, out);
}

bool java_parse_float(struct bytes text, float *out)
{
    double d;
    if (!parse_java(text, true, &d))
        return false;
    *out = (float)d;
    return true;
}
