#!/usr/bin/env python3
"""Checks that the #include lines of the tree form the layers of the design, and nothing else.

    includes.py ROOT

Rules: a quoted include is written from the root, names a file that exists (or one that the build
generates from a grammar), and goes from a folder to one listed in ALLOWED. A header *_priv.h is
for its own folder and that folder's unit tests. The system headers in SYSTEM are for the folders
listed beside them. Afterwards the script plants one violation of each rule in a scratch tree and
fails unless each is found.
"""
import os
import re
import sys
import tempfile

BASE = ["cql/base"]
TYPES = BASE + ["cql/types"]
FUNC = TYPES + ["cql/func"]
SCHEMA = TYPES + ["cql/schema"]
DATA = SCHEMA + ["cql/data"]
LANG = BASE + ["cql/lang"]
WIRE = TYPES + ["cql/wire"]
PLAN = DATA + ["cql/func", "cql/lang", "cql/plan"]
STORAGE = DATA + ["storage"]
REPAIR = STORAGE + ["repair"]
CLUSTER = DATA + ["server/cluster"]
COORD = CLUSTER + ["repair", "server/coord"]
SESSION = PLAN + ["cql/wire", "server/cluster", "server/coord", "server/session"]
NODE = SESSION + ["storage", "repair", "server/node"]
RUN = NODE + ["server/run"]
CLIENT = WIRE + ["client"]

# folder → the folders whose headers it may include
ALLOWED = {
    "cql/base": BASE,
    "cql/types": TYPES,
    "cql/func": FUNC,
    "cql/schema": SCHEMA,
    "cql/data": DATA,
    "cql/lang": LANG,
    "cql/wire": WIRE,
    "cql/plan": PLAN,
    "storage": STORAGE,
    "repair": REPAIR,
    "server/cluster": CLUSTER,
    "server/coord": COORD,
    "server/session": SESSION,
    "server/node": NODE,
    "server/run": RUN,
    "client": CLIENT,
    "tools": CLIENT + ["tools"],
}
# The list of keywords is data, not code: whoever prints names (DESCRIBE) quotes by it.
ANYONE = {"cql/lang/keywords.def"}

# system header → the only files that may include it (regular expressions over paths)
IO = r"^(server/run/|client/io|tools/)"
SYSTEM = {
    "ev.h": IO,
    "pthread.h": IO,
    "threads.h": IO,
    "sys/socket.h": IO,
    "sys/epoll.h": IO,
    "netinet/tcp.h": IO,
    "netdb.h": IO,
    "poll.h": IO,
    "signal.h": IO,
    "openssl/ssl.h": IO,
    "lmdb.h": r"^storage/kv",
    "fcntl.h": r"^(server/run/|client/io|tools/|storage/disk|storage/kv)",
    "unistd.h": r"^(server/run/|client/io|tools/|storage/disk|storage/kv)",
    "sys/stat.h": r"^(server/run/|client/io|tools/|storage/disk|storage/kv)",
    "sys/mman.h": r"^(server/run/|storage/disk|storage/kv|cql/base/)",
    "sys/time.h": IO,
}

SOURCE = re.compile(r"\.(c|h|re|y|def)$")
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>")
TOP = ["cql", "storage", "repair", "server", "client", "tools"]


def sources(root):
    for top in TOP + ["tests"]:
        for folder, dirs, files in os.walk(os.path.join(root, top)):
            dirs[:] = [d for d in dirs if not d.startswith(".") and d != "node_modules"]
            for name in sorted(files):
                if SOURCE.search(name):
                    yield os.path.relpath(os.path.join(folder, name), root)


def layer(path):
    """The folder of ALLOWED that a path belongs to, or None."""
    parts = os.path.dirname(path).split("/")
    for n in (2, 1):
        if "/".join(parts[:n]) in ALLOWED:
            return "/".join(parts[:n])
    return None


def exists(root, target):
    stem = os.path.join(root, os.path.splitext(target)[0])
    return os.path.exists(os.path.join(root, target)) or (
        target.endswith(".h") and os.path.exists(stem + ".y"))


def quoted_problem(root, path, target):
    if not exists(root, target):
        return f'"{target}" is not a file of the tree; includes are written from the root'
    if target.endswith("_priv.h"):
        folder = os.path.dirname(target)
        if os.path.dirname(path) not in (folder, "tests/unit/" + os.path.basename(folder)):
            return f'"{target}" is private to {folder} and its unit tests'
    if path.startswith("tests/") or target in ANYONE:
        return None
    here, there = layer(path), layer(target)
    if here is None:
        return "is in a folder that ALLOWED does not know"
    if there not in ALLOWED[here]:
        return f'{here} may not include "{target}"'
    return None


def problems(root):
    found = []
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                problem = None
                if m := QUOTED.match(line):
                    problem = quoted_problem(root, path, m.group(1))
                elif (m := ANGLED.match(line)) and not path.startswith("tests/"):
                    allowed = SYSTEM.get(m.group(1))
                    if allowed and not re.search(allowed, path):
                        problem = f"<{m.group(1)}> is only for {allowed}"
                if problem:
                    found.append(f"{path}:{number}: {problem}")
    return found


def cycles():
    """The table itself must be acyclic: no two folders may include each other."""
    return [f"{a} and {b} may include each other" for a in ALLOWED for b in ALLOWED[a]
            if a < b and a in ALLOWED.get(b, [])]


PLANTED = {
    "cql/base/a.c": '#include "cql/types/t.h"\n',          # upwards
    "cql/lang/a.c": '#include "cql/types/t.h"\n',          # lang sees base only
    "storage/a.c": '#include "server/run/r.h"\n',          # upwards
    "client/a.c": '#include "cql/plan/p.h"\n',             # the client has no plan
    "cql/types/b.c": '#include "t.h"\n',                   # not from the root
    "cql/data/c.c": '  #  include "cql/types/x_priv.h"\n',  # private to another folder
    "server/coord/d.c": "#include <ev.h>\n",               # I/O in a machine
    "storage/log.c": "#include <lmdb.h>\n",                # lmdb outside kv
}
PLANTED_FINE = {
    "cql/types/t.h": '#include "cql/base/b.h"\n',
    "cql/types/x_priv.h": "",
    "cql/base/b.h": "#include <stdint.h>\n",
    "cql/plan/p.h": '#include "cql/lang/grammar.h"\n',
    "cql/lang/grammar.y": "",
    "cql/lang/keywords.def": "",
    "cql/schema/s.c": '#include "cql/lang/keywords.def"\n',
    "server/run/r.h": "#include <ev.h>\n",
    "storage/kv_lmdb.c": "#include <lmdb.h>\n",
    "tests/unit/types/test_x.c": '#include "cql/types/x_priv.h"\n',
}


def prove():
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**PLANTED, **PLANTED_FINE}.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        found = {line.split(":")[0] for line in problems(root)}
    return found == set(PLANTED), sorted(found ^ set(PLANTED))


def main():
    proved, difference = prove()
    if not proved:
        sys.exit(f"the check does not tell planted violations from good files: {difference}")
    found = cycles() + problems(sys.argv[1])
    checked = sum(1 for _ in sources(sys.argv[1]))
    if not checked:
        sys.exit("no source file was found")
    for line in found:
        print(line)
    print(f"{checked} files, {len(found)} violations, {len(PLANTED)} planted ones found")
    sys.exit(bool(found))


main()
