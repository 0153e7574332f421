/* A node's life: open the directory, replay, start threads, serve, drain, stop. */
#ifndef SERVER_RUN_SERVER_H
#define SERVER_RUN_SERVER_H

#include "server/run/config.h"
#include "server/run/thread.h"

/* Opens everything and begins to serve. One line in fail when it cannot. */
err_t server_start(struct server *s, const struct config *c, struct fail *fail) MUST_USE;
/* Stops taking requests, flushes, closes. At most about ten seconds. */
void server_stop(struct server *s);

#endif
