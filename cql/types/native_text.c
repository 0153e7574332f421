/* Texts and blobs: ascii, text, blob, empty, and custom types, whose bytes are opaque. */
#include "cql/types/ops.h"

static const char hex_digits[] = "0123456789abcdef";

void hex_print(struct bytes v, struct buf *out)
{
    if (v.n == 0)
        return;
    uint8_t *p = buf_extend(out, v.n * 2);
    for (size_t i = 0; i < v.n; i++) {
        p[2 * i] = (uint8_t)hex_digits[v.p[i] >> 4];
        p[2 * i + 1] = (uint8_t)hex_digits[v.p[i] & 15];
    }
}

static size_t ascii_prefix(struct bytes v)
{
    size_t i = 0;
    for (; i + 8 <= v.n; i += 8) {
        uint64_t word;
        memcpy(&word, v.p + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < v.n && v.p[i] < 0x80)
        i++;
    return i;
}

err_t ascii_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    size_t i = ascii_prefix(v);
    if (i == v.n)
        return OK;
    return fail_set(fail, ERR_INVALID, "Invalid byte for ascii: %d", (int8_t)v.p[i]);
}

/* Bytes of the sequence at the start of s, 0 when Cassandra's validator refuses it. It is laxer than the standard in ways that stored
 * data may depend on: NUL as C0 80, surrogates, second bytes after E0 and F0 of which it looks at few bits, and leads up to F7. */
static size_t utf8_sequence(struct bytes s)
{
    uint8_t lead = s.p[0], second = s.n > 1 ? s.p[1] : 0;
    size_t n;
    bool second_ok;
    if (lead >= 0xC0 && lead < 0xE0) {
        n = 2;
        second_ok = lead == 0xC0 ? second == 0x80 : lead != 0xC1 && (second & 0xC0) == 0x80;
    } else if (lead >= 0xE0 && lead < 0xF0) {
        n = 3;
        second_ok = lead == 0xE0 ? (second & 0xE0) != 0x80 : (second & 0xC0) == 0x80;
    } else if (lead >= 0xF0 && lead < 0xF8) {
        n = 4;
        second_ok = lead == 0xF0 ? (second & 0x30) != 0 : (second & 0xC0) == 0x80;
    } else {
        return 0;
    }
    if (s.n < n || !second_ok)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s.p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(struct bytes v)
{
    for (;;) {
        size_t i = ascii_prefix(v);
        if (i == v.n)
            return true;
        v = bytes_skip(v, i);
        size_t n = utf8_sequence(v);
        if (n == 0)
            return false;
        v = bytes_skip(v, n);
    }
}

err_t text_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    return utf8_valid(v) ? OK : fail_set(fail, ERR_INVALID, "String didn't validate.");
}

int ascii_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

int text_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

void ascii_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_put_bytes(out, v);
}

void text_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_put_bytes(out, v);
}

void text_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_u8(out, '\'');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\'')
            buf_u8(out, '\'');
        buf_u8(out, v.p[i]);
    }
    buf_u8(out, '\'');
}

void quoted_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    buf_u8(out, '\'');
    type_to_text(t, v, out);
    buf_u8(out, '\'');
}

err_t ascii_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                      struct fail *fail)
{
    (void)t;
    if (ascii_prefix(text) != text.n)
        return fail_set(fail, ERR_INVALID,
                        "Invalid ASCII character in string literal: "
                        "java.nio.charset.UnmappableCharacterException: Input length = 1");
    *out = arena_dup(a, text);
    return OK;
}

err_t text_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    TRY(text_validate(t, text, fail));
    *out = arena_dup(a, text);
    return OK;
}

/* --- blob -------------------------------------------------------------------------------------- */

err_t blob_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    (void)v;
    (void)fail;
    return OK;
}

int blob_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

void blob_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    hex_print(v, out);
}

void blob_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_put_str(out, "0x");
    hex_print(v, out);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex digits, with or without 0x before them. */
err_t blob_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    (void)t;
    struct bytes digits = text;
    if (text.n >= 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x')
        digits = bytes_skip(text, 2);
    bool bad = digits.n % 2 != 0;
    uint8_t *p = arena_alloc(a, digits.n / 2);
    for (size_t i = 0; i + 1 < digits.n && !bad; i += 2) {
        int high = hex_digit(digits.p[i]), low = hex_digit(digits.p[i + 1]);
        bad = high < 0 || low < 0;
        p[i / 2] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (bad)
        return fail_set(fail, ERR_INVALID, "cannot parse '%.*s' as hex bytes", BYTES_FMT(text));
    *out = bytes_of(p, digits.n / 2);
    return OK;
}

/* --- empty ------------------------------------------------------------------------------------- */

err_t empty_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 0)
        return OK;
    return fail_set(fail, ERR_INVALID, "EmptyType only accept empty values");
}

int empty_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    (void)a;
    (void)b;
    return 0;
}

void empty_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    (void)v;
    (void)out;
}

err_t empty_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                      struct fail *fail)
{
    (void)t;
    (void)a;
    (void)out;
    return fail_set(fail, ERR_INVALID, "'%.*s' is not empty", BYTES_FMT(text));
}
