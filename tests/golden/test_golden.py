"""Runs the goldens on a helenusd of its own, a test a file (and protocol version)."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'e2e')]
import run  # noqa: E402
from helenus import target  # noqa: E402


@pytest.fixture(scope='module')
def address():
    with target() as server:
        yield server.host, server.port


@pytest.mark.parametrize('path', sorted(HERE.glob('*.cql')), ids=lambda p: p.stem)
def test_golden(address, path):
    passed, failed, report = run.compare([path], *address, run.expected_failures(HERE / 'expected_failures.txt'))
    print(f'{path.name}: {passed} passed, {failed} failed')
    assert not failed, '\n\n'.join(report[:40]) + f'\n{passed} passed, {failed} failed'
