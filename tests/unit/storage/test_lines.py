import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.storage.lines import LineFile, read_lines


def _write(path, *records):
    file = LineFile(path, read_lines(path)[1])
    for record in records:
        file.append(record)
    file.close()


def test_reads_back_what_was_appended_over_several_openings(tmp_path):
    path = tmp_path / "j"
    _write(path, {"kind": "a", "text": "Ä\n"}, {"kind": "b"})
    _write(path, {"kind": "c"})
    records, size = read_lines(path)
    assert [r["kind"] for r in records] == ["a", "b", "c"]
    assert records[0]["text"] == "Ä\n"
    assert size == path.stat().st_size


def test_a_missing_file_has_no_records(tmp_path):
    assert read_lines(tmp_path / "none") == ([], 0)


@pytest.mark.parametrize("torn", [b'{"kind": "tri', b'{"kind":"x"}', b"\x00\x00\n", b"\xff"])
def test_a_torn_last_line_is_cut_off_before_the_next_is_written(tmp_path, torn):
    path = tmp_path / "j"
    _write(path, {"kind": "a"})
    with path.open("ab") as file:
        file.write(torn)
    assert [r["kind"] for r in read_lines(path)[0]] == ["a"]
    _write(path, {"kind": "b"})
    assert path.read_bytes() == b'{"kind":"a"}\n{"kind":"b"}\n'


def test_every_cut_of_a_file_keeps_the_whole_lines_before_it(tmp_path):
    path = tmp_path / "j"
    _write(path, {"kind": "a"}, {"kind": "b"}, {"kind": "c"})
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert len(read_lines(path)[0]) == whole[:size].count(b"\n")


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    path = tmp_path / "j"
    path.write_bytes(b'{"kind":"a"}\nrubbish\n{"kind":"b"}\n')
    with pytest.raises(FormatError, match="line 2"):
        read_lines(path)


def test_a_file_that_cannot_be_opened_names_itself_and_the_way_out(tmp_path):
    with pytest.raises(ConfigError, match=r"journal .*missing.*-o"):
        LineFile(tmp_path / "missing" / "j", 0).append({"kind": "a"})


def test_a_folder_in_place_of_the_file_is_an_input_error(tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        read_lines(tmp_path)


def test_a_file_is_made_by_its_first_record(tmp_path):
    _write(tmp_path / "j")
    assert not (tmp_path / "j").exists()
