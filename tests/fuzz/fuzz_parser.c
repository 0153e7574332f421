/* CQL text: any bytes are parsed or refused; what parses prints, and the print parses and prints
 * the same. */
#include "cql/lang/parse.h"

#include <stdlib.h>

#define REQUIRE(x)   \
    do {             \
        if (!(x)) {  \
            abort(); \
        }            \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    struct ast_statement *s, *again;
    err_t err = cql_parse(bytes_of(data, size), &a, &s, &fail);
    if (err == OK) {
        struct buf first = buf_in(&a), second = buf_in(&a);
        ast_print(&first, s);
        REQUIRE(cql_parse(buf_bytes(&first), &a, &again, &fail) == OK);
        REQUIRE(again->kind == s->kind && again->markers_count == s->markers_count);
        ast_print(&second, again);
        REQUIRE(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    } else {
        REQUIRE(err == ERR_SYNTAX && fail.err == ERR_SYNTAX && fail.message.n > 0);
    }
    struct ast_type *type;
    struct ast_term *term;
    (void)!cql_parse_type(bytes_of(data, size), &a, &type, &fail);
    (void)!cql_parse_term(bytes_of(data, size), &a, &term, &fail);
    arena_free(&a);
    return 0;
}
