"""Run folders: what is written comes back, whole or not at all."""

import pytest
import torch
from torch import nn

from medgen_course.files import write_atomically
from medgen_course.training.checkpoints import RunError, RunFolder, RunNotFound, load_tensors, save_tensors


def test_a_nested_state_comes_back_bit_for_bit(tmp_path):
    state = {
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0), "avg": torch.randn(2, 3)}},
            "betas": (0.9, 0.999),
        },
        "pool": [torch.arange(4), None, True],
        "loss": 0.1 + 0.2,
    }
    folder = RunFolder(tmp_path / "run")
    folder.save_resume(state)
    back = folder.load_resume()
    assert back["loss"] == state["loss"] and back["pool"][1:] == [None, True]
    assert back["optimizer"]["betas"] == (0.9, 0.999)
    assert torch.equal(back["optimizer"]["state"][0]["avg"], state["optimizer"]["state"][0]["avg"])
    assert torch.equal(back["pool"][0], torch.arange(4))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(partial):
        partial.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"


def test_a_state_with_anything_else_is_refused(tmp_path):
    with pytest.raises(TypeError, match="object"):
        RunFolder(tmp_path).save_resume({"what": object()})
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(RunNotFound, match=r"config\.json.*medgen train"):
        RunFolder(tmp_path).load_config()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(RunError, match=r"config\.json.*expected a JSON object"):
        RunFolder(tmp_path).load_config()
    save_tensors(tmp_path / "resume.safetensors", {"a": torch.zeros(100)})
    data = (tmp_path / "resume.safetensors").read_bytes()
    (tmp_path / "resume.safetensors").write_bytes(data[:-10])
    with pytest.raises(RunError, match=r"resume\.safetensors.*damaged"):
        RunFolder(tmp_path).load_resume()


def test_weights_come_back_and_must_fit(tmp_path):
    folder = RunFolder(tmp_path)
    conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    folder.save_model({"net": conv})
    assert set(load_tensors(tmp_path / "model.safetensors")[0]) == {"net/weight", "net/bias"}
    other = nn.Conv2d(3, 4, 3)
    folder.load_model({"net": other})
    assert torch.equal(other.weight, conv.weight)
    with pytest.raises(RunError, match="do not fit the network 'net'"):
        folder.load_model({"net": nn.Conv2d(3, 5, 3)})
