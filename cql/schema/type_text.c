/* Types out of the text that Cassandra prints for them, for the tables of builtin.def. */
#include "cql/schema/schema_priv.h"

static const struct type *parse(struct arena *a, struct cur *c, unsigned depth);

static void skip_spaces(struct cur *c)
{
    while (c->p < c->end && *c->p == ' ')
        c->p++;
}

static bool take(struct cur *c, char ch)
{
    skip_spaces(c);
    if (c->p == c->end || *c->p != (uint8_t)ch)
        return false;
    c->p++;
    return true;
}

static struct bytes word(struct cur *c)
{
    skip_spaces(c);
    const uint8_t *from = c->p;
    while (c->p < c->end && ((*c->p >= 'a' && *c->p <= 'z') || (*c->p >= '0' && *c->p <= '9')))
        c->p++;
    return bytes_of(from, (size_t)(c->p - from));
}

/* "<" type, type, ... ">"; 0 when malformed. */
static size_t parameters(struct arena *a, struct cur *c, const struct type **params, size_t max,
                         unsigned depth)
{
    size_t count = 0;
    if (!take(c, '<'))
        return 0;
    do {
        if (count == max || !(params[count++] = parse(a, c, depth + 1)))
            return 0;
    } while (take(c, ','));
    return take(c, '>') ? count : 0;
}

static const struct type *parse(struct arena *a, struct cur *c, unsigned depth)
{
    if (depth > TYPE_DEPTH_MAX)
        return NULL;
    struct bytes name = word(c);
    const struct type *native = type_native_by_name(name);
    if (native)
        return native;
    const struct type **params = arena_array(a, const struct type *, 16);
    size_t count = parameters(a, c, params, 16, depth);
    if (count == 0)
        return NULL;
    if (bytes_equal_str(name, "frozen") && count == 1)
        return type_freeze(a, params[0]);
    if (bytes_equal_str(name, "list") && count == 1)
        return type_list(a, params[0], false);
    if (bytes_equal_str(name, "set") && count == 1)
        return type_set(a, params[0], false);
    if (bytes_equal_str(name, "map") && count == 2)
        return type_map(a, params[0], params[1], false);
    if (bytes_equal_str(name, "tuple"))
        return type_tuple(a, params, (uint16_t)count);
    return NULL;
}

const struct type *schema_type_of_text(struct arena *a, struct bytes text)
{
    struct cur c = cur_of(text);
    const struct type *t = parse(a, &c, 0);
    skip_spaces(&c);
    return t && cur_at_end(&c) ? t : NULL;
}
