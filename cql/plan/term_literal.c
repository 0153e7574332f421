/* Literals: which types a constant may become, and its value (Cassandra's Constants.Literal). */
#include "cql/plan/term_priv.h"

#include "cql/types/number.h"
#include "cql/types/value.h"

static const char *const literal_kind_names[] = {
    [AST_LITERAL_STRING] = "STRING",     [AST_LITERAL_INTEGER] = "INTEGER",
    [AST_LITERAL_FLOAT] = "FLOAT",       [AST_LITERAL_BOOLEAN] = "BOOLEAN",
    [AST_LITERAL_DURATION] = "DURATION", [AST_LITERAL_UUID] = "UUID",
    [AST_LITERAL_HEX] = "HEX",           [AST_LITERAL_NULL] = "NULL",
};

const char *literal_kind_name(enum ast_literal_kind kind)
{
    return literal_kind_names[kind];
}

static const struct type *integer_type(struct bytes text, struct arena *a)
{
    struct bytes v;
    int64_t x = 0;
    if (text.n <= 10) { /* the usual ones, often asked for: without memory */
        bool negative = text.n && text.p[0] == '-';
        for (size_t i = negative; i < text.n; i++)
            x = 10 * x + (text.p[i] - '0');
        x = negative ? -x : x;
        return type_native(x == (int32_t)x ? TYPE_INT : TYPE_BIGINT);
    }
    if (!varint_parse(text, a, &v) || !varint_fits_i64(v, &x))
        return type_native(TYPE_VARINT);
    return type_native(x == (int32_t)x ? TYPE_INT : TYPE_BIGINT);
}

static const struct type *float_type(struct bytes text, struct arena *a)
{
    struct bytes exact;
    if (!decimal_parse(text, a, &exact))
        return type_native(TYPE_DOUBLE); /* NaN and the infinities */
    double d = decimal_double(exact);
    if (__builtin_isfinite(d) && decimal_compare(exact, decimal_of_double(a, d)) == 0)
        return type_native(TYPE_DOUBLE);
    return type_native(TYPE_DECIMAL);
}

const struct type *literal_type(const struct ast_literal *l, struct arena *a)
{
    switch (l->kind) {
    case AST_LITERAL_STRING:
        for (size_t i = 0; i < l->text.n; i++)
            if (l->text.p[i] >= 0x80)
                return type_native(TYPE_TEXT);
        return type_native(TYPE_ASCII);
    case AST_LITERAL_INTEGER: return integer_type(l->text, a);
    case AST_LITERAL_FLOAT: return float_type(l->text, a);
    case AST_LITERAL_BOOLEAN: return type_native(TYPE_BOOLEAN);
    case AST_LITERAL_DURATION: return type_native(TYPE_DURATION);
    case AST_LITERAL_UUID:
        return type_native(l->text.n > 14 && l->text.p[14] == '1' ? TYPE_TIMEUUID : TYPE_UUID);
    case AST_LITERAL_HEX: return type_native(TYPE_TINYINT); /* sic: as Cassandra has it */
    case AST_LITERAL_NULL: break;
    }
    return NULL;
}

/* One bit a type, so that the table below reads as Cassandra's switch. */
#define T(name) (1u << TYPE_##name)
static const uint32_t literal_targets[] = {
    [AST_LITERAL_STRING] = T(ASCII) | T(TEXT) | T(INET) | T(DATE) | T(TIME) | T(TIMESTAMP),
    [AST_LITERAL_INTEGER] = T(BIGINT) | T(COUNTER) | T(DATE) | T(DECIMAL) | T(DOUBLE) |
                            T(DURATION) | T(FLOAT) | T(INT) | T(SMALLINT) | T(TIME) | T(TIMESTAMP) |
                            T(TINYINT) | T(VARINT),
    [AST_LITERAL_FLOAT] = T(DECIMAL) | T(DOUBLE) | T(FLOAT),
    [AST_LITERAL_BOOLEAN] = T(BOOLEAN),
    [AST_LITERAL_DURATION] = T(DURATION),
    [AST_LITERAL_UUID] = T(UUID) | T(TIMEUUID),
    [AST_LITERAL_HEX] = T(BLOB),
};
#undef T

enum assignment literal_test(const struct ast_literal *l, const struct type *receiver,
                             struct arena *a)
{
    if (l->kind == AST_LITERAL_NULL)
        return receiver->id == TYPE_COUNTER ? ASSIGN_NO : ASSIGN_WEAK;
    if (type_is_collection(receiver) || receiver->id == TYPE_UDT || receiver->id == TYPE_VECTOR)
        return ASSIGN_NO;
    if (receiver->id == TYPE_TUPLE || receiver->id == TYPE_CUSTOM)
        return ASSIGN_WEAK;
    const struct type *preferred = literal_type(l, a);
    if (preferred->id == receiver->id)
        return ASSIGN_EXACT;
    return literal_targets[l->kind] & (1u << receiver->id) ? ASSIGN_WEAK : ASSIGN_NO;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static err_t parse_hex(struct bytes text, struct arena *a, struct bytes *out, struct fail *fail)
{
    struct bytes digits = text.n >= 2 ? bytes_skip(text, 2) : text; /* without 0x */
    uint8_t *p = arena_alloc(a, digits.n / 2);
    bool good = digits.n % 2 == 0;
    for (size_t i = 0; good && i < digits.n; i += 2) {
        int high = hex_digit(digits.p[i]), low = hex_digit(digits.p[i + 1]);
        good = high >= 0 && low >= 0;
        p[i / 2] = (uint8_t)(high << 4 | low);
    }
    if (!good)
        return fail_set(fail, ERR_INVALID, "cannot parse '%.*s' as hex bytes", BYTES_FMT(digits));
    *out = bytes_of(p, digits.n / 2);
    return OK;
}

/* The fields of a tuple in one string: "1:a", a colon or @ in a field written \: or \@, a null field as @ (TupleType.fromString). */
static err_t parse_tuple(struct bytes text, const struct type *type, struct arena *a,
                         struct bytes *out, struct fail *fail)
{
    struct buf value = buf_in(a), field = buf_in(a);
    size_t count = 0, total = 1;
    for (size_t i = 0; i < text.n; i++)
        total += text.p[i] == ':' && (i == 0 || text.p[i - 1] != '\\');
    if (total > type->params_count)
        return fail_set(
            fail, ERR_INVALID,
            "Invalid tuple literal: too many elements. Type %.*s expects %u but got %zu",
            BYTES_FMT(type_name(type, a)), type->params_count, total);
    for (size_t i = 0; count < total; count++, i++) {
        field.n = 0;
        for (; i < text.n && text.p[i] != ':'; i++) {
            if (text.p[i] == '\\' && i + 1 < text.n &&
                (text.p[i + 1] == ':' || text.p[i + 1] == '@'))
                i++;
            buf_u8(&field, text.p[i]);
        }
        struct bytes v = BYTES_NULL, f = buf_bytes(&field);
        if (!bytes_equal_str(f, "@"))
            TRY(type_from_text(type->params[count], f, a, &v, fail));
        value_put(&value, v);
    }
    *out = buf_bytes(&value);
    return OK;
}

err_t literal_parse(const struct ast_literal *l, const struct type *type, struct arena *a,
                    struct bytes *out, struct fail *fail)
{
    if (l->kind == AST_LITERAL_NULL) {
        *out = BYTES_NULL;
        return OK;
    }
    if (l->kind == AST_LITERAL_HEX) {
        TRY(parse_hex(l->text, a, out, fail));
        return type_validate(type, *out, fail);
    }
    if (type->id == TYPE_COUNTER)
        type = type_native(TYPE_BIGINT);
    if (type->id == TYPE_TUPLE)
        return parse_tuple(l->text, type, a, out, fail);
    if (type->id == TYPE_CUSTOM)
        return fail_set(fail, ERR_INVALID, "Literals of custom type %.*s are not implemented yet",
                        BYTES_FMT(type->name));
    return type_from_text(type, l->text, a, out, fail);
}
