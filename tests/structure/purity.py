#!/usr/bin/env python3
"""Checks with nm -u that the folders that only compute can do nothing else.

    purity.py COMPILER target=archive...

A machine that reads a clock or draws a random number cannot be replayed from a seed, and one that
touches a socket or a thread cannot be simulated at all. So no object of a pure library may leave a
symbol undefined that stands for the world outside; the few objects whose purpose is such a call are
listed in EXEMPT. Planted objects of both kinds prove the check at each run.
"""
import os
import re
import subprocess
import sys
import tempfile

# The world outside, by kind. Names are matched whole.
KINDS = {
    "clock": r"clock_\w+|time|gettimeofday|times|ftime|timespec_get|localtime(_r)?|mktime|tzset"
             r"|nanosleep|usleep|sleep|alarm|timer_\w+|timerfd_\w+",
    "random": r"s?rand(_r)?|s?random(_r)?|[dlmnejs]rand48(_r)?|getrandom|getentropy|arc4random\w*"
              r"|uuid_generate\w*|RAND_\w+",
    "network": r"socket(pair)?|bind|listen|accept4?|connect|send(to|msg|mmsg|file)?"
               r"|recv(from|msg|mmsg)?|shutdown|[gs]etsockopt|getaddrinfo|gethostby\w+|select"
               r"|p?poll|epoll_\w+|eventfd\w*|pipe2?|SSL_\w+",
    "thread": r"pthread_\w+|thrd_\w+|mtx_\w+|cnd_\w+|sem_\w+|fork|vfork|clone|posix_spawn\w*"
              r"|exec[lv]\w*|system|popen|sched_\w+",
    "loop": r"ev_\w+|event_\w+|uv_\w+",
    "lmdb": r"mdb_\w+",
    "file": r"open(at)?(64)?|creat(64)?|close|p?readv?(64)?|p?writev?(64)?|lseek(64)?|f(data)?sync"
            r"|sync_file_range|fallocate(64)?|posix_fallocate(64)?|posix_fadvise(64)?"
            r"|f?truncate(64)?|unlink(at)?|rename(at2?)?|mkdir(at)?|rmdir|remove|link(at)?"
            r"|symlink\w*|[lf]?stat(at)?(64)?|statx|f?statv?fs(64)?|opendir|fdopendir|readdir(64)?"
            r"|closedir|dirfd|flock|fcntl(64)?|ioctl|mmap(64)?|munmap|msync|madvise|access"
            r"|fopen(64)?|fdopen|freopen(64)?|tmpfile(64)?|mkstemp\w*|realpath|getcwd|chdir|syscall",
    "console": r"v?f?printf|puts|fputs|fputc|putc(har)?|fwrite|fread|fgets|getc(har)?|getline|fflush"
               r"|perror|stdout|stderr|stdin",
    "process": r"exit|_exit|atexit|raise|kill|signal|sigaction|sigprocmask|getenv|setenv|getpid"
               r"|getuid|setlocale|sysconf|getrlimit|setrlimit|syslog",
}
KINDS = {kind: re.compile(f"(?:{names})$") for kind, names in KINDS.items()}

PURE = ["base", "types", "func", "schema", "data", "lang", "wire", "plan", "storage", "repair",
        "cluster", "coord", "session", "node", "client"]
# (library, object name) → the kinds of call that are its purpose
EXEMPT = [
    # ensure() says what broke before it aborts.
    ("base", r".*", {"console"}),
    ("storage", r"kv\w*", {"lmdb", "file"}),
    ("storage", r"disk\w*", {"file"}),
    ("client", r"io\w*", {"network", "file", "loop", "clock", "random"}),
]


def plain(symbol):
    """Without version, and without what _FORTIFY_SOURCE and large files put around a name."""
    symbol = symbol.split("@")[0]
    symbol = re.sub(r"^__(?:isoc99_|isoc23_)?(\w+?)_chk(?:_warn)?$", r"\1", symbol)
    return re.sub(r"^__(open64|open|fstat|stat|lstat|read|write)_2$", r"\1", symbol)


def kind_of(symbol):
    return next((kind for kind, names in KINDS.items() if names.match(plain(symbol))), None)


def undefined(archive):
    """(object stem, symbol) for each undefined symbol of each object."""
    out = subprocess.run(["nm", "-A", "-u", archive], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        place, _, symbol = line.rpartition(" U ")
        if symbol:
            member = place.split(":")[1]
            yield re.sub(r"(\.c)?\.o$", "", member), symbol.strip()


def allowed(library, member):
    return set().union(*(kinds for lib, name, kinds in EXEMPT
                         if lib == library and re.fullmatch(name, member)))


def problems(library, archive):
    return [f"{library}: {member}.c uses {plain(symbol)} ({kind_of(symbol)})"
            for member, symbol in undefined(archive)
            if kind_of(symbol) and kind_of(symbol) not in allowed(library, member)]


PLANTED = r"""
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/random.h>
struct ev_loop; void ev_run(struct ev_loop *, int); int mdb_get(void *);
void planted(char *p, int n);
void planted(char *p, int n)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); time(0);
    rand(); getrandom(p, n, 0);
    send(n, p, n, 0); socket(n, n, n);
    pthread_mutex_lock((pthread_mutex_t *)p); ev_run(0, 0); mdb_get(p);
    open(p, n | O_CREAT, 0600); read(n, p, n); write(n, p, n); fopen(p, p);
    printf("%s", p); getenv(p);
}
"""
WANTED = {"clock_gettime", "time", "rand", "getrandom", "send", "socket", "pthread_mutex_lock", "ev_run",
          "mdb_get", "open", "read", "write", "fopen", "printf", "getenv"}
FINE = r"""
#include <string.h>
#include <stdlib.h>
#include <stdio.h>
int planted_fine(char *p, const char *q, size_t n);
int planted_fine(char *p, const char *q, size_t n)
{
    char *r = malloc(n);
    memcpy(r, q, n); snprintf(p, n, "%s", r); free(r);
    return memcmp(p, q, n) + strcmp(p, q);
}
"""


def archive_of(compiler, folder, name, text):
    source = os.path.join(folder, name + ".c")
    archive = os.path.join(folder, "lib" + name + ".a")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run([compiler, "-O2", "-w", "-D_GNU_SOURCE", "-D_FORTIFY_SOURCE=2", "-c", source,
                    "-o", source + ".o"], check=True)
    subprocess.run(["ar", "rc", archive, source + ".o"], check=True)
    return archive


def prove(compiler):
    with tempfile.TemporaryDirectory() as folder:
        bad = problems("plan", archive_of(compiler, folder, "planted", PLANTED))
        kv = problems("storage", archive_of(compiler, folder, "kv_planted", PLANTED))
        good = problems("plan", archive_of(compiler, folder, "fine", FINE))
    names = {line.split(" uses ")[1].split()[0] for line in bad}
    if not WANTED <= names:
        sys.exit(f"planted calls were not found: {sorted(WANTED - names)}")
    if any("mdb_get" in line for line in kv) or not any("pthread_mutex_lock" in line for line in kv):
        sys.exit(f"the exemption of storage's kv is not what it should be: {kv}")
    if good:
        sys.exit(f"an object that only computes was refused: {good}")


def main():
    prove(sys.argv[1])
    archives = dict(a.split("=", 1) for a in sys.argv[2:])
    missing = [library for library in PURE if library not in archives]
    if missing:
        sys.exit(f"no archive was given for {missing}")
    found = [line for library in PURE for line in problems(library, archives[library])]
    for line in found:
        print(line)
    objects = {(lib, member) for lib in PURE for member, _ in undefined(archives[lib])}
    print(f"{len(objects)} objects, {len(found)} violations")
    sys.exit(bool(found))


main()
