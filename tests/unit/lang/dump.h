/* A tree as text that shows every field, for comparing trees. Sources, and whether a name was
 * quoted, are left out. */
#ifndef TESTS_UNIT_LANG_DUMP_H
#define TESTS_UNIT_LANG_DUMP_H

#include "cql/lang/ast.h"

void dump_statement(struct buf *out, const struct ast_statement *s);

#endif
