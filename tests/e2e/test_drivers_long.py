"""The Java, Go and Node.js drivers: programs in java/, go/ and node/ that connect, read the schema back, prepare, send every
type to and fro, page, batch and provoke errors. Their dependencies come from their registries on first use."""

import shutil
import subprocess

import pytest

import helenus

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def run(directory, commands):
    for command in commands:
        if not shutil.which(command[0]):
            pytest.skip(f'{command[0]} is not installed')
        done = subprocess.run(command, cwd=helenus.HERE / directory, capture_output=True, text=True, timeout=1000)
        assert done.returncode == 0, f'{command}:\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}'
    print(done.stdout)
    assert 'ok' in done.stdout.split('\n'), done.stdout


def test_java(server):
    run('java', [['mvn', '-q', '-B', 'compile', 'exec:java', f'-Dexec.args={server.host} {server.port}']])


def test_go(server, tmp_path):
    run('go', [['go', 'build', '-o', str(tmp_path / 'client'), '.'], [str(tmp_path / 'client'), server.host, str(server.port)]])


def test_node(server):
    run('node', [['npm', 'ci', '--no-audit', '--no-fund'], ['node', 'main.js', server.host, str(server.port)]])
