/* Serialised lists, sets and maps: [int n] then n (a map: 2n) elements of [int length][bytes]. */
#include "cql/types/ops.h"

static const char *kind_name(const struct type *t)
{
    return t->id == TYPE_LIST ? "list" : t->id == TYPE_SET ? "set" : "map";
}

/* What element i of an iteration is: a map's are key, value, key, … */
static const struct type *element_type(const struct type *t, uint32_t i)
{
    return t->params[t->id == TYPE_MAP ? i % 2 : 0];
}

err_t collection_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    if (v.n < 4)
        return fail_set(fail, ERR_INVALID, "Not enough bytes to read a %s", kind_name(t));
    struct collection_iter it = collection_iter(t, v);
    struct bytes elem;
    for (uint32_t i = 0; collection_next(&it, &elem); i++) {
        if (bytes_is_null(elem))
            return fail_set(fail, ERR_INVALID, "Null value read when not allowed");
        TRY(type_validate(element_type(t, i), elem, fail));
    }
    if (it.bad)
        return fail_set(fail, ERR_INVALID, "Not enough bytes to read a %s", kind_name(t));
    if (!cur_at_end(&it.cur))
        return fail_set(fail, ERR_INVALID, "Unexpected extraneous bytes after %s value",
                        kind_name(t));
    return OK;
}

/* Null before any value. */
static int compare_elements(const struct type *t, struct bytes a, struct bytes b)
{
    if (a.p == NULL || b.p == NULL)
        return (a.p != NULL) - (b.p != NULL);
    return type_compare(t, a, b);
}

/* Element by element, then the shorter one first. */
int collection_compare(const struct type *t, struct bytes a, struct bytes b)
{
    struct collection_iter x = collection_iter(t, a), y = collection_iter(t, b);
    for (uint32_t i = 0;; i++) {
        struct bytes elem_x, elem_y;
        bool more_x = collection_next(&x, &elem_x), more_y = collection_next(&y, &elem_y);
        if (!more_x || !more_y)
            return more_x - more_y;
        int c = compare_elements(element_type(t, i), elem_x, elem_y);
        if (c != 0)
            return c;
    }
}

void collection_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    struct collection_iter it = collection_iter(t, v);
    struct bytes elem;
    buf_u8(out, t->id == TYPE_LIST ? '[' : '{');
    for (uint32_t i = 0; collection_next(&it, &elem); i++) {
        bool is_map_value = t->id == TYPE_MAP && i % 2 == 1;
        if (i > 0)
            buf_put_str(out, is_map_value ? ": " : ", ");
        type_to_literal(element_type(t, i), elem, out);
    }
    buf_u8(out, t->id == TYPE_LIST ? ']' : '}');
}

/* The whole value in hex, as CollectionType.getString. */
void collection_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    blob_to_text(t, v, out);
}

void collection_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    struct collection_iter it = collection_iter(t, v);
    struct bytes elem;
    buf_u8(out, '[');
    for (uint32_t i = 0; collection_next(&it, &elem); i++) {
        if (i > 0)
            buf_put_str(out, ", ");
        type_to_json(t->params[0], elem, out);
    }
    buf_u8(out, ']');
}

/* Keys are JSON strings: what is not one already is quoted as a whole. */
void map_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    struct collection_iter it = collection_iter(t, v);
    struct bytes key, value;
    buf_u8(out, '{');
    for (uint32_t i = 0; collection_next(&it, &key) && collection_next(&it, &value); i++) {
        if (i > 0)
            buf_put_str(out, ", ");
        struct buf text = {0};
        type_to_json(t->params[0], key, &text);
        if (text.n > 0 && text.p[0] == '"')
            buf_put_bytes(out, buf_bytes(&text));
        else
            text_to_json(type_native(TYPE_TEXT), buf_bytes(&text), out);
        buf_free(&text);
        buf_put_str(out, ": ");
        type_to_json(t->params[1], value, out);
    }
    buf_u8(out, '}');
}
