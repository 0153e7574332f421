/* The background jobs' endpoint (ENDPOINT_JOBS): flushes, one step at a time, in turn. On a thread of its own. */
#ifndef SERVER_NODE_JOBS_H
#define SERVER_NODE_JOBS_H

#include "server/node/node.h"

struct jobs {
    struct message_queue out, queue; /* queue: flushes to be stepped */
    struct mono_us retry;            /* no step before: the disk was full */
    bool disk_full;
    err_t failed; /* the level cannot be trusted any more (ERR_IO): the driver stops the node */
    struct arena arena;
    struct fail fail; /* why the last step failed; for the log */
};

void jobs_init(struct jobs *j);
void jobs_free(struct jobs *j);
void jobs_message(struct jobs *j, struct message *m);
/* Runs one step of the next job, if one is due. True when it did something. */
bool jobs_step(struct jobs *j, struct now now);
/* When the next step is due; in the past when one is now. */
struct mono_us jobs_deadline(const struct jobs *j);

#endif
