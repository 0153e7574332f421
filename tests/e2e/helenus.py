"""Finds, starts, kills and watches helenusd for the end-to-end tests.

A test asks for one of three things (conftest.py): `server`, a node that many tests share; `node`, a stopped node of
its own which it may start, kill and start again; `cql`, a Python driver session on the shared node with a keyspace
of its own. With HELENUS_E2E_HOST=host:port the shared node is a server that runs already (to prove the tests on a real
Cassandra); tests that must control the process are then skipped.
"""

import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / 'golden'))
import cqlwire  # noqa: E402

START_LIMIT_S = 30


def binary():
    """The helenusd to test: $HELENUSD, or the newest release build, or the newest other one."""
    named = os.environ.get('HELENUSD')
    if named:
        if not os.access(named, os.X_OK):
            raise FileNotFoundError(f'HELENUSD={named} is not a program')
        return pathlib.Path(named)
    for pattern in ('build/release/bin/helenusd', 'build/release/**/helenusd', 'build/*/**/helenusd'):
        found = [p for p in ROOT.glob(pattern) if p.is_file() and os.access(p, os.X_OK)]
        if found:
            return max(found, key=lambda p: p.stat().st_mtime)
    return None


def sanitized(path):
    """Whether the program was built with a sanitizer: its times and sizes say nothing then."""
    data = pathlib.Path(path).read_bytes()
    return b'__asan_init' in data or b'__tsan_init' in data


def valgrind():
    return bool(os.environ.get('HELENUS_UNDER'))


_ports = random.Random(os.getpid() ^ time.time_ns())
_ports_given = set()


def free_port(host='127.0.0.1'):
    """A port nobody listens on, below those that outgoing connections take, so that it stays free through restarts."""
    while True:
        port = _ports.randrange(12_000, 32_000)
        if port in _ports_given:
            continue
        with socket.socket() as s:
            try:
                s.bind((host, port))
            except OSError:
                continue
        _ports_given.add(port)
        return port


def raise_open_files():
    """As many open files for this process as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard < 65536:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
            return 65536
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class External:
    """A server that somebody else runs."""
    controlled = False

    def __init__(self, host, port):
        self.host, self.port = host, port

    def alive(self):
        return True

    def connect(self, version=5, **options):
        return cqlwire.Connection(self.host, self.port, version, **options)

    def problems(self):
        return None


class Node:
    """One helenusd: its directory outlives its process."""
    controlled = True
    host = '127.0.0.1'

    def __init__(self, directory, options=(), host='127.0.0.1', program=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.options = list(options)
        self.host = host
        self.program = str(program or binary())
        self.log = self.directory.with_name(self.directory.name + '.log')
        self.process = None
        self.port = free_port(host)
        self.shard_port = free_port(host)
        self.lines = []
        self.started_s = None
        self.wanted_dead = True

    def command(self):
        command = [self.program, '--directory', str(self.directory), '--rpc-address', self.host,
                   '--native-transport-port', str(self.port)]
        if shard_aware_option(self.program):
            command += ['--native-shard-aware-transport-port', str(self.shard_port)]
        return command + self.options

    def start(self, wait=True, env=None):
        """Starts the process and returns when it says that it serves. Raises with the end of its log otherwise."""
        assert self.process is None or self.process.poll() is not None
        self.lines = []
        self.wanted_dead = False
        self.launched = time.monotonic()
        log = open(self.log, 'ab')
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                        env={**os.environ, **(env or {})}, start_new_session=True)
        log.close()
        self.serving = threading.Event()
        self.reader = threading.Thread(target=self.read_stdout, args=(self.process,), daemon=True)
        self.reader.start()
        if wait:
            if not self.serving.wait(START_LIMIT_S):
                self.wanted_dead = True
                status = self.process.poll()
                self.kill()
                raise RuntimeError(f'helenusd said nothing about serving (status {status}); the end of its log:\n'
                                   + self.log_tail())
            if not self.lines or 'serv' not in self.lines[-1].lower():
                self.wanted_dead = True
                self.process.wait(START_LIMIT_S)
                raise RuntimeError(f'helenusd ended with status {self.process.poll()}:\n' + self.log_tail())
        return self

    def read_stdout(self, process):
        for line in process.stdout:
            text = line.decode(errors='replace').rstrip('\n')
            self.lines.append(text)
            if 'serv' in text.lower():
                self.started_s = time.monotonic() - self.launched
                self.serving.set()
        self.serving.set()  # the end: nobody need wait any longer

    def first_answer(self):
        """Starts the process without waiting and returns the seconds from launch to the first answered query."""
        self.start(wait=False)
        limit = time.monotonic() + START_LIMIT_S
        while True:
            try:
                c = cqlwire.Connection(self.host, self.port, 4, timeout_s=START_LIMIT_S)
                try:
                    c.query('SELECT release_version FROM system.local')
                    return time.monotonic() - self.launched
                finally:
                    c.close()
            except (ConnectionError, OSError):
                if self.process.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError('helenusd did not answer:\n' + self.log_tail()) from None
                time.sleep(0.0005)

    def kill(self, sig=signal.SIGKILL, limit_s=60):
        """Ends the process with a signal and returns its exit status."""
        self.wanted_dead = True
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        status = self.process.wait(limit_s)
        self.reader.join(5)
        self.process.stdout.close()
        return status

    def terminate(self, limit_s=60):
        return self.kill(signal.SIGTERM, limit_s)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def connect(self, version=5, **options):
        return cqlwire.Connection(self.host, self.port, version, **options)

    def rss_bytes(self):
        for line in pathlib.Path(f'/proc/{self.process.pid}/status').read_text().split('\n'):
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
        raise ValueError('no VmRSS')

    def log_text(self):
        return self.log.read_text(errors='replace') if self.log.exists() else ''

    def log_tail(self, lines=40):
        return '\n'.join(self.log_text().split('\n')[-lines:] + self.lines[-5:])

    def problems(self):
        """What went wrong with the process, or None: it died without being told to, or a sanitizer spoke."""
        if not self.wanted_dead and not self.alive():
            return f'helenusd died with status {self.process.poll()}:\n{self.log_tail(80)}'
        text = self.log_text()
        for word in ('ERROR: AddressSanitizer', 'runtime error:', 'WARNING: ThreadSanitizer', 'ERROR: LeakSanitizer'):
            if word in text:
                at = text.index(word)
                return f'{word} in the log:\n{text[max(0, at - 200):at + 4000]}'
        return None


_help = {}


def help_text(program):
    if program not in _help:
        _help[program] = subprocess.run([program, '--help'], capture_output=True, text=True, timeout=30).stdout
    return _help[program]


def shard_aware_option(program):
    return '--native-shard-aware-transport-port' in help_text(program)


def scratch_root():
    """Where nodes keep their data: $TMPDIR, or /tmp."""
    return pathlib.Path(tempfile.gettempdir())


@contextlib.contextmanager
def target(options=()):
    """The shared server of a test run: the one that HELENUS_E2E_HOST names, or a node of our own."""
    named = os.environ.get('HELENUS_E2E_HOST')
    if named:
        host, _, port = named.rpartition(':')
        yield External(host, int(port))
        return
    if binary() is None:
        raise RuntimeError('no helenusd: build it (cmake --build --preset release) or set HELENUSD')
    directory = pathlib.Path(tempfile.mkdtemp(prefix='helenus-e2e.', dir=scratch_root()))
    node = Node(directory / 'node', options)
    try:
        yield node.start()
    finally:
        node.terminate()
        problems = node.problems()
        shutil.rmtree(directory, ignore_errors=True)
        if problems:
            raise RuntimeError(problems)
