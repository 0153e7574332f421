/* A mutation: changes to one partition of one table, as flat bytes: what the coordinator builds once and what goes to the commit log,
 * to replicas, into hints, batchlog and streams, byte for byte.
 *
 *   mutation = version u8 (1), mandatory extensions lstr, optional extensions lstr (both empty now; unknown mandatory ones are refused),
 *              table id 16 bytes, incarnation varint, created wall_us be64, token be64 (signed), pk lstr, op* to the end */
#ifndef CQL_DATA_MUTATION_H
#define CQL_DATA_MUTATION_H

#include "cql/base/time.h"
#include "cql/data/row.h"
#include "cql/data/token.h"
#include "cql/schema/schema.h"

#define MUTATION_VERSION 1
#define MUTATION_PK_MAX \
    65535 /* bytes of a serialised partition key, and of a clustering key before encoding */
#define MUTATION_CK_MAX \
    (4 * 65536) /* bytes of an encoded clustering key or bound: escapes and marks included */

struct mutation {
    struct uuid table_id;
    uint64_t incarnation;
    struct wall_us created;
    struct token token;
    struct bytes pk;
    struct bytes ops;
};

/* Header; the ops follow with op_put_*(). */
void mutation_begin(struct buf *out, const struct table *t, struct wall_us created,
                    struct bytes pk);
/* Decodes the header (ops are not looked at). ERR_CORRUPT when malformed or of an unknown version or mandatory extension. */
err_t mutation_decode(struct bytes b, struct mutation *out) MUST_USE;
/* Checks every byte: header, token of pk, ops, bodies, order of cells, lengths. For bytes from disk or a peer. The only thing it does
 * not know is the schema: values may be of no type. */
err_t mutation_validate(struct bytes b) MUST_USE;

/* The order of partitions everywhere: token, then storage key (2-byte length, then bytes). < 0, 0, > 0. */
int partition_compare(struct token a_token, struct bytes a_pk, struct token b_token,
                      struct bytes b_pk);

/* Serialised partition key of the components (already validated): one component as it is, several as [u16 length][bytes][0] each. */
void pk_encode(struct buf *out, const struct bytes *components, uint16_t count);
/* The reverse; count components. False when malformed. */
bool pk_decode(struct bytes pk, uint16_t count, struct bytes *components);

#endif
