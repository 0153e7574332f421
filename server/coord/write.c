/* Writes of one request: one message a mutation, answered when every shard has said yes. See coord.h. */
#include "server/coord/coord.h"

#include "cql/base/list.h"

#include <stdlib.h>

void message_free(struct message *m)
{
    free(m);
}

struct tagged_write {
    void *tag;
    struct message_write message;
};

struct tagged_read {
    void *tag;
    struct message_read message;
};

void *coord_tag(const struct message *m)
{
    /* Both tagged structs have the tag right in front of the message. */
    _Static_assert(offsetof(struct tagged_write, message) == offsetof(struct tagged_read, message),
                   "tags in one place");
    return container_of((struct message_write *)m, struct tagged_write, message)->tag;
}

void coord_write_start(struct coord_write *w, const struct topology *t, uint16_t self,
                       const struct coord_mutation *mutations, size_t count, struct arena *a,
                       void *tag, struct message_queue *out)
{
    *w = (struct coord_write){.pending = (uint32_t)count, .count = (uint32_t)count};
    struct tagged_write *all = arena_array(a, struct tagged_write, count);
    for (size_t i = 0; i < count; i++) {
        all[i].tag = tag;
        all[i].message = (struct message_write){
            .head = {.from = self,
                     .to = topology_shard(t, mutations[i].token),
                     .verb = VERB_WRITE,
                     .needs_reply = true},
            .mutation = mutations[i].bytes,
            .log = mutations[i].log,
        };
        message_push(out, &all[i].message.head);
    }
}

bool coord_write_reply(struct coord_write *w, struct message *m)
{
    if (m->err != OK) {
        w->failed++;
        if (w->err == OK)
            w->err = m->err;
    }
    return --w->pending == 0;
}
