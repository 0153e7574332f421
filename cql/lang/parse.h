/* Text to tree: the entry to the lexer (lexer.re) and the grammar (grammar.y). Pure; any thread. */
#ifndef CQL_LANG_PARSE_H
#define CQL_LANG_PARSE_H

#include "cql/lang/ast.h"

/* Parses one statement, with any number of `;` after it. The text is copied into the arena, so the
 * tree does not depend on it; its size is for the caller to bound (the tree takes up to some 100
 * bytes a byte of text). Any bytes are safe. ERR_SYNTAX: fail->message is Cassandra's: "line 1:7 no
 * viable alternative at input 'FRM' (SELECT * [FRM]...)". */
err_t cql_parse(struct bytes text, struct arena *arena, struct ast_statement **out,
                struct fail *fail) MUST_USE;
/* A type alone: "map<text, frozen<list<int>>>". */
err_t cql_parse_type(struct bytes text, struct arena *arena, struct ast_type **out,
                     struct fail *fail) MUST_USE;
/* A term alone: "{'a': 1}". Its markers are numbered from 0. */
err_t cql_parse_term(struct bytes text, struct arena *arena, struct ast_term **out,
                     struct fail *fail) MUST_USE;

/* Whether the word, in any case, is a reserved keyword (Cassandra's reserved_keywords). */
bool cql_is_reserved(struct bytes word);
/* Whether an identifier with exactly this text must be quoted in CQL: not [a-z][a-z0-9_]*, or
 * reserved. */
bool cql_needs_quotes(struct bytes ident);
/* Appends the identifier, quoted if needed, " doubled. */
void cql_quote_identifier(struct buf *out, struct bytes ident);
/* Appends 'text', ' doubled. */
void cql_quote_string(struct buf *out, struct bytes text);

#endif
