"""A full disk: writes are refused with a clear error, reads go on, and writes again when space returns."""

import os
import pathlib
import struct
import subprocess
import tempfile
import time

import pytest

import cqlwire
import helenus

SIZE_MIB = 320


@pytest.fixture
def small_disk():
    """A file system of its own, SIZE_MIB large."""
    if os.environ.get('HELENUS_E2E_HOST'):
        pytest.skip('needs a process of its own')
    if os.geteuid() != 0:
        pytest.skip('only root may mount')
    with tempfile.TemporaryDirectory(prefix='helenus-disk.') as path:
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE_MIB}m', 'helenus-test', path], capture_output=True).returncode:
            pytest.skip('this machine does not let us mount')
        try:
            yield pathlib.Path(path)
        finally:
            for _ in range(50):
                if subprocess.run(['umount', path], capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)


def test_full_disk(make_node, small_disk):
    node = make_node(directory_of_node=small_disk / 'node')
    node.log = pathlib.Path(tempfile.gettempdir()) / f'helenus-full-disk-{os.getpid()}.log'
    try:
        node.start()
        c = node.connect()
        c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        c.query('CREATE TABLE ks.t (k int PRIMARY KEY, v blob)')
        p = c.prepare('INSERT INTO ks.t (k, v) VALUES (?, ?)')
        filler = small_disk / 'filler'
        free = os.statvfs(small_disk)
        room = free.f_bavail * free.f_frsize
        assert room > 100 << 20, f'an empty node takes {(SIZE_MIB << 20) - room} bytes'
        filler.write_bytes(bytes(room - (40 << 20)))
        acknowledged, error = [], None
        for k in range(40_000):
            try:
                c.execute(p, [struct.pack('>i', k), os.urandom(20_000)])
                acknowledged.append(k)
            except cqlwire.CqlError as e:
                error = e
                break
        assert error, f'{len(acknowledged)} rows of 20 kB went onto a disk with 40 MB of room'
        print(f'refused after {len(acknowledged)} rows: {error}')
        assert error.code in (0x0000, 0x1001, 0x1500, 0x1100, 0x2200)
        assert 'disk' in error.message.lower() or 'space' in error.message.lower()
        assert node.alive(), node.log_tail()

        def check_reads():
            d = node.connect()
            s = d.prepare('SELECT k FROM ks.t WHERE k = ?')
            for k in acknowledged[::50] + acknowledged[-3:]:
                assert d.execute(s, [struct.pack('>i', k)]).rows, k
            d.close()

        for _ in range(20):
            with pytest.raises(cqlwire.CqlError):
                c.execute(p, [struct.pack('>i', 999_999), os.urandom(500_000)])
        check_reads()
        filler.unlink()
        limit = time.monotonic() + 30
        while True:
            try:
                c.execute(p, [struct.pack('>i', 1_000_000), b'again'])
                break
            except cqlwire.CqlError as e:
                assert time.monotonic() < limit, f'writes are still refused: {e}'
                time.sleep(0.2)
        acknowledged.append(1_000_000)
        check_reads()
        node.kill()
        node.start()
        check_reads()
    finally:
        node.kill()
        node.log.unlink(missing_ok=True)


def test_start_on_a_full_disk(make_node, small_disk):
    """It either serves reads or says in one line why not; with space it starts with everything."""
    node = make_node(directory_of_node=small_disk / 'node')
    node.log = pathlib.Path(tempfile.gettempdir()) / f'helenus-full-disk-{os.getpid()}.log'
    try:
        node.start()
        c = node.connect()
        c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        c.query('CREATE TABLE ks.t (k int PRIMARY KEY, v blob)')
        for k in range(100):
            c.query(f'INSERT INTO ks.t (k, v) VALUES ({k}, 0x{"ab" * 1000})')
        node.kill()
        free = os.statvfs(small_disk)
        filler = small_disk / 'filler'
        filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
        try:
            node.start()
            assert len(node.connect().query('SELECT k FROM ks.t').rows) == 100
            node.kill()
        except RuntimeError as e:
            assert 'space' in str(e).lower() or 'disk' in str(e).lower(), e
        filler.unlink()
        node.start()
        assert len(node.connect().query('SELECT k FROM ks.t').rows) == 100
    finally:
        node.kill()
        node.log.unlink(missing_ok=True)
