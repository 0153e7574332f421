/* Tuples and UDTs ([int length][bytes] a field, trailing ones may be missing) and vectors (elements one after another, each with
 * an unsigned vint length when their type has no fixed one). */
#include "cql/types/ops.h"

/* The next field of a tuple: false at the end or when bytes are missing. */
static bool next_field(struct cur *c, struct bytes *field)
{
    *field = BYTES_NULL;
    if (cur_at_end(c))
        return false;
    int32_t n = (int32_t)cur_be32(c);
    if (n >= 0)
        *field = cur_take(c, (size_t)n);
    return !c->bad;
}

/* A UDT's message names the field and carries on with what is wrong in it. */
static err_t validate_field(const struct type *t, unsigned i, struct bytes field, struct fail *fail)
{
    err_t err = type_validate(t->params[i], field, fail);
    if (err == OK || fail == NULL || t->id != TYPE_UDT)
        return err;
    struct bytes inner = fail->message;
    return fail_set(fail, err, "Failure validating the %uth field %.*s; %.*s", i,
                    BYTES_FMT(t->field_names[i]), BYTES_FMT(inner));
}

err_t tuple_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    struct cur c = cur_of(v);
    for (unsigned i = 0; i < t->params_count; i++) {
        if (cur_at_end(&c))
            return OK;
        if (cur_left(&c) < 4)
            return fail_set(fail, ERR_INVALID,
                            t->id == TYPE_UDT ? "Not enough bytes to read size of %uth field %.*s"
                                              : "Not enough bytes to read size of %uth component",
                            i, BYTES_FMT(t->id == TYPE_UDT ? t->field_names[i] : bytes_str("")));
        struct bytes field;
        if (!next_field(&c, &field))
            return fail_set(fail, ERR_INVALID,
                            t->id == TYPE_UDT ? "Not enough bytes to read %uth field %.*s"
                                              : "Not enough bytes to read %uth component",
                            i, BYTES_FMT(t->id == TYPE_UDT ? t->field_names[i] : bytes_str("")));
        TRY(validate_field(t, i, field, fail));
    }
    if (cur_at_end(&c))
        return OK;
    return fail_set(fail, ERR_INVALID, "Invalid remaining data after end of %s value",
                    t->id == TYPE_UDT ? "UDT" : "tuple");
}

static bool rest_is_null(struct cur c)
{
    struct bytes field;
    while (next_field(&c, &field))
        if (!bytes_is_null(field))
            return false;
    return true;
}

/* Field by field, null before any value and as good as missing at the end. */
int tuple_compare(const struct type *t, struct bytes a, struct bytes b)
{
    struct cur x = cur_of(a), y = cur_of(b);
    for (unsigned i = 0; i < t->params_count; i++) {
        struct cur before_x = x, before_y = y;
        struct bytes field_x, field_y;
        bool more_x = next_field(&x, &field_x), more_y = next_field(&y, &field_y);
        if (!more_x || !more_y)
            return (int)rest_is_null(before_y) - (int)rest_is_null(before_x);
        if (bytes_is_null(field_x) || bytes_is_null(field_y)) {
            if (!bytes_is_null(field_x))
                return 1;
            if (!bytes_is_null(field_y))
                return -1;
            continue;
        }
        int c = type_compare(t->params[i], field_x, field_y);
        if (c != 0)
            return c;
    }
    return 0;
}

void tuple_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    bool udt = t->id == TYPE_UDT;
    struct cur c = cur_of(v);
    struct bytes field;
    buf_u8(out, udt ? '{' : '(');
    for (unsigned i = 0; i < t->params_count && next_field(&c, &field); i++) {
        if (i > 0)
            buf_put_str(out, ", ");
        if (udt) {
            identifier_print(t->field_names[i], out);
            buf_put_str(out, ": ");
        }
        type_to_literal(t->params[i], field, out);
    }
    buf_u8(out, udt ? '}' : ')');
}

/* "a:@:b": fields between colons, @ for null, with both escaped inside of a field. */
void tuple_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    struct cur c = cur_of(v);
    struct bytes field;
    for (unsigned i = 0; i < t->params_count && next_field(&c, &field); i++) {
        if (i > 0)
            buf_u8(out, ':');
        if (bytes_is_null(field)) {
            buf_u8(out, '@');
            continue;
        }
        struct buf text = {0};
        type_to_text(t->params[i], field, &text);
        for (size_t k = 0; k < text.n; k++) {
            if (text.p[k] == ':' || text.p[k] == '@')
                buf_u8(out, '\\');
            buf_u8(out, text.p[k]);
        }
        buf_free(&text);
    }
}

void tuple_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    buf_u8(out, '[');
    struct cur c = cur_of(v);
    for (unsigned i = 0; i < t->params_count; i++) {
        struct bytes field;
        next_field(&c, &field);
        if (i > 0)
            buf_put_str(out, ", ");
        type_to_json(t->params[i], field, out);
    }
    buf_u8(out, ']');
}

void udt_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    buf_u8(out, '{');
    struct cur c = cur_of(v);
    for (unsigned i = 0; i < t->params_count; i++) {
        struct bytes field, name = t->field_names[i];
        next_field(&c, &field);
        if (i > 0)
            buf_put_str(out, ", ");
        bool has_upper = false;
        for (size_t k = 0; k < name.n; k++)
            has_upper |= name.p[k] >= 'A' && name.p[k] <= 'Z';
        struct buf quoted = {0};
        if (has_upper)
            buf_u8(&quoted, '"');
        buf_put_bytes(&quoted, name);
        if (has_upper)
            buf_u8(&quoted, '"');
        text_to_json(type_native(TYPE_TEXT), buf_bytes(&quoted), out);
        buf_free(&quoted);
        buf_put_str(out, ": ");
        type_to_json(t->params[i], field, out);
    }
    buf_u8(out, '}');
}

/* --- vector ------------------------------------------------------------------------------------ */

static err_t vector_short(const struct type *t, struct fail *fail)
{
    if (fail == NULL)
        return ERR_INVALID;
    return fail_set(fail, ERR_INVALID, "Not enough bytes to read a %.*s",
                    BYTES_FMT(type_name(t, fail->arena)));
}

err_t vector_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    if (v.n == 0)
        return fail_set(fail, ERR_INVALID, "Invalid empty vector value");
    struct cur c = cur_of(v);
    for (uint32_t i = 0; i < t->dimension; i++) {
        if (cur_at_end(&c))
            return vector_short(t, fail);
        struct bytes elem = vector_next(t, &c);
        if (c.bad)
            return vector_short(t, fail);
        TRY(type_validate(t->params[0], elem, fail));
    }
    if (cur_at_end(&c))
        return OK;
    if (fail == NULL)
        return ERR_INVALID;
    return fail_set(fail, ERR_INVALID, "Unexpected %zu extraneous bytes after %.*s value",
                    cur_left(&c), BYTES_FMT(type_name(t, fail->arena)));
}

int vector_compare(const struct type *t, struct bytes a, struct bytes b)
{
    struct cur x = cur_of(a), y = cur_of(b);
    for (uint32_t i = 0; i < t->dimension; i++) {
        struct bytes elem_x = vector_next(t, &x), elem_y = vector_next(t, &y);
        if (x.bad || y.bad)
            return (int)!x.bad - (int)!y.bad;
        int c = type_compare(t->params[0], elem_x, elem_y);
        if (c != 0)
            return c;
    }
    return 0;
}

static void vector_print(const struct type *t, struct bytes v,
                         void (*print)(const struct type *, struct bytes, struct buf *),
                         struct buf *out)
{
    struct cur c = cur_of(v);
    buf_u8(out, '[');
    for (uint32_t i = 0; i < t->dimension; i++) {
        struct bytes elem = vector_next(t, &c);
        if (c.bad)
            break;
        if (i > 0)
            buf_put_str(out, ", ");
        print(t->params[0], elem, out);
    }
    buf_u8(out, ']');
}

void vector_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    vector_print(t, v, type_to_literal, out);
}

void vector_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    blob_to_text(t, v, out);
}

void vector_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    vector_print(t, v, type_to_json, out);
}
