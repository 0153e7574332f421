/* What print.c and print_schema.c share. */
#ifndef CQL_LANG_PRINT_PRIV_H
#define CQL_LANG_PRINT_PRIV_H

#include "cql/lang/parse_priv.h"

void print_name(struct buf *out, struct ast_name name);
void print_names(struct buf *out, const struct ast_name *items, size_t count);
void print_qualified(struct buf *out, const struct ast_qualified_name *q);
void print_function_name(struct buf *out, const struct ast_qualified_name *q);
void print_type_name(struct buf *out, const struct ast_qualified_name *q);
void print_types(struct buf *out, const struct ast_types *types);
void print_literal(struct buf *out, const struct ast_literal *l);
void print_terms(struct buf *out, const struct ast_terms *terms);
/* " WHERE …", nothing when count is 0. */
void print_where(struct buf *out, const struct ast_relation *items, size_t count);
void print_selectors(struct buf *out, const struct ast_selector *items, size_t count);
/* Schema, access and DESCRIBE statements. */
void print_schema(struct buf *out, const struct ast_statement *s);

#endif
