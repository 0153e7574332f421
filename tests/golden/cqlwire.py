"""A small CQL native protocol client (v3, v4, v5) for tests.

Why not a driver: the goldens and the hostile-input tests need exactly what the server sent, byte for
byte: raw values, all metadata, every field of an error, warnings. Drivers hide or reinterpret those.
It speaks to any CQL server, blocks, serves one request at a time and keeps no state but the socket.
Written against native_protocol_v5.spec; no dependencies.
"""

import socket
import struct
import zlib

OP = dict(ERROR=0, STARTUP=1, READY=2, AUTHENTICATE=3, OPTIONS=5, SUPPORTED=6, QUERY=7, RESULT=8, PREPARE=9,
          EXECUTE=10, REGISTER=11, EVENT=12, BATCH=13, AUTH_CHALLENGE=14, AUTH_RESPONSE=15, AUTH_SUCCESS=16)
CL = dict(ANY=0, ONE=1, TWO=2, THREE=3, QUORUM=4, ALL=5, LOCAL_QUORUM=6, EACH_QUORUM=7, SERIAL=8,
          LOCAL_SERIAL=9, LOCAL_ONE=10)
CL_NAMES = {v: k for k, v in CL.items()}
ERRORS = {0x0000: 'ServerError', 0x000A: 'ProtocolError', 0x0100: 'BadCredentials', 0x1000: 'Unavailable',
          0x1001: 'Overloaded', 0x1002: 'IsBootstrapping', 0x1003: 'TruncateError', 0x1100: 'WriteTimeout',
          0x1200: 'ReadTimeout', 0x1300: 'ReadFailure', 0x1400: 'FunctionFailure', 0x1500: 'WriteFailure',
          0x1600: 'CdcWriteFailure', 0x1700: 'CasWriteUnknown', 0x2000: 'SyntaxError', 0x2100: 'Unauthorized',
          0x2200: 'Invalid', 0x2300: 'ConfigError', 0x2400: 'AlreadyExists', 0x2500: 'Unprepared'}
NATIVE = {1: 'ascii', 2: 'bigint', 3: 'blob', 4: 'boolean', 5: 'counter', 6: 'decimal', 7: 'double', 8: 'float',
          9: 'int', 10: 'text', 11: 'timestamp', 12: 'uuid', 13: 'text', 14: 'varint', 15: 'timeuuid', 16: 'inet',
          17: 'date', 18: 'time', 19: 'smallint', 20: 'tinyint', 21: 'duration'}
UNSET = object()


def crc24(data):
    """CRC-24 of a v5 frame header as the protocol specification defines it (polynomial 0x1974F0B)."""
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc & 0xFFFFFF


def crc32(data):
    """CRC-32 of a v5 payload: zlib's, started with the four bytes FA 2D 55 CA."""
    return zlib.crc32(data, zlib.crc32(b'\xfa\x2d\x55\xca')) & 0xFFFFFFFF


def frame_v5(payload, self_contained=True):
    header = (len(payload) | (int(self_contained) << 17)).to_bytes(3, 'little')
    return header + crc24(header).to_bytes(3, 'little') + payload + crc32(payload).to_bytes(4, 'little')


def envelope(version, opcode, body=b'', stream=1, flags=0):
    return struct.pack('>BBhBi', version, flags, stream, opcode, len(body)) + body


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def take(self, n):
        if n < 0 or self.pos + n > len(self.data):
            raise ValueError(f'need {n} bytes at {self.pos} of {len(self.data)}')
        out = self.data[self.pos:self.pos + n]
        self.pos += n
        return out

    def byte(self): return self.take(1)[0]
    def short(self): return struct.unpack('>H', self.take(2))[0]
    def int(self): return struct.unpack('>i', self.take(4))[0]
    def uint(self): return struct.unpack('>I', self.take(4))[0]
    def string(self): return self.take(self.short()).decode()
    def long_string(self): return self.take(self.int()).decode()
    def strings(self): return [self.string() for _ in range(self.short())]
    def short_bytes(self): return self.take(self.short())
    def multimap(self): return {self.string(): self.strings() for _ in range(self.short())}

    def bytes(self):
        n = self.int()
        return None if n < 0 else self.take(n)

    def type(self):
        """A type as nested tuples: ('int',) ('list', t) ('map', k, v) ('udt', ks, name, [(field, t)]) ('tuple', [t])."""
        code = self.short()
        if code == 0:
            return ('custom', self.string())
        if code in NATIVE:
            return (NATIVE[code],)
        if code == 32:
            return ('list', self.type())
        if code == 33:
            return ('map', self.type(), self.type())
        if code == 34:
            return ('set', self.type())
        if code == 48:
            ks, name = self.string(), self.string()
            return ('udt', ks, name, [(self.string(), self.type()) for _ in range(self.short())])
        if code == 49:
            return ('tuple', [self.type() for _ in range(self.short())])
        raise ValueError(f'unknown type {code}')


def string(s):
    data = s if isinstance(s, bytes) else s.encode()
    return struct.pack('>H', len(data)) + data


def long_string(s):
    data = s if isinstance(s, bytes) else s.encode()
    return struct.pack('>i', len(data)) + data


def value(v):
    if v is None:
        return b'\xff\xff\xff\xff'
    if v is UNSET:
        return b'\xff\xff\xff\xfe'
    return struct.pack('>i', len(v)) + v


class CqlError(Exception):
    def __init__(self, code, message, fields, warnings=()):
        super().__init__(f'{ERRORS.get(code, hex(code))}: {message}')
        self.code, self.message, self.fields, self.warnings = code, message, fields, list(warnings)


class Result:
    """kind: void rows set_keyspace prepared schema_change. columns: (ks, table, name, type). rows: lists of bytes|None."""
    def __init__(self, kind):
        self.kind, self.columns, self.rows, self.warnings = kind, [], [], []
        self.paging_state = self.keyspace = self.change = self.query_id = self.metadata_id = None
        self.new_metadata_id = None
        self.bind, self.pk_indexes, self.no_metadata = [], [], False


class Connection:
    def __init__(self, host, port, version=5, timeout_s=30, startup=True, options=None):
        self.version = version
        self.sock = socket.create_connection((host, port), timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''          # bytes from the socket not yet taken
        self.inner = b''           # v5: bytes of envelopes out of frames
        self.framed = False
        self.events = []
        if startup:
            opcode, _, body = self.request(OP['STARTUP'], self.string_map({'CQL_VERSION': '3.0.0', **(options or {})}))
            if opcode == OP['ERROR']:
                raise self.error(Reader(body), [])
            assert opcode == OP['READY'], opcode
            self.framed = version >= 5

    def close(self):
        self.sock.close()

    @staticmethod
    def string_map(m):
        return struct.pack('>H', len(m)) + b''.join(string(k) + string(v) for k, v in m.items())

    # --- bytes ---
    def fill(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionError('the server closed the connection')
        self.buffer += data

    def exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def envelope_bytes(self, n):
        if not self.framed:
            return self.exactly(n)
        while len(self.inner) < n:
            header = self.exactly(6)
            if crc24(header[:3]) != int.from_bytes(header[3:], 'little'):
                raise ValueError('bad header CRC from the server')
            length = int.from_bytes(header[:3], 'little') & 0x1FFFF
            payload = self.exactly(length)
            if crc32(payload) != int.from_bytes(self.exactly(4), 'little'):
                raise ValueError('bad payload CRC from the server')
            self.inner += payload
        out, self.inner = self.inner[:n], self.inner[n:]
        return out

    def send(self, opcode, body, stream=1, flags=0):
        data = envelope(self.version, opcode, body, stream, flags)
        if not self.framed:
            self.sock.sendall(data)
        elif len(data) <= 0x1FFFF:
            self.sock.sendall(frame_v5(data))
        else:
            for i in range(0, len(data), 0x1FFFF):
                self.sock.sendall(frame_v5(data[i:i + 0x1FFFF], False))

    def receive(self):
        """One envelope: (version byte, flags, stream, opcode, body). Raises ConnectionError when closed."""
        version, flags, stream, opcode, length = struct.unpack('>BBhBi', self.envelope_bytes(9))
        return version, flags, stream, opcode, self.envelope_bytes(length)

    def request(self, opcode, body=b''):
        self.send(opcode, body)
        while True:
            _, flags, stream, op, answer = self.receive()
            if stream == -1 and op == OP['EVENT']:
                self.events.append(self.event(Reader(answer)))
                continue
            return op, flags, answer

    @staticmethod
    def event(r):
        kind = r.string()
        if kind == 'SCHEMA_CHANGE':
            return (kind,) + Connection.change(r)
        return kind, r.string()

    @staticmethod
    def change(r):
        what, target = r.string(), r.string()
        names = [r.string()]
        if target != 'KEYSPACE':
            names.append(r.string())
        if target in ('FUNCTION', 'AGGREGATE'):
            names += r.strings()
        return (what, target, *names)

    # --- requests ---
    def call(self, opcode, body, known_columns=None):
        op, flags, answer = self.request(opcode, body)
        r = Reader(answer)
        if flags & 2:
            r.take(16)
        warnings = r.strings() if flags & 8 else []
        if flags & 4:
            {r.string(): r.bytes() for _ in range(r.short())}
        if op == OP['ERROR']:
            raise self.error(r, warnings)
        if op != OP['RESULT']:
            raise ValueError(f'opcode {op}')
        out = self.result(r, known_columns)
        out.warnings = warnings
        return out

    def params(self, cl, values, names, page_size, paging_state, serial, timestamp, keyspace, skip_metadata):
        flags, tail = 0, b''
        if values is not None:
            flags |= 1
            if names:
                flags |= 0x40
                tail += struct.pack('>H', len(values)) + b''.join(string(n) + value(v) for n, v in zip(names, values))
            else:
                tail += struct.pack('>H', len(values)) + b''.join(map(value, values))
        if skip_metadata:
            flags |= 2
        if page_size:
            flags |= 4
            tail += struct.pack('>i', page_size)
        if paging_state is not None:
            flags |= 8
            tail += value(paging_state)
        if serial is not None:
            flags |= 0x10
            tail += struct.pack('>H', CL[serial])
        if timestamp is not None:
            flags |= 0x20
            tail += struct.pack('>q', timestamp)
        if keyspace is not None:
            flags |= 0x80
            tail += string(keyspace)
        return struct.pack('>H', CL[cl]) + struct.pack('>I' if self.version >= 5 else '>B', flags) + tail

    def query(self, text, values=None, names=None, cl='ONE', page_size=0, paging_state=None, serial=None,
              timestamp=None, keyspace=None):
        return self.call(OP['QUERY'], long_string(text) + self.params(
            cl, values, names, page_size, paging_state, serial, timestamp, keyspace, False))

    def prepare(self, text, keyspace=None):
        body = long_string(text)
        if self.version >= 5:
            body += struct.pack('>I', 0 if keyspace is None else 1)
            body += string(keyspace) if keyspace is not None else b''
        return self.call(OP['PREPARE'], body)

    def execute(self, prepared, values=None, names=None, cl='ONE', page_size=0, paging_state=None, serial=None,
                timestamp=None, keyspace=None, skip_metadata=False):
        body = string(prepared.query_id)
        if self.version >= 5:
            body += string(prepared.metadata_id)
        body += self.params(cl, values, names, page_size, paging_state, serial, timestamp, keyspace, skip_metadata)
        return self.call(OP['EXECUTE'], body, prepared.columns)

    def batch(self, entries, kind=0, cl='ONE', serial=None, timestamp=None, keyspace=None):
        """entries: (text or prepared Result, [values])."""
        body = struct.pack('>BH', kind, len(entries))
        for what, values in entries:
            body += b'\0' + long_string(what) if isinstance(what, str) else b'\1' + string(what.query_id)
            body += struct.pack('>H', len(values)) + b''.join(map(value, values))
        flags, tail = 0, b''
        if serial is not None:
            flags |= 0x10
            tail += struct.pack('>H', CL[serial])
        if timestamp is not None:
            flags |= 0x20
            tail += struct.pack('>q', timestamp)
        if keyspace is not None:
            flags |= 0x80
            tail += string(keyspace)
        body += struct.pack('>H', CL[cl]) + struct.pack('>I' if self.version >= 5 else '>B', flags) + tail
        return self.call(OP['BATCH'], body)

    def register(self, *kinds):
        op, _, _ = self.request(OP['REGISTER'], struct.pack('>H', len(kinds)) + b''.join(map(string, kinds)))
        assert op == OP['READY'], op

    def options(self):
        op, _, body = self.request(OP['OPTIONS'])
        assert op == OP['SUPPORTED'], op
        return Reader(body).multimap()

    # --- answers ---
    def error(self, r, warnings):
        code, message, f = r.int(), r.string(), {}
        if code == 0x1000:
            f = dict(cl=CL_NAMES[r.short()], required=r.int(), alive=r.int())
        elif code in (0x1100, 0x1200, 0x1300, 0x1500):
            f = dict(cl=CL_NAMES[r.short()], received=r.int(), required=r.int())
            if code in (0x1300, 0x1500):
                n = r.int()
                f['failures'] = n
                if self.version >= 5:
                    f['reasons'] = [(r.take(r.byte()).hex(), r.short()) for _ in range(n)]
            if code in (0x1100, 0x1500):
                f['write_type'] = r.string()
            else:
                f['data_present'] = r.byte()
        elif code == 0x1400:
            f = dict(keyspace=r.string(), function=r.string(), args=r.strings())
        elif code == 0x2400:
            f = dict(keyspace=r.string(), table=r.string())
        elif code == 0x2500:
            f = dict(id=r.short_bytes().hex())
        if r.pos != len(r.data) and code not in (0x1100, 0x1700):
            f['extra_bytes'] = r.data[r.pos:].hex()
        return CqlError(code, message, f, warnings)

    def metadata(self, r, out, prepared=False):
        flags, count = r.uint(), r.int()
        pk = []
        if prepared and self.version >= 4:
            pk = [r.short() for _ in range(r.int())]
        if flags & 2:
            out.paging_state = r.bytes()
        if flags & 8:
            out.new_metadata_id = r.short_bytes()
        columns = []
        if flags & 4:
            out.no_metadata = True
            return [None] * count, pk
        spec = (r.string(), r.string()) if flags & 1 and (count or not prepared) else None
        for _ in range(count):
            ks, table = spec or (r.string(), r.string())
            columns.append((ks, table, r.string(), r.type()))
        return columns, pk

    def result(self, r, known_columns):
        kind = r.int()
        out = Result({1: 'void', 2: 'rows', 3: 'set_keyspace', 4: 'prepared', 5: 'schema_change'}[kind])
        if kind == 2:
            columns, _ = self.metadata(r, out)
            width = len(columns)
            out.columns = known_columns if out.no_metadata else columns
            out.rows = [[r.bytes() for _ in range(width)] for _ in range(r.int())]
        elif kind == 3:
            out.keyspace = r.string()
        elif kind == 4:
            out.query_id = r.short_bytes()
            if self.version >= 5:
                out.metadata_id = r.short_bytes()
            out.bind, out.pk_indexes = self.metadata(r, out, prepared=True)
            out.columns, _ = self.metadata(r, out)
        elif kind == 5:
            out.change = self.change(r)
        if r.pos != len(r.data):
            raise ValueError(f'{len(r.data) - r.pos} bytes left over in a {out.kind} result')
        return out
