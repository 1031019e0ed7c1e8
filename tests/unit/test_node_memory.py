"""What a machine remembers: as a whole, and never wrongly."""

import pytest
from corral_node.errors import NodeError
from corral_node.memory import Memory


def test_a_new_machine_remembers_nothing(tmp_path):
    memory = Memory(tmp_path)

    assert (memory.parked_host, memory.told) == ("", {})


def test_what_is_noted_is_there_for_the_next_run(tmp_path):
    Memory(tmp_path).park("1h5")
    Memory(tmp_path).note_told("join", {"b", "a"})

    assert Memory(tmp_path).parked_host == "1h5"
    assert Memory(tmp_path).told == {"join": frozenset("ab")}


def test_what_is_over_is_forgotten(tmp_path):
    memory = Memory(tmp_path)
    memory.park("1h5")
    memory.note_told("join", {"a"})

    memory.unpark()
    memory.note_told("join", ())

    assert (memory.parked_host, memory.told) == ("", {})


def test_a_machine_that_parked_nothing_writes_nothing(tmp_path):
    Memory(tmp_path).unpark()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}', '{"told": [], "parked_host": 1}'])
def test_a_file_of_another_form_counts_as_empty(tmp_path, caplog, text):
    (tmp_path / "memory.json").write_text(text)
    memory = Memory(tmp_path)

    assert (memory.parked_host, memory.told) == ("", {})
    assert "counts as empty" in caplog.text
    memory.park("1h5")
    assert memory.parked_host == "1h5"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(NodeError, match="No such file or directory"):
        Memory(tmp_path / "nowhere").park("1h5")


def test_systemd_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    Memory.of_machine().park("1h5")

    assert (tmp_path / "memory.json").exists()
