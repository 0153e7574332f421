/* JSON into a tree, with yajl: see json.h. */
#include "cql/types/json.h"
#include "cql/types/number.h"
#include "cql/types/ops.h"

#include <yajl/yajl_parse.h>

struct builder {
    struct arena *arena;
    struct json *stack[JSON_DEPTH_MAX];
    int depth;
    struct json *root;
    struct bytes key;
};

/* A new node where the parser stands; NULL cannot happen: the parser sees to the grammar. */
static struct json *add(struct builder *b, enum json_kind kind)
{
    struct json *j = arena_new(b->arena, struct json);
    j->kind = kind;
    if (b->depth == 0) {
        b->root = j;
        return j;
    }
    struct json *parent = b->stack[b->depth - 1];
    if (parent->kind == JSON_MAP)
        j->key = b->key;
    if (parent->last)
        parent->last->next = j;
    else
        parent->first = j;
    parent->last = j;
    parent->count++;
    return j;
}

static int on_null(void *ctx)
{
    add(ctx, JSON_NULL);
    return 1;
}

static int on_boolean(void *ctx, int truth)
{
    add(ctx, JSON_BOOLEAN)->truth = truth;
    return 1;
}

static int on_number(void *ctx, const char *p, size_t n)
{
    struct builder *b = ctx;
    add(b, JSON_NUMBER)->text = arena_dup(b->arena, bytes_of(p, n));
    return 1;
}

static int on_string(void *ctx, const unsigned char *p, size_t n)
{
    struct builder *b = ctx;
    add(b, JSON_STRING)->text = arena_dup(b->arena, bytes_of(n ? p : (const void *)"", n));
    return 1;
}

static int on_key(void *ctx, const unsigned char *p, size_t n)
{
    struct builder *b = ctx;
    b->key = arena_dup(b->arena, bytes_of(n ? p : (const void *)"", n));
    return 1;
}

static int open_node(struct builder *b, enum json_kind kind)
{
    struct json *j = add(b, kind);
    if (b->depth == JSON_DEPTH_MAX)
        return 0;
    b->stack[b->depth++] = j;
    return 1;
}

static int on_start_map(void *ctx)
{
    return open_node(ctx, JSON_MAP);
}

static int on_start_list(void *ctx)
{
    return open_node(ctx, JSON_LIST);
}

static int on_end(void *ctx)
{
    struct builder *b = ctx;
    b->depth--;
    return 1;
}

err_t json_parse(struct bytes text, struct arena *a, const struct json **out, struct fail *fail)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_start_map,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_start_list,
        .yajl_end_array = on_end,
    };
    struct builder *b = arena_new(a, struct builder);
    b->arena = a;
    yajl_handle parser = yajl_alloc(&callbacks, NULL, b);
    ensure(parser != NULL);
    yajl_status status = yajl_parse(parser, text.p, text.n);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    err_t err = OK;
    if (status == yajl_status_client_canceled) {
        err = fail_set(fail, ERR_INVALID, "Error decoding JSON string: more than %d levels deep",
                       JSON_DEPTH_MAX);
    } else if (status != yajl_status_ok || b->root == NULL) {
        unsigned char *message = yajl_get_error(parser, 0, text.p, text.n);
        size_t n = message ? strlen((char *)message) : 0;
        while (n > 0 && message[n - 1] == '\n')
            n--;
        err = fail_set(fail, ERR_INVALID, "Error decoding JSON string: %.*s", (int)n,
                       message ? (char *)message : "");
        yajl_free_error(parser, message);
    }
    yajl_free(parser);
    *out = b->root;
    return err;
}

static bool is_double(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '.' || (text.p[i] | 0x20) == 'e')
            return true;
    return false;
}

const char *json_java_class(const struct json *j)
{
    int64_t x;
    switch (j->kind) {
    case JSON_BOOLEAN: return "Boolean";
    case JSON_NUMBER:
        if (is_double(j->text))
            return "Double";
        if (integer_parse(j->text, INT32_MIN, INT32_MAX, &x))
            return "Integer";
        return integer_parse(j->text, INT64_MIN, INT64_MAX, &x) ? "Long" : "BigInteger";
    case JSON_STRING: return "String";
    case JSON_LIST: return "ArrayList";
    case JSON_MAP: return "LinkedHashMap";
    default: return "null";
    }
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static void print_java(const struct json *j, struct buf *out)
{
    double d;
    switch (j->kind) {
    case JSON_NULL: buf_put_str(out, "null"); break;
    case JSON_BOOLEAN: buf_put_str(out, j->truth ? "true" : "false"); break;
    case JSON_NUMBER:
        if (is_double(j->text) && java_parse_double(j->text, &d))
            java_print_double(d, out);
        else
            buf_put_bytes(out, j->text);
        break;
    case JSON_STRING: buf_put_bytes(out, j->text); break;
    default:
        buf_u8(out, j->kind == JSON_LIST ? '[' : '{');
        for (const struct json *child = j->first; child; child = child->next) {
            if (child != j->first)
                buf_put_str(out, ", ");
            if (j->kind == JSON_MAP) {
                buf_put_bytes(out, child->key);
                buf_u8(out, '=');
            }
            print_java(child, out);
        }
        buf_u8(out, j->kind == JSON_LIST ? ']' : '}');
        break;
    }
}

struct bytes json_java_text(const struct json *j, struct arena *a)
{
    struct buf out = buf_in(a);
    print_java(j, &out);
    return buf_bytes(&out);
}
