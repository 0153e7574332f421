/* Prepared statements of a shard: found by id, compiled again when the schema has moved on, forgotten least recently used first.
 * The id is MD5 of keyspace and text, as Cassandra's QueryProcessor.computeId, so it is the same on every shard and node. */
#include "server/session/session_priv.h"

#include <openssl/evp.h>
#include <stdlib.h>

static void md5(struct bytes a, struct bytes b, uint8_t *out)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    ensure(c != NULL);
    bool ok = EVP_DigestInit_ex(c, EVP_md5(), NULL) && EVP_DigestUpdate(c, a.p, a.n) &&
              EVP_DigestUpdate(c, b.p, b.n) && EVP_DigestFinal_ex(c, out, NULL);
    ensure(ok);
    EVP_MD_CTX_free(c);
}

void prepared_id(struct bytes keyspace, struct bytes text, uint8_t *out)
{
    md5(bytes_is_null(keyspace) ? bytes_str("") : keyspace, text, out);
}

void result_metadata_id(const struct statement *s, uint8_t *out)
{
    struct arena a;
    arena_init(&a, 0);
    struct buf b = buf_in(&a);
    buf_be16(&b, s->result_count);
    result_put_specs(&b, s->result, s->result_count, PROTOCOL_VERSION_MAX);
    md5(buf_bytes(&b), bytes_str(""), out);
    arena_free(&a);
}

struct prepared *prepared_find(struct session_host *h, struct bytes id)
{
    struct prepared *p = map_get(&h->prepared, id);
    if (p && h->prepared_lru.prev != &p->lru) {
        list_remove(&p->lru);
        list_push_back(&h->prepared_lru, &p->lru);
    }
    return p;
}

static struct bytes dup_malloc(struct bytes b)
{
    if (bytes_is_null(b))
        return BYTES_NULL;
    uint8_t *p = malloc(b.n + 1);
    ensure(p != NULL);
    memcpy(p, b.p, b.n);
    return bytes_of(p, b.n);
}

struct prepared *prepared_put(struct session_host *h, const uint8_t *id,
                              struct statement *statement, struct bytes text, struct bytes keyspace)
{
    struct prepared *p = prepared_find(h, bytes_of(id, 16));
    if (p) {
        statement_ref(statement);
        statement_unref(p->statement);
        p->statement = statement;
        result_metadata_id(statement, p->metadata_id);
        return p;
    }
    if (h->prepared.count >= h->limits->prepared_max && !list_empty(&h->prepared_lru))
        prepared_free(h, container_of(h->prepared_lru.next, struct prepared, lru));
    p = calloc(1, sizeof *p);
    ensure(p != NULL);
    memcpy(p->id, id, 16);
    p->statement = statement_ref(statement);
    p->text = dup_malloc(text);
    p->keyspace = dup_malloc(keyspace);
    result_metadata_id(statement, p->metadata_id);
    list_push_back(&h->prepared_lru, &p->lru);
    map_put(&h->prepared, bytes_of(p->id, 16), p);
    return p;
}

void prepared_free(struct session_host *h, struct prepared *p)
{
    map_del(&h->prepared, bytes_of(p->id, 16));
    list_remove(&p->lru);
    statement_unref(p->statement);
    free((void *)p->text.p);
    free((void *)p->keyspace.p);
    free(p);
}

err_t prepared_statement(struct session_host *h, struct prepared *p, struct statement **out,
                         struct fail *fail)
{
    if (p->statement->schema != h->schema) {
        struct statement *fresh;
        TRY(statement_compile(p->text, h->schema, p->keyspace, &fresh, fail));
        statement_unref(p->statement);
        p->statement = fresh;
        result_metadata_id(fresh, p->metadata_id);
    }
    *out = p->statement;
    return OK;
}

void session_take_prepared(struct session_host *h, struct message *m)
{
    struct message_prepared *p = container_of(m, struct message_prepared, head);
    prepared_put(h, p->id, p->statement, p->text, p->keyspace);
    message_reply(h->out, m, OK);
}
