#!/usr/bin/env python3
"""Golden tests: runs the statements of *.cql on a CQL server and compares what it answers with *.out.

    run.py --host 127.0.0.1 --port 9042 [--diff-lines N] [file.cql ...]     compare
    UPDATE=1 run.py --host 127.0.0.1 --port 9042 [file.cql ...]             record (from a real Cassandra)

The format of both files is in README.md beside this one. Python's standard library only.
"""

import argparse
import difflib
import os
import pathlib
import re
import struct
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cqlwire  # noqa: E402
from cqlwire import CqlError, Connection, Reader, UNSET  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


# ---------------------------------------------------------------- rendering

def type_name(t):
    kind = t[0]
    if kind in ('list', 'set'):
        return f'{kind}<{type_name(t[1])}>'
    if kind == 'map':
        return f'map<{type_name(t[1])}, {type_name(t[2])}>'
    if kind == 'tuple':
        return f"tuple<{', '.join(map(type_name, t[1]))}>"
    if kind == 'udt':
        return f"{t[1]}.{t[2]}{{{', '.join(f'{n} {type_name(x)}' for n, x in t[3])}}}"
    if kind == 'custom':
        return f"custom '{t[1]}'"
    return kind


JAVA = {'Int32Type': 'int', 'LongType': 'bigint', 'FloatType': 'float', 'DoubleType': 'double', 'UTF8Type': 'text',
        'AsciiType': 'ascii', 'BooleanType': 'boolean', 'BytesType': 'blob', 'UUIDType': 'uuid', 'ShortType': 'smallint',
        'ByteType': 'tinyint', 'TimeUUIDType': 'timeuuid', 'SimpleDateType': 'date', 'TimeType': 'time',
        'DurationType': 'duration', 'IntegerType': 'varint', 'DecimalType': 'decimal', 'TimestampType': 'timestamp',
        'InetAddressType': 'inet'}
FIXED = {'int': 4, 'bigint': 8, 'float': 4, 'double': 8, 'boolean': 1, 'uuid': 16, 'timeuuid': 16, 'timestamp': 8}


def java_type(name):
    """The type tuple of a custom type's Java class name, or None when it is not one we read."""
    m = re.fullmatch(r'org\.apache\.cassandra\.db\.marshal\.(\w+)(?:\((.*)\))?', name)
    if not m:
        return None
    if m[1] == 'VectorType':
        inner, n = m[2].rsplit(',', 1)
        element = java_type(inner.strip())
        return element and ('vector', element, int(n))
    return (JAVA[m[1]],) if m[1] in JAVA and m[2] is None else None


def vint(r):
    first = r.byte()
    extra = 8 - (first ^ 0xFF).bit_length()
    n = first & (0xFF >> extra) if extra < 8 else 0
    for b in r.take(extra):
        n = n << 8 | b
    return n


def quoted(text):
    text = text.replace("'", "''").replace('\\', '\\\\')
    return "'" + ''.join(c if c == '\n' or c.isprintable() else f'\\u{ord(c):04x}' for c in text) + "'"


def show(t, b):
    """A value's text: one text for one byte string, so equal texts mean equal bytes."""
    if b is None:
        return 'null'
    try:
        return show_as(t, b)
    except (ValueError, UnicodeDecodeError, struct.error):
        return f'?0x{b.hex()}'


def show_as(t, b):
    kind = t[0]
    if kind == 'custom':
        inner = java_type(t[1])
        return show_as(inner, b) if inner else f'0x{b.hex()}'
    if kind in ('text', 'ascii'):
        return quoted(b.decode())
    if kind == 'blob' or not b:
        return f'0x{b.hex()}'
    if kind in ('tinyint', 'smallint', 'int', 'bigint', 'counter', 'timestamp', 'time'):
        if len(b) != dict(tinyint=1, smallint=2, int=4).get(kind, 8):
            raise ValueError
        return str(int.from_bytes(b, 'big', signed=True))
    if kind == 'boolean' and b in (b'\0', b'\1'):
        return 'true' if b == b'\1' else 'false'
    if kind in ('uuid', 'timeuuid') and len(b) == 16:
        return str(uuid.UUID(bytes=b))
    if kind == 'float' and len(b) == 4:
        return f'0x{b.hex()} ({struct.unpack(">f", b)[0]:.9g})'
    if kind == 'double' and len(b) == 8:
        return f'0x{b.hex()} ({struct.unpack(">d", b)[0]!r})'
    if kind == 'varint':
        n = int.from_bytes(b, 'big', signed=True)
        shortest = n.to_bytes((n if n >= 0 else ~n).bit_length() // 8 + 1, 'big', signed=True)
        return str(n) if shortest == b else f'0x{b.hex()}'
    if kind == 'decimal':
        scale = int.from_bytes(b[:4], 'big', signed=True)
        return f"{show_as(('varint',), b[4:])}e{-scale}"
    if kind == 'date' and len(b) == 4:
        return f"day {int.from_bytes(b, 'big') - 2**31}"
    if kind in ('list', 'set'):
        r = Reader(b)
        items = [show(t[1], r.bytes()) for _ in range(r.int())]
        end(r)
        return ('[%s]' if kind == 'list' else '{%s}') % ', '.join(items)
    if kind == 'map':
        r = Reader(b)
        items = [f'{show(t[1], r.bytes())}: {show(t[2], r.bytes())}' for _ in range(r.int())]
        end(r)
        return '{%s}' % ', '.join(items)
    if kind in ('tuple', 'udt'):
        fields = t[1] if kind == 'tuple' else [f for _, f in t[3]]
        r, items = Reader(b), []
        for f in fields:
            items.append('absent' if r.pos == len(b) else show(f, r.bytes()))
        end(r)
        if kind == 'udt':
            items = [f'{n}: {x}' for (n, _), x in zip(t[3], items)]
        return ('(%s)' if kind == 'tuple' else '{%s}') % ', '.join(items)
    if kind == 'vector':
        r, items = Reader(b), []
        for _ in range(t[2]):
            items.append(show(t[1], r.take(FIXED[t[1][0]] if t[1][0] in FIXED else vint(r))))
        end(r)
        return '<%s>' % ', '.join(items)
    return f'0x{b.hex()}'


def end(r):
    if r.pos != len(r.data):
        raise ValueError('bytes left over')


def syntax(message):
    """Of a syntax error only the place and the offending token are compared: the rest is the parser generator's."""
    m = re.match(r'line (\d+:-?\d+) (.*)', message, re.S)
    if not m:
        return message, None
    at = re.search(r"(?:at input|mismatched input|extraneous input|at character|mismatched character|missing \S+ at) '(.*?)'(?= \(| expecting|$)",
                   m[2], re.S)
    at = at or re.search(r"(?:at input|mismatched input|extraneous input|at character|mismatched character|missing \S+ at) '(.*?)'", m[2], re.S)
    if not at:
        return message, None
    return f"line {m[1]} at '{at[1]}'", message


# ---------------------------------------------------------------- values in directives

def parse_value(text):
    """`int:5`, `text:'a'`, `null`, `unset`, `0x00ff`, `[v, ...]` list/set, `{k=v, ...}` map, `(v, ...)` tuple/UDT."""
    out, rest = value_at(text.strip())
    if rest.strip():
        raise ValueError(f'after the value: {rest}')
    return out


def value_at(s):
    s = s.lstrip()
    if s[0] in '[(':
        close, items, s = {'[': ']', '(': ')'}[s[0]], [], s[1:].lstrip()
        opened = close
        while s[0] != close:
            v, s = value_at(s)
            items.append(v)
            s = s.lstrip()
            s = s[1:].lstrip() if s[0] == ',' else s
        body = b''.join(map(cqlwire.value, items))
        return (struct.pack('>i', len(items)) if opened == ']' else b'') + body, s[1:]
    if s[0] == '{':
        items, s = [], s[1:].lstrip()
        while s[0] != '}':
            k, s = value_at(s)
            v, s = value_at(s.lstrip()[1:])
            items += [k, v]
            s = s.lstrip()
            s = s[1:].lstrip() if s[0] == ',' else s
        return struct.pack('>i', len(items) // 2) + b''.join(map(cqlwire.value, items)), s[1:]
    m = re.match(r"(null|unset)\b", s)
    if m:
        return (None if m[1] == 'null' else UNSET), s[m.end():]
    m = re.match(r'0x([0-9a-fA-F]*)', s)
    if m:
        return bytes.fromhex(m[1]), s[m.end():]
    m = re.match(r"(\w+):('(?:[^']|'')*'|[-+.\w]+)", s)
    if not m:
        raise ValueError(f'not a value: {s}')
    kind, word = m[1], m[2]
    if word[0] == "'":
        word = word[1:-1].replace("''", "'")
    rest = s[m.end():]
    ints = dict(tinyint='b', smallint='h', int='i', bigint='q', timestamp='q', time='q')
    if kind in ints:
        return struct.pack('>' + ints[kind], int(word)), rest
    if kind == 'varint':
        n = int(word)
        return n.to_bytes((n if n >= 0 else ~n).bit_length() // 8 + 1, 'big', signed=True), rest
    if kind in ('float', 'double'):
        return struct.pack('>f' if kind == 'float' else '>d', float(word)), rest
    if kind == 'text':
        return word.encode(), rest
    if kind == 'boolean':
        return (b'\1' if word == 'true' else b'\0'), rest
    if kind == 'uuid':
        return uuid.UUID(word).bytes, rest
    raise ValueError(f'unknown type {kind}')


def parse_values(text):
    out, names = [], []
    while text.strip():
        m = re.match(r'\s*(\w+)=(?=[\w\[({])', text)
        if m:
            names.append(m[1])
            text = text[m.end():]
        v, text = value_at(text)
        out.append(v)
        text = text.lstrip()
        if text and text[0] != ',':
            raise ValueError(f'not a list of values: {text}')
        text = text[1:]
    return out, names or None


# ---------------------------------------------------------------- the .cql file

class Statement:
    def __init__(self, text, directives, line):
        self.text, self.directives, self.line = text, directives, line

    def get(self, name, default=None):
        return next((v for n, v in self.directives if n == name), default)

    def all(self, name):
        return [v for n, v in self.directives if n == name]


def load(path):
    """The statements of a file and the protocol versions it is to be run with."""
    statements, directives, lines, versions = [], [], [], [5]
    start = 0
    for number, line in enumerate(path.read_text().split('\n'), 1):
        if not lines:
            if line.startswith('--@ '):
                name, _, rest = line[4:].strip().partition(' ')
                if name == 'versions':
                    versions = [int(v) for v in rest.split()]
                else:
                    directives.append((name, rest))
                continue
            if line.startswith('--') or not line.strip():
                continue
            start = number
        if line.rstrip().endswith(';'):
            lines.append(line.rstrip()[:-1])
            statements.append(Statement('\n'.join(lines), directives, start))
            lines, directives = [], []
        else:
            lines.append(line)
    if lines or directives:
        raise SystemExit(f'{path}: the last statement has no ; at its end')
    return statements, versions


# ---------------------------------------------------------------- running

UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')


class Runner:
    def __init__(self, host, port, version, keyspace):
        self.host, self.port, self.version, self.keyspace = host, port, version, keyspace
        self.connection = None

    def open(self, use):
        if self.connection:
            self.connection.close()
        self.connection = Connection(self.host, self.port, self.version, timeout_s=60)
        if use:
            self.connection.query(f'USE {self.keyspace}')

    def reset_keyspace(self):
        c = Connection(self.host, self.port, self.version, timeout_s=60)
        c.query(f'DROP KEYSPACE IF EXISTS {self.keyspace}')
        c.query(f"CREATE KEYSPACE {self.keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
        c.close()

    def run(self, s):
        """What the server answered to a statement, as text."""
        out = []
        if s.get('connect') is not None:
            self.open(s.get('connect') != 'no-keyspace')
        if s.get('sleep'):
            time.sleep(float(s.get('sleep')))
        options = {}
        if s.get('cl'):
            options['cl'] = s.get('cl')
        if s.get('serial'):
            options['serial'] = s.get('serial')
        if s.get('timestamp'):
            options['timestamp'] = int(s.get('timestamp'))
        if s.get('keyspace') and self.version >= 5:
            options['keyspace'] = s.get('keyspace')
        page = int(s.get('page', 0))
        try:
            if s.get('prepare') is not None:
                c = self.connection
                ks = {k: v for k, v in options.items() if k == 'keyspace'}
                prepared = c.prepare(s.text, **ks)
                out.append('prepared')
                out += self.warnings(prepared.warnings)
                for i, column in enumerate(prepared.bind):
                    out.append('  bind ' + self.column(column))
                if prepared.pk_indexes:
                    out.append('  partition key ' + ' '.join(map(str, prepared.pk_indexes)))
                for column in prepared.columns:
                    out.append('  result ' + self.column(column))
                for text in s.all('execute'):
                    out.append(f'execute {text}'.rstrip())
                    values, names = parse_values(text)
                    self.pages(out, s, page, lambda state: c.execute(
                        prepared, values, names, page_size=page, paging_state=state, **options))
            elif s.get('bind') is not None:
                for text in s.all('bind'):
                    out.append(f'bind {text}')
                    values, names = parse_values(text)
                    self.pages(out, s, page, lambda state: self.connection.query(
                        s.text, values, names, page_size=page, paging_state=state, **options))
            else:
                self.pages(out, s, page, lambda state: self.connection.query(
                    s.text, page_size=page, paging_state=state, **options))
        except CqlError as e:
            self.show_error(out, e)
        except (ConnectionError, OSError, ValueError) as e:
            out.append(f'broken: {type(e).__name__} {e}')
            self.open(True)
        return '\n'.join(line.rstrip() for line in out)

    @staticmethod
    def show_error(out, e):
        message, full = (syntax(e.message) if e.code == 0x2000 else (e.message, None))
        message = message.replace('\n', '\\n')
        # A function's signatures come in the order of a hash table: sorted here.
        message = re.sub(r'(signatures: )(.*?)(\)$|\): use)', lambda m: m[1] + ', '.join(
            sorted(re.split(r', (?=[\w.]+ : )', m[2]))) + m[3], message)
        if re.search(r':? ?java\.[a-z]', message):  # an exception of Cassandra's own machinery is not for us to repeat
            full = full or message
            message = re.sub(r':? ?java\.[a-z].*', '', message)
        out.append(f'error {cqlwire.ERRORS.get(e.code, "?")} 0x{e.code:04x}: {message}')
        if full:
            out.append(f'# {full}'.replace('\n', '\\n'))
        out += [f'  {k} {v}' for k, v in e.fields.items()]
        out += Runner.warnings(e.warnings)

    @staticmethod
    def warnings(warnings):
        # Cassandra's advice against USE with prepared statements is about drivers and holds a statement id: left out.
        return [f'warning: {w}' for w in warnings if not w.startswith('`USE <keyspace>` with prepared')]

    @staticmethod
    def column(c):
        return f'{c[0]}.{c[1]} {quoted(c[2])} {type_name(c[3])}'

    def pages(self, out, s, page, call):
        """Rows of all pages. Where pages end is the server's affair (it may end with an empty one): only shown."""
        state, number, total, shown, breaks = None, 0, 0, [], []
        while True:
            try:
                r = call(state)
            except CqlError as e:
                self.show_error(out, e)
                return
            out += self.warnings(r.warnings)
            if r.kind != 'rows':
                if r.kind == 'schema_change':
                    out.append('schema change ' + ' '.join(r.change))
                elif r.kind == 'set_keyspace':
                    out.append('keyspace ' + r.keyspace)
                else:
                    out.append(r.kind)
                return
            if number == 0:
                out.append('columns')
                out += ['  ' + self.column(c) for c in r.columns]
            number += 1
            total += len(r.rows)
            breaks.append(str(len(r.rows)))
            if page and len(r.rows) > page:
                out.append(f'a page of {len(r.rows)} rows where {page} were asked for')
            masked = set((s.get('mask') or '').split())
            for row in r.rows:
                texts = []
                for c, b in zip(r.columns, row):
                    text = '<masked>' if b is not None and (c[2] in masked or '*' in masked) or c[2] + '?' in masked else show(c[3], b)
                    if s.get('mask-uuid') is not None:
                        text = UUID.sub('<uuid>', text)
                    texts.append(text)
                shown.append('  ' + ' | '.join(texts).replace('\n', '\n    '))
            if r.paging_state is None:
                break
            if number > 1000:
                out.append('more than 1000 pages')
                break
            state = r.paging_state
        out.append(f"{total} row{'' if total == 1 else 's'}")
        if page:
            out.append(f"# pages of {' '.join(breaks)} rows")
        out += sorted(shown) if s.get('sort') is not None else shown


def comparable(text):
    """Without the lines that are only for the reader."""
    return '\n'.join(x for x in text.split('\n') if not x.startswith('# '))


def read_out(path):
    """The recorded answers, by the statement's key."""
    out, key, lines = {}, None, []
    for line in path.read_text().split('\n'):
        if line.startswith('> '):
            if key is not None:
                out[key] = '\n'.join(lines).rstrip('\n')
            key, lines = line[2:], []
        else:
            lines.append(line)
    if key is not None:
        out[key] = '\n'.join(lines).rstrip('\n')
    return out


def keys(statements):
    """One line that names each statement: its text in one line, and (2), (3) ... where it repeats."""
    seen, out = {}, []
    for s in statements:
        text = re.sub(r'\s*\n\s*', ' ', s.text)
        text = text if len(text) <= 300 else text[:300] + '...'
        seen[text] = seen.get(text, 0) + 1
        out.append(text if seen[text] == 1 else f'{text} ({seen[text]})')
    return out


def out_path(path, version):
    own = path.with_suffix(f'.v{version}.out')
    return own if version != 5 else path.with_suffix('.out')


def answers(path, host, port, version):
    statements, _ = load(path)
    keyspace = 'golden_' + path.stem
    runner = Runner(host, port, version, keyspace)
    try:
        runner.reset_keyspace()
        runner.open(True)
        failure = None
    except (CqlError, ConnectionError, OSError) as e:
        failure = f'broken: keyspace {keyspace}: {e}'
    out = {}
    for key, s in zip(keys(statements), statements):
        if failure:
            out[key] = failure
            continue
        try:
            out[key] = runner.run(s)
        except (CqlError, ConnectionError, OSError) as e:
            failure = out[key] = f'broken: {type(e).__name__} {e}'
    if not failure:
        c = Connection(host, port, version, timeout_s=60)
        c.query(f'DROP KEYSPACE IF EXISTS {keyspace}')
        c.close()
    return out


def record(path, host, port):
    _, versions = load(path)
    base = None
    for version in versions:
        got = answers(path, host, port, version)
        text = ''.join(f'> {k}\n{v}\n\n' for k, v in got.items()).rstrip('\n') + '\n'
        target = out_path(path, version)
        if version != 5 and text == base:
            target.unlink(missing_ok=True)
        else:
            target.write_text(text)
        base = base or text
        print(f'recorded {path.name} v{version}: {len(got)} statements')


def expected_failures(path):
    if not path.exists():
        return set()
    return {x.strip() for x in path.read_text().split('\n') if x.strip() and not x.startswith('#')}


def compare(paths, host, port, expected, quiet=False, diff_lines=40):
    """(passed, failed, lines of the report)."""
    passed = failed = 0
    report, met, selected = [], set(), set()
    for path in paths:
        _, versions = load(path)
        for version in versions:
            name = path.stem if version == 5 else f'{path.stem}.v{version}'
            selected.add(name)
            recorded = out_path(path, version)
            recorded = recorded if recorded.exists() else out_path(path, 5)
            want = read_out(recorded)
            got = answers(path, host, port, version)
            for missing in [k for k in want if k not in got]:
                failed += 1
                report.append(f'{name}: {missing}\n  recorded but no longer in the .cql file: record anew')
            for key, text in got.items():
                label = f'{name}: {key}'
                same = key in want and comparable(text) == comparable(want[key])
                if label in expected:
                    met.add(label)
                    if same:
                        failed += 1
                        report.append(f'{label}\n  passes but is listed in expected_failures.txt: remove the line')
                    else:
                        passed += 1
                elif same:
                    passed += 1
                else:
                    failed += 1
                    diff = list(difflib.unified_diff(want.get(key, '(not recorded)').split('\n'), text.split('\n'),
                                                     'recorded', 'answered', lineterm='', n=2))
                    cut = diff[:diff_lines] + (['  ...'] if len(diff) > diff_lines else [])
                    report.append('\n'.join([label] + ['  ' + d for d in cut]))
    for label in sorted(expected - met):
        if label.split(':')[0] in selected:
            failed += 1
            report.append(f'{label}\n  is listed in expected_failures.txt but there is no such statement')
    return passed, failed, report


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--host', default='127.0.0.1')
    p.add_argument('--port', type=int, default=9042)
    p.add_argument('--expected-failures', type=pathlib.Path, default=HERE / 'expected_failures.txt')
    p.add_argument('--diff-lines', type=int, default=40)
    p.add_argument('--list-failures', action='store_true', help='print the labels of failures only')
    p.add_argument('files', nargs='*', type=pathlib.Path)
    a = p.parse_args()
    paths = a.files or sorted(HERE.glob('*.cql'))
    if os.environ.get('UPDATE') == '1':
        for path in paths:
            record(path, a.host, a.port)
        return 0
    passed, failed, report = compare(paths, a.host, a.port, expected_failures(a.expected_failures),
                                     diff_lines=a.diff_lines)
    for text in report:
        print(text.split('\n')[0] if a.list_failures else text + '\n')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
