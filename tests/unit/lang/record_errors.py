#!/usr/bin/env python3
"""Records errors.def: what Apache Cassandra says to each statement of broken.cql.

    record_errors.py [host [port]]

A line of broken.cql is a statement, with \\n for a line feed. Only syntax errors are recorded: what
Cassandra's parser accepts, and what fails with an exception inside it, is left out.
"""
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', '..', 'golden'))
import cqlwire  # noqa: E402


def c_string(text):
    out = ''
    for byte in text.encode():
        c = chr(byte)
        if c in '"\\':
            out += '\\' + c
        elif c == '\n':
            out += '\\n'
        elif c == '?':
            out += '\\?'
        elif 32 <= byte < 127:
            out += c
        else:
            out += f'\\{byte:03o}'
    return f'"{out}"'


def main():
    host = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1'
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 9042
    connection = cqlwire.Connection(host, port, 5)
    rows = []
    with open(os.path.join(here, 'broken.cql'), encoding='utf-8') as f:
        for line in f:
            statement = line.rstrip('\n').replace('\\n', '\n')
            try:
                connection.prepare(statement)
            except cqlwire.CqlError as e:
                if e.code == 0x2000 and 'Failed parsing statement' not in e.message:
                    rows.append((statement, e.message))
    with open(os.path.join(here, 'errors.def'), 'w', encoding='utf-8') as f:
        f.write('/* X(statement, message): recorded from Apache Cassandra 5.0 by record_errors.py. */\n')
        for statement, message in rows:
            f.write(f'X({c_string(statement)},\n  {c_string(message)})\n')
    print(f'{len(rows)} errors recorded')


if __name__ == '__main__':
    main()
