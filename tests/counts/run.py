#!/usr/bin/env python3
"""Counts the instructions and allocations of a prepared one-row read and write, under callgrind.

    HELENUSD=build/release/bin/helenusd run.py             count, compare with baseline.json
    UPDATE=1 HELENUSD=... run.py                           count, write baseline.json

Times differ from machine to machine and run to run; these counts hardly do. So a count that grows
by more than TOLERANCE over baseline.json fails, and whoever makes it grow on purpose records it
anew and says why. One that falls is worth recording too.

The whole process is counted: event loop, parsing, storage, commit log, answer. Each count is the
difference that a thousand more operations make, so it holds no start-up cost. Python's standard
library only; needs valgrind.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "golden"))
from cqlwire import OP, Connection, string  # noqa: E402

OPERATIONS = 1000
WARM_UP = 300
TOLERANCE = 0.05
START_LIMIT_S = 120
ALLOCATORS = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign", "mmap",
              "reallocarray", "strdup", "strndup"}
# valgrind has no room for the address space that shards reserve.
SMALL_MAPS = ["--level-map-size", "16MiB"]
# Where a small absolute difference is no news: a timer that happened to fire in between.
SLACK = {"instructions": 200, "allocations": 0.02}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """helenusd under callgrind, counting all the time."""

    def __init__(self, helenusd, folder):
        self.folder = folder
        self.port = free_port()
        self.log = open(folder / "node.log", "wb")
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/cg", "--compress-strings=no",
             "--compress-pos=no", helenusd, "--directory", str(folder / "data"),
             "--native-transport-port", str(self.port), *SMALL_MAPS, *os.environ.get("HELENUSD_OPTIONS", "").split()],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        limit = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > limit:
                    self.stop()
                    sys.exit("helenusd under valgrind did not start:\n"
                             + (folder / "node.log").read_text(errors="replace")[-3000:])
                time.sleep(0.1)

    def control(self, option):
        subprocess.run(["callgrind_control", option, str(self.process.pid)], check=True,
                       stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)

    def counted(self, work):
        """(instructions, allocations) of the process while work() runs."""
        self.control("--zero")
        work()
        before = set(self.folder.glob("cg*"))
        self.control("--dump")
        limit = time.monotonic() + 60
        while not (new := set(self.folder.glob("cg*")) - before):
            if time.monotonic() > limit:
                sys.exit("callgrind wrote no dump")
            time.sleep(0.05)
        return read_dump(new.pop())

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def read_dump(path):
    """The format is in valgrind's manual, "Callgrind Format Specification"."""
    instructions, allocations, callee = None, 0, ""
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("cfn="):
            callee = line[4:].split("'")[0].split("@")[0]
        elif line.startswith("calls=") and callee in ALLOCATORS:
            allocations += int(line[6:].split()[0])
        elif m := re.match(r"(?:totals|summary):\s*(\d+)", line):
            instructions = int(m[1])
    if instructions is None:
        sys.exit(f"{path} has no total")
    return instructions, allocations


def execute(connection, prepared, values):
    body = string(prepared.query_id)
    if connection.version >= 5:
        body += string(prepared.metadata_id)
    return body + connection.params("LOCAL_ONE", values, None, 0, None, None, None, None, True)


def run(connection, bodies, in_flight):
    """Executes them all, so many at a time; every answer must be a RESULT."""
    for i in range(0, len(bodies), in_flight):
        chunk = bodies[i:i + in_flight]
        for stream, body in enumerate(chunk):
            connection.send(OP["EXECUTE"], body, stream)
        for _ in chunk:
            _, _, _, opcode, answer = connection.receive()
            if opcode != OP["RESULT"]:
                sys.exit(f"an operation was answered with opcode {opcode}: {answer!r}")


def measure(node):
    connection = Connection("127.0.0.1", node.port, timeout_s=60)
    connection.query("CREATE KEYSPACE counts WITH replication = "
                     "{'class': 'SimpleStrategy', 'replication_factor': 1}")
    connection.query("CREATE TABLE counts.t (k int PRIMARY KEY, v blob)")
    statements = {
        "write": (connection.prepare("INSERT INTO counts.t (k, v) VALUES (?, ?)"),
                  lambda i: [struct.pack(">i", i), bytes([i % 251]) * 100]),
        "read": (connection.prepare("SELECT v FROM counts.t WHERE k = ?"),
                 lambda i: [struct.pack(">i", i)]),
    }
    counts = {}
    for name, (prepared, values) in statements.items():
        for in_flight in (1, 32):
            few, many = ([execute(connection, prepared, values(i)) for i in range(n)]
                         for n in (WARM_UP, WARM_UP + OPERATIONS))
            run(connection, many, in_flight)
            base = node.counted(lambda: run(connection, few, in_flight))
            full = node.counted(lambda: run(connection, many, in_flight))
            for kind, a, b in zip(("instructions", "allocations"), base, full):
                counts[f"{name}_{in_flight}_in_flight_{kind}"] = round((b - a) / OPERATIONS, 2)
    rows = connection.query("SELECT count(*) FROM counts.t").rows
    if struct.unpack(">q", rows[0][0])[0] != WARM_UP + OPERATIONS:
        sys.exit(f"the writes that were counted did not all happen: {rows}")
    connection.close()
    return counts


def compare(counts, baseline):
    """Prints the table; the names of the counts that grew."""
    grown = []
    print(f"{'a prepared operation':36} {'now':>10} {'baseline':>10}")
    for name, now in counts.items():
        then = baseline.get(name)
        mark = ""
        if then is None or now > max(then * (1 + TOLERANCE), then + SLACK[name.rsplit("_", 1)[1]]):
            grown.append(name)
            mark = "  not recorded" if then is None else "  grew"
        print(f"{name:36} {now:10.2f} {then if then is not None else '-':>10}{mark}")
    return grown


def prove():
    """The comparison itself: a planted growth must be found, noise must not."""
    devnull = open(os.devnull, "w")
    stdout, sys.stdout = sys.stdout, devnull
    grew = compare({"x_instructions": 11000, "x_allocations": 1}, {"x_instructions": 10000, "x_allocations": 0})
    same = compare({"x_instructions": 10100, "x_allocations": 0}, {"x_instructions": 10000, "x_allocations": 0})
    sys.stdout = stdout
    if grew != ["x_instructions", "x_allocations"] or same:
        sys.exit("the comparison does not find what it is for")


def main():
    prove()
    helenusd = os.environ.get("HELENUSD") or sys.exit("HELENUSD names no server")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="helenus-counts."))
    try:
        node = Node(helenusd, folder)
        try:
            counts = measure(node)
        finally:
            node.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    path = HERE / "baseline.json"
    baseline = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get("UPDATE"):
        path.write_text(json.dumps(counts, indent=4) + "\n")
        baseline = counts
    grown = compare(counts, baseline)
    if grown:
        sys.exit(f"{', '.join(grown)}: record on purpose with UPDATE=1, and say why in the commit")


if __name__ == "__main__":
    main()
