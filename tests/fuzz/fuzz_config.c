/* A hostile helenus.yaml: it is refused with one line, or taken; what was taken prints as a configuration that gives the same values. */
#include "server/run/config_values.h"

#include <stdlib.h>

#define REQUIRE(x)   \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The defaults, parsed once: most inputs are over sooner than that. */
static struct config_values *defaults(void)
{
    static struct arena kept;
    static struct config_values *values;
    if (values == NULL) {
        arena_init(&kept, 0);
        values = arena_new(&kept, struct config_values);
        config_values_init(values, &kept, NULL);
    }
    return values;
}

static struct config_values *fresh(struct arena *a, struct fail *fail)
{
    struct config_values *v = arena_new(a, struct config_values);
    *v = *defaults();
    v->a = a;
    v->fail = fail;
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    struct fail fail = {.arena = &a};
    struct config_values *v = fresh(&a, &fail), *again = fresh(&a, &fail);
    config_values_init(v, &a, &fail);
    if (config_yaml(v, "f", bytes_of(data, size)) != OK) {
        REQUIRE(fail.message.n > 0 && memchr(fail.message.p, '\n', fail.message.n) == NULL);
        arena_free(&a);
        return 0;
    }
    struct bytes printed = config_print(v, &a);
    REQUIRE(config_yaml(again, "f", printed) == OK);
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const char *x = v->of[i].text, *y = again->of[i].text;
        /* "no value" of an older name (-1) is printed as a comment: the default comes back. */
        REQUIRE(x == NULL ||
                (y != NULL && !strcmp(x, y) && v->of[i].number == again->of[i].number));
    }
    arena_free(&a);
    return 0;
}
