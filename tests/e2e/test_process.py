"""The process: options, configuration errors, start, stop, one owner of a directory."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import cqlwire
import helenus


@pytest.fixture
def program():
    if os.environ.get('HELENUS_E2E_HOST'):
        pytest.skip('needs a process of its own')
    path = helenus.binary()
    assert path, 'no helenusd: build it or set HELENUSD'
    return str(path)


def run(program, *arguments, timeout=30):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def test_help_and_version(program):
    done = run(program, '--help')
    assert done.returncode == 0 and done.stderr == ''
    for option in ('--directory', '--config', '--native-transport-port', '--rpc-address', '--commitlog-sync', '--help', '--version'):
        assert option in done.stdout
    done = run(program, '--version')
    assert done.returncode == 0 and re.search(r'helenusd? \d+\.\d+', done.stdout, re.I) and len(done.stdout.split('\n')) <= 3


def test_print_config_is_a_configuration(program, tmp_path):
    done = run(program, '--directory', str(tmp_path / 'd'), '--native-transport-port', '12345', '--print-config')
    assert done.returncode == 0
    assert re.search(r'^native_transport_port: 12345$', done.stdout, re.M)
    path = tmp_path / 'helenus.yaml'
    path.write_text(done.stdout)
    again = run(program, '--directory', str(tmp_path / 'd'), '--config', str(path), '--print-config')
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert not (tmp_path / 'd').exists()


BAD_YAML = {
    'unknown option': ('cluster_name: x\nnative_transport_prot: 9042\n', 2, ('native_transport_prot', 'native_transport_port')),
    'not a number': ('native_transport_port: many\n', 1, ('native_transport_port',)),
    'out of range': ('native_transport_port: 99999\n', 1, ('native_transport_port',)),
    'wrong unit': ('\n\nread_request_timeout: 5 parsecs\n', 3, ('read_request_timeout',)),
    'not one of': ('commitlog_sync: sometimes\n', 1, ('commitlog_sync', 'group', 'periodic', 'batch')),
    'a list': ('cluster_name: [a, b]\n', 1, ('cluster_name',)),
    'not YAML': ('cluster_name: x\n  bad: [indent\n', None, ()),
    'twice': ('cluster_name: a\ncluster_name: b\n', 2, ('cluster_name',)),
}


@pytest.mark.parametrize('name', BAD_YAML)
def test_bad_configuration_is_one_clear_line(program, tmp_path, name):
    text, line, words = BAD_YAML[name]
    path = tmp_path / 'helenus.yaml'
    path.write_text(text)
    done = run(program, '--directory', str(tmp_path / 'd'), '--config', str(path))
    assert done.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT), done
    lines = done.stderr.strip().split('\n')
    assert len(lines) == 1, done.stderr
    assert 'helenus.yaml' in lines[0]
    if line:
        assert re.search(rf'(:|line ){line}\b', lines[0]), lines[0]
    for word in words:
        assert word in lines[0], lines[0]
    assert done.stdout == ''


@pytest.mark.parametrize('arguments, words', [
    ((), ('directory',)), (('--directory',), ('directory',)), (('--nosuch-option', '1'), ('nosuch-option',)),
    (('--directory', 'DIR', '--native-transport-prot', '1'), ('native-transport-prot', 'native-transport-port')),
    (('--directory', 'DIR', '--native-transport-port', 'x'), ('native-transport-port',)),
    (('--directory', 'DIR', '--config', '/nonexistent/x.yaml'), ('/nonexistent/x.yaml',)),
    (('--directory', 'DIR', 'word'), ('word',)), (('--directory', '/proc/nosuch/dir'), ('/proc/nosuch',)),
    (('--directory', '/etc/passwd'), ('/etc/passwd',)), (('--directory', 'DIR', '--rpc-address', '0.0.0.0'), ('allow-open-access',)),
    (('--directory', 'DIR', '--rpc-address', 'not an address'), ('not an address',))])
def test_bad_command_lines_are_one_clear_line(program, tmp_path, arguments, words):
    done = run(program, *[str(tmp_path / 'd') if a == 'DIR' else a for a in arguments])
    assert done.returncode in (1, 2), done
    assert len(done.stderr.strip().split('\n')) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_options_of_cassandra_are_accepted(make_node, tmp_path):
    """An option that Cassandra has and we need not is accepted with one warning line; units are Cassandra's."""
    path = tmp_path / 'helenus.yaml'
    path.write_text('cluster_name: of our own\nconcurrent_reads: 32\nread_request_timeout: 7s\nhints_directory: /x\n'
                    'native_transport_max_frame_size: 8MiB\ncompaction_throughput: 64MiB/s\n'
                    'seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n    parameters:\n'
                    '      - seeds: "127.0.0.1:7000"\n')
    node = make_node('--config', str(path))
    node.start()
    c = node.connect()
    assert c.query('SELECT cluster_name FROM system.local').rows == [[b'of our own']]
    settings = dict(c.query('SELECT name, value FROM system_views.settings').rows)
    assert settings[b'cluster_name'] == b'of our own'
    log = node.log_text()
    warnings = [x for x in log.split('\n') if 'concurrent_reads' in x]
    assert len(warnings) == 1 and 'WARN' in warnings[0], log


def test_the_port_is_taken(program, tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        done = run(program, '--directory', str(tmp_path / 'd'), '--native-transport-port', str(port))
    assert done.returncode == 1
    assert str(port) in done.stderr.strip().split('\n')[-1], done.stderr


def test_a_second_process_on_the_directory_is_refused(make_node, program):
    node = make_node()
    node.start()
    c = node.connect()
    second = run(program, '--directory', str(node.directory), '--native-transport-port', str(helenus.free_port()))
    assert second.returncode == 1
    assert str(node.directory) in second.stderr and len(second.stderr.strip().split('\n')) == 1, second.stderr
    assert c.query('SELECT key FROM system.local').rows == [[b'local']]
    node.kill()
    node.start()  # a killed owner holds nothing


def test_another_format_version_is_refused(make_node):
    node = make_node()
    node.start()
    node.terminate()
    changed = 0
    for path in node.directory.rglob('*'):
        if path.is_file() and path.stat().st_size < 4096 and 'version' in (path.name.lower() + path.read_bytes().decode('latin1').lower()):
            text = path.read_bytes()
            new = re.sub(rb'(version\D{0,3})\d+', rb'\g<1>999', text, count=1, flags=re.I)
            if new != text:
                path.write_bytes(new)
                changed += 1
    assert changed, 'no file of the directory states a version'
    with pytest.raises(RuntimeError) as e:
        node.start()
    assert '999' in str(e.value)


def test_says_that_it_serves(make_node):
    node = make_node()
    node.start()
    assert len(node.lines) == 1, node.lines
    assert str(node.port) in node.lines[0]
    c = node.connect()
    assert c.query('SELECT key FROM system.local').rows
    for line in node.log_text().strip().split('\n'):
        assert re.match(r'\S+.*(DEBUG|INFO|WARN|ERROR)', line) or line == '', f'a log line without a level: {line}'


def test_sd_notify(make_node, tmp_path):
    path = str(tmp_path / 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(30)
        node = make_node()
        node.start(env={'NOTIFY_SOCKET': path})
        assert b'READY=1' in s.recv(4096)
        node.terminate()
        assert b'STOPPING=1' in s.recv(4096)


@pytest.mark.parametrize('sig', [signal.SIGTERM, signal.SIGINT])
def test_drain(make_node, sig):
    """A stop request answers what was received, ends with status 0, and loses nothing."""
    node = make_node()
    node.start()
    c = node.connect(4)
    c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    c.query('CREATE TABLE ks.t (k int PRIMARY KEY, v int)')
    acknowledged, stop = set(), threading.Event()

    def write():
        d = node.connect(4)
        p = d.prepare('INSERT INTO ks.t (k, v) VALUES (?, ?)')
        k = 0
        try:
            while not stop.is_set():
                d.execute(p, [k.to_bytes(4, 'big'), k.to_bytes(4, 'big')])
                acknowledged.add(k)
                k += 1
        except (ConnectionError, OSError, cqlwire.CqlError):
            pass

    thread = threading.Thread(target=write)
    thread.start()
    while len(acknowledged) < 500:
        time.sleep(0.01)
    started = time.monotonic()
    assert node.kill(sig) == 0
    assert time.monotonic() - started < 20
    stop.set()
    thread.join()
    node.start()
    rows = {int.from_bytes(r[0], 'big') for r in node.connect().query('SELECT k FROM ks.t').rows}
    assert acknowledged <= rows and len(rows) <= len(acknowledged) + 1


def test_ignored_and_repeated_signals(make_node):
    node = make_node()
    node.start()
    for sig in (signal.SIGHUP, signal.SIGPIPE):
        if sig == signal.SIGHUP and 'SIGHUP' not in pathlib.Path(helenus.ROOT / 'server/run/main.c').read_text():
            continue
        node.process.send_signal(sig)
    time.sleep(0.2)
    assert node.alive()
    node.wanted_dead = True
    for _ in range(5):
        node.process.send_signal(signal.SIGTERM)
    assert node.process.wait(30) == 0


def test_two_nodes_on_one_machine(make_node):
    a, b = make_node(), make_node(host='127.0.0.2')
    a.start()
    b.start()
    for node in (a, b):
        c = node.connect()
        c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    ids = [n.connect().query('SELECT host_id FROM system.local').rows[0][0] for n in (a, b)]
    assert ids[0] != ids[1]


def test_directory_with_odd_names(make_node, tmp_path):
    node = make_node(directory_of_node=tmp_path / 'with space and ünicode' / 'node')
    node.start()
    node.kill()
    node.start()
    assert node.connect().query('SELECT key FROM system.local').rows
