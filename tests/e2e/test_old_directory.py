"""Directories that earlier versions wrote (directories/*.tar.gz) open with this one and hold every row."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

DIRECTORIES = sorted((pathlib.Path(__file__).resolve().parent / 'directories').glob('*.tar.gz'))


def test_directories_are_recorded():
    assert DIRECTORIES


@pytest.fixture(params=DIRECTORIES, ids=lambda p: p.name.split('.')[0])
def recorded(request, tmp_path):
    subprocess.run(['tar', '--extract', '--file', request.param, '-C', tmp_path], check=True)
    return tmp_path


def differences(connection, answers):
    wrong = []
    for answer in answers:
        rows = [[v if v is None else v.hex() for v in row] for row in connection.query(answer['query']).rows]
        if rows != answer['rows']:
            wrong.append((answer['query'][:100], len(answer['rows']), len(rows), [r for r in rows if r not in answer['rows']][:3]))
    return wrong


def test_every_row_is_there(make_node, recorded):
    answers = json.loads((recorded / 'answers.json').read_text())
    assert sum(len(a['rows']) for a in answers) > 300
    node = make_node('--cluster-name', 'recorded', directory_of_node=recorded / 'data')
    for restart in ('after a kill', 'after a flush', 'after another kill'):
        node.start()
        c = node.connect()
        assert not differences(c, answers), restart
        # It can be written to as well.
        c.query(f"INSERT INTO ks.truncated (k, v) VALUES (1000, {len(restart)})")
        assert c.query('SELECT v FROM ks.truncated WHERE k = 1000').rows == [[len(restart).to_bytes(4, 'big')]]
        c.query('DELETE FROM ks.truncated WHERE k = 1000')
        c.close()
        if restart == 'after a kill':
            assert node.terminate() == 0
        else:
            node.kill()


def test_the_check_finds_a_lost_commit_log(make_node, recorded):
    """The proof that the test looks: without the log, what only it held is missed."""
    shutil.rmtree(recorded / 'data' / 'commitlog')
    node = make_node('--cluster-name', 'recorded', directory_of_node=recorded / 'data')
    try:
        node.start()
    except RuntimeError:
        return  # refused: as good
    assert differences(node.connect(), json.loads((recorded / 'answers.json').read_text()))


def test_a_later_format_is_refused(make_node, recorded):
    path = recorded / 'data' / 'format'
    path.write_text(re.sub(r'version \d+', 'version 999', path.read_text()))
    node = make_node(directory_of_node=recorded / 'data')
    with pytest.raises(RuntimeError) as e:
        node.start()
    assert 'version 999' in str(e.value)
