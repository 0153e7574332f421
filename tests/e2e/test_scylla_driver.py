"""ScyllaDB's Python driver, which is shard-aware, in an environment of its own."""

import subprocess

import pytest

import helenus

PYTHON = helenus.ROOT / '.venv-scylla/bin/python'


@pytest.mark.skipif(not PYTHON.exists(), reason='no .venv-scylla: run tools/setup')
def test_scylla_driver(server, keyspace):
    command = [PYTHON, helenus.HERE / 'scylla_client.py', server.host, str(server.port), keyspace]
    done = subprocess.run(command + ['sharded'] * server.controlled, capture_output=True, text=True, timeout=200)
    print(done.stdout)
    assert done.returncode == 0 and done.stdout.endswith('ok\n'), done.stdout + done.stderr
    assert 'reconnect' not in done.stderr.lower(), done.stderr
