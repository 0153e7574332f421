#!/usr/bin/env python3
"""Checks that every folder with sources has a README.md that names its header and source files, and
that no link in a README leads to a file that is not there.

    readmes.py ROOT

A file counts as named when its name, or its stem (x.h and x.c share a line; so do x.c and x_y.c),
stands in the text. Folders of tests need a README each, but not a line for every test.
"""
import os
import re
import sys

TOP = ["cql", "storage", "repair", "server", "client", "tools", "tests"]
SOURCE = re.compile(r"\.(c|h|re|y|def|py)$")
# Folders that their parent's README describes.
PART_OF_PARENT = re.compile(r"^tests/(unit|e2e|golden|fuzz)/.")


def stems(name):
    """Longest first: a_b_c, a_b, a."""
    parts = os.path.splitext(name)[0].split("_")
    return ["_".join(parts[:n]) for n in range(len(parts), 0, -1)]


def named(text, name):
    return name in text or any(re.search(rf"\b{re.escape(s)}\b", text) for s in stems(name))


def problems(root):
    found = []
    for top in TOP:
        for folder, dirs, files in os.walk(os.path.join(root, top)):
            dirs[:] = [d for d in dirs if not d.startswith((".", "__")) and d != "node_modules"]
            path = os.path.relpath(folder, root)
            names = [n for n in files if SOURCE.search(n)]
            if not names or PART_OF_PARENT.match(path):
                continue
            readme = os.path.join(folder, "README.md")
            if not os.path.exists(readme):
                found.append(f"{path}: has no README.md")
                continue
            with open(readme, encoding="utf-8") as f:
                text = f.read()
            if len(text) < 200:
                found.append(f"{path}/README.md: says almost nothing")
            if not path.startswith("tests"):
                found += [f"{path}/README.md: does not mention {n}" for n in sorted(names)
                          if not named(text, n)]
    return found


def dead_links(path, folder, text):
    return [f"{path}: links to {target}, which does not exist"
            for target in re.findall(r"\]\(([^)#\s]+)", text)
            if "://" not in target and not os.path.exists(os.path.join(folder, target))]


def links(root):
    found = []
    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith(".") and d not in ("build", "node_modules")]
        for name in files:
            if name.endswith(".md"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as f:
                    found += dead_links(os.path.relpath(path, root), folder, f.read())
    return found


def main():
    if not dead_links("x", "/", "[a](no/such) [b](https://b) [c](#d)"):
        sys.exit("a planted dead link was not found")
    if named("| `bytes.h` | strings |", "arena.c") or not named("- map: hash map", "map_iter.c"):
        sys.exit("the check itself is wrong")
    found = problems(sys.argv[1]) + links(sys.argv[1])
    for line in found:
        print(line)
    print(f"{len(found)} problems")
    sys.exit(bool(found))


main()
