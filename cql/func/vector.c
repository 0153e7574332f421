/* Similarities of float vectors of one dimension, scaled to where more alike is more: cosine and dot product (1 + x) / 2, euclidean
 * 1 / (1 + d²). */
#include "cql/func/func_priv.h"

#include <math.h>

#define PARAMS "vector<float, n>, vector<float, n>"

enum similarity { COSINE, EUCLIDEAN, DOT_PRODUCT };

struct sums {
    float dot, left, right, distance;
};

static struct sums sums_of(struct bytes x, struct bytes y)
{
    struct sums s = {0};
    for (size_t i = 0; i + 4 <= x.n && i + 4 <= y.n; i += 4) {
        float a = value_float(bytes_of(x.p + i, 4)), b = value_float(bytes_of(y.p + i, 4));
        s.dot += a * b;
        s.left += a * a;
        s.right += b * b;
        s.distance += (a - b) * (a - b);
    }
    return s;
}

static err_t call_similarity(const struct func *f, struct func_env *env, const struct bytes *args,
                             struct bytes *out)
{
    *out = BYTES_NULL;
    if (bytes_is_null(args[0]) || bytes_is_null(args[1]))
        return OK;
    struct sums s = sums_of(args[0], args[1]);
    float result;
    switch ((enum similarity)f->data) {
    case COSINE:
        if (s.left == 0 || s.right == 0)
            return fail_set(env->fail, ERR_INVALID,
                            "Function system.%.*s doesn't support all-zero vectors.",
                            BYTES_FMT(f->name));
        result = (1 + (float)((double)s.dot / sqrt((double)s.left * (double)s.right))) / 2;
        break;
    case EUCLIDEAN: result = 1 / (1 + s.distance); break;
    default: result = (1 + s.dot) / 2;
    }
    *out = value_of_float(env->arena, result);
    return OK;
}

/* The vector type of argument i: its own, that of a list literal, or else (NULL) whatever the other one has. */
static err_t vector_of(const struct func_call *call, uint16_t i, struct arena *a,
                       const struct type **out, struct fail *fail)
{
    const struct func_arg *arg = &call->args[i];
    *out = NULL;
    if (arg->elements) {
        *out = type_vector(a, type_native(TYPE_FLOAT), arg->elements);
        return OK;
    }
    if (arg->type == NULL)
        return OK;
    if (arg->type->id == TYPE_VECTOR && arg->type->params[0]->id == TYPE_FLOAT) {
        *out = arg->type;
        return OK;
    }
    struct bytes type = type_name(arg->type, a);
    return fail_set(fail, ERR_INVALID,
                    "Function system.%.*s requires a float vector argument, but found argument "
                    "%.*s of type %.*s",
                    BYTES_FMT(call->name), BYTES_FMT(arg->text), BYTES_FMT(type));
}

static err_t find(const struct func_call *call, enum similarity similarity, struct arena *a,
                  const struct func **out, struct fail *fail)
{
    const struct type *types[2];
    TRY(check_family_count(call, 2, PARAMS, fail));
    TRY(vector_of(call, 0, a, &types[0], fail));
    TRY(vector_of(call, 1, a, &types[1], fail));
    if (types[0] == NULL)
        types[0] = types[1];
    if (types[1] == NULL)
        types[1] = types[0];
    if (types[0] == NULL)
        return infer_arg(call, 0, PARAMS, &types[0], fail);
    if (types[0]->dimension != types[1]->dimension)
        return fail_set(fail, ERR_INVALID, "All arguments must have the same vector dimensions");
    struct func *f = new_func(a, call->name, type_native(TYPE_FLOAT), 2, types);
    f->call = call_similarity;
    f->data = similarity;
    *out = f;
    return OK;
}

err_t find_vector_function(const struct func_call *call, struct arena *a, const struct func **out,
                           struct fail *fail)
{
    if (bytes_equal_str(call->name, "similarity_cosine"))
        return find(call, COSINE, a, out, fail);
    if (bytes_equal_str(call->name, "similarity_euclidean"))
        return find(call, EUCLIDEAN, a, out, fail);
    if (bytes_equal_str(call->name, "similarity_dot_product"))
        return find(call, DOT_PRODUCT, a, out, fail);
    return OK;
}
