#!/usr/bin/env python3
"""Checks that each header compiles alone, so that no file depends on the order of its includes.

    headers.py ROOT GENERATED COMPILER

Neither the other headers nor cql/base/banned.h, which the build puts in front of everything, are
there to help it. A header without an include of what it uses is planted first and must fail.
"""
import concurrent.futures
import os
import subprocess
import sys

TOP = ["cql", "storage", "repair", "server", "client", "tools", "tests"]


def compiles(compiler, includes, text):
    """The compiler's complaint, or None."""
    command = [compiler, "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra",
               "-Werror", "-xc", "-"] + [f"-I{i}" for i in includes]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    return run.stderr if run.returncode else None


def main():
    root, generated, compiler = sys.argv[1:4]
    includes = [root, generated]
    if not compiles(compiler, includes, "struct planted { size_t n; };\n"):
        sys.exit("a header that needs <stddef.h> and does not include it was not found")
    headers = []
    for top in TOP:
        for folder, dirs, files in os.walk(os.path.join(root, top)):
            dirs[:] = [d for d in dirs if not d.startswith(".") and d != "node_modules"]
            headers += [os.path.relpath(os.path.join(folder, n), root)
                        for n in files if n.endswith(".h")]
    headers.sort()
    # Twice, as the guard must work too.
    texts = [f'#include "{h}"\n#include "{h}"\n' for h in headers]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = list(pool.map(lambda t: compiles(compiler, includes, t), texts))
    failed = [(h, c) for h, c in zip(headers, complaints) if c]
    for header, complaint in failed:
        print(f"{header} does not compile alone:\n{complaint}")
    print(f"{len(headers)} headers, {len(failed)} do not compile alone")
    sys.exit(bool(failed) or not headers)


main()
