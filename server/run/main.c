/* helenusd: reads the configuration, serves until SIGTERM or SIGINT, drains, exits. */
#include "server/run/log.h"
#include "server/run/notify.h"
#include "server/run/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Every connection is a file: take what the hard limit gives. */
static void raise_file_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        log_warn("start", "cannot raise the limit of open files");
}

static int wait_for_signal(const sigset_t *set)
{
    int sig;
    while (sigwait(set, &sig) != 0)
        ;
    return sig;
}

int main(int argc, char **argv)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    struct config config;
    bool exit_now = false;
    if (config_load(argc, argv, &a, &config, &exit_now, &fail) != OK) {
        fprintf(stderr, "helenusd: %.*s\n", BYTES_FMT(fail.message));
        arena_free(&a);
        return 2;
    }
    if (exit_now) {
        arena_free(&a);
        return 0;
    }
    raise_file_limit();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    static struct server server;
    if (server_start(&server, &config, &fail) != OK) {
        fprintf(stderr, "helenusd: %.*s\n", BYTES_FMT(fail.message));
        _exit(1); /* what was opened so far is the system's to take back */
    }
    printf("helenusd %s serving CQL on %s:%u, directory %s, shards %u, loops %u\n", HELENUS_VERSION,
           config.rpc_address, config.native_transport_port, config.directory,
           server.node.topology.shards, server.loops_count);
    fflush(stdout);
    notify_ready();
    int sig = wait_for_signal(&set);
    log_info("stop", "%s: draining", sig == SIGTERM ? "SIGTERM" : "SIGINT");
    notify_stopping();
    server_stop(&server);
    log_info("stop", "drained and closed");
    arena_free(&a);
    return 0;
}
