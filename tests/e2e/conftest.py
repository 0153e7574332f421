import contextlib
import itertools
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import helenus  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line('markers', 'long: takes minutes; left out of the quick tier (-m "not long")')


@pytest.fixture(scope='session')
def server():
    """A node that tests share; they keep to keyspaces of their own."""
    with helenus.target() as s:
        yield s


@pytest.fixture(autouse=True)
def still_alive(request):
    """No test may leave the shared server dead."""
    yield
    if 'server' in request.fixturenames or 'cql' in request.fixturenames:
        s = request.getfixturevalue('server')
        problems = s.problems()
        assert not problems, problems


@pytest.fixture
def make_node():
    """Makes stopped nodes, each in a directory of its own; ended and removed afterwards."""
    if os.environ.get('HELENUS_E2E_HOST'):
        pytest.skip('needs a process of its own')
    directory = pathlib.Path(tempfile.mkdtemp(prefix='helenus-e2e.', dir=helenus.scratch_root()))
    nodes = []

    def make(*options, directory_of_node=None, **named):
        node = helenus.Node(directory_of_node or directory / f'node{len(nodes)}', options, **named)
        nodes.append(node)
        return node

    yield make
    problems = []
    for node in nodes:
        problems.append(node.problems())
        with contextlib.suppress(Exception):
            node.kill()
    shutil.rmtree(directory, ignore_errors=True)
    problems = [p for p in problems if p]
    assert not problems, problems[0]


@pytest.fixture
def node(make_node):
    return make_node()


_numbers = itertools.count(1)


def cluster_on(server, **options):
    from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
    from cassandra.policies import RoundRobinPolicy
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    options.setdefault('protocol_version', 5)
    if options['protocol_version'] is None:
        del options['protocol_version']
    return Cluster([server.host], port=server.port, execution_profiles={EXEC_PROFILE_DEFAULT: profile},
                   connect_timeout=30, control_connection_timeout=30, **options)


@pytest.fixture
def driver(server):
    """Opens Python driver clusters on the shared server; closed afterwards."""
    opened = []

    def open_(**options):
        cluster = cluster_on(options.pop('on', server), **options)
        opened.append(cluster)
        return cluster.connect()

    yield open_
    for cluster in opened:
        cluster.shutdown()


@pytest.fixture
def keyspace(server):
    """The name of a keyspace made for the test and dropped afterwards."""
    name = f'e2e_{os.getpid()}_{next(_numbers)}'
    c = server.connect()
    c.query(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    yield name
    if server.alive():
        c = server.connect()
        c.query(f'DROP KEYSPACE IF EXISTS {name}')
        c.close()


@pytest.fixture
def cql(driver, keyspace):
    """A Python driver session (protocol 5) in a keyspace of its own."""
    session = driver()
    session.set_keyspace(keyspace)
    return session
