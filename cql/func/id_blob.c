/* uuid(), and the conversions of every native type to and from blob. */
#include "cql/func/func_priv.h"

static err_t call_uuid(const struct func *f, struct func_env *env, const struct bytes *args,
                       struct bytes *out)
{
    (void)f, (void)args;
    uint8_t *uuid = arena_alloc(env->arena, 16);
    store_be64(uuid, prng_u64(env->random));
    store_be64(uuid + 8, prng_u64(env->random));
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* version 4 */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    *out = bytes_of(uuid, 16);
    return OK;
}

void candidates_of_ids(struct candidates *l)
{
    static const struct signature uuid = {"uuid",    NULL, 0,    {0},  TYPE_UUID, true,
                                          call_uuid, 0,    NULL, NULL, 0};
    candidates_of_table(l, &uuid, 1);
}

static err_t call_to_blob(const struct func *f, struct func_env *env, const struct bytes *args,
                          struct bytes *out)
{
    (void)f, (void)env;
    *out = args[0];
    return OK;
}

static err_t call_from_blob(const struct func *f, struct func_env *env, const struct bytes *args,
                            struct bytes *out)
{
    *out = args[0];
    struct fail ignored = {.arena = env->arena};
    if (bytes_is_null(args[0]) || type_validate(f->result, args[0], &ignored) == OK)
        return OK;
    struct buf hex = buf_in(env->arena);
    type_to_literal(type_native(TYPE_BLOB), args[0], &hex);
    struct bytes type = type_name(f->result, env->arena);
    return fail_set(env->fail, ERR_INVALID,
                    "In call to function system.%.*s, value %.*s is not a valid binary "
                    "representation for type %.*s",
                    BYTES_FMT(f->name), BYTES_FMT(buf_bytes(&hex)), BYTES_FMT(type));
}

/* The type whose name stands in the middle of `name`, in either spelling: int_as_blob, intasblob. TYPE_COUNT: none. */
static enum type_id type_between(struct bytes name, const char *before, const char *after)
{
    size_t b = strlen(before), a = strlen(after);
    if (name.n <= a + b || !bytes_starts_with(name, bytes_str(before)) ||
        !bytes_equal_str(bytes_skip(name, name.n - a), after))
        return TYPE_COUNT;
    struct bytes middle = bytes_of(name.p + b, name.n - a - b);
    for (size_t i = 0; i < middle.n; i++)
        if (middle.p[i] < 'a' || middle.p[i] > 'z')
            return TYPE_COUNT;
    const struct type *t = type_native_by_name(middle);
    return t == NULL || t->id == TYPE_BLOB || t->id == TYPE_EMPTY ? TYPE_COUNT : t->id;
}

void candidates_of_blobs(struct candidates *l)
{
    enum type_id to = type_between(l->name, "", "_as_blob"),
                 from = type_between(l->name, "blob_as_", "");
    if (to == TYPE_COUNT)
        to = type_between(l->name, "", "asblob");
    if (from == TYPE_COUNT)
        from = type_between(l->name, "blobas", "");
    if (to != TYPE_COUNT)
        candidates_add_copy(l, (struct signature){.args_count = 1,
                                                  .args = {(uint8_t)to},
                                                  .result = TYPE_BLOB,
                                                  .call = call_to_blob});
    if (from != TYPE_COUNT)
        candidates_add_copy(l, (struct signature){.args_count = 1,
                                                  .args = {TYPE_BLOB},
                                                  .result = (uint8_t)from,
                                                  .call = call_from_blob});
}
