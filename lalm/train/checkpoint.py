"""Checkpoints and resume: files of a run folder, with the trained tensors but never the frozen parts.

A run folder holds:

- config.yaml: the configuration, as it was run.
- alignment.txt, contrast.txt: the loss of each step of an alignment, if there was one.
- metrics.jsonl: one line per step, and one per validation.
- model.safetensors: the connector, and the LoRA adapters if there are any.
- naming.yaml, naming.safetensors, naming_quality.json: its naming head, if `lalm.naming` trained one for it.
- resume.safetensors: also optimiser moments and random state, to resume exactly; not needed to use the model.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor
from torch.optim import Optimizer

from lalm.model.model import AudioLanguageModel
from lalm.train.config import TrainConfig
from lalm.train.desta import export_desta, import_desta, is_desta
from lalm.train.parallel import DataParallelGroup
from lalm.train.run_files import CONFIG, RESUME, WEIGHTS, read_config, require_same_config
from lalm.train.steps import BEGINNING, PartPlace, StepPlace
from services.errors import BadConfig
from services.files import write_atomic

MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # AdamW's state of each parameter
CPU_FLOAT = torch.empty(())  # has the dtype and device of AdamW's step count


def open_run(folder: Path, config: TrainConfig) -> None:
    """Create the run folder, or resume one of the same configuration; `BadConfig` names each setting that differs."""
    require_folder(folder)
    if is_empty(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / CONFIG, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
        return
    if not (folder / CONFIG).is_file():
        raise BadConfig(f"'{folder}' holds files but no {CONFIG}, so it is not a run folder: name another one.")
    require_same_config(folder, read_config(folder), config)


def is_empty(folder: Path) -> bool:
    """Return whether a run can begin in a folder: there is none, or at most what a killed process left of a file."""
    return not folder.exists() or all(one.name.startswith(".") for one in folder.iterdir())


def require_folder(folder: Path) -> None:
    """Raise `BadConfig` where a run folder would take the place of a file."""
    if folder.exists() and not folder.is_dir():
        raise BadConfig(f"'{folder}' is a file; a run needs a folder of its own.")


def save(
    place: StepPlace, model: AudioLanguageModel, optimizer: Optimizer, folder: Path, group: DataParallelGroup
) -> None:
    """Write a checkpoint: model, optimiser moments, place in the rows, and the random state of each process."""
    states = group.all_gather(get_rng_state(group.device).to(group.device))
    if not group.is_first:
        return
    steps = {"step": torch.tensor(place.num_done), "part": torch.tensor(place.part)}
    tensors = steps | {f"rng/{rank}": state for rank, state in enumerate(states)}
    for name, value in model.list_trained_parameters():
        for moment, state in optimizer.state[value].items():
            tensors[f"{moment}/{name}"] = state
    _write_tensors(model.list_checkpoint_tensors(), folder / WEIGHTS)
    _write_tensors(
        model.list_checkpoint_tensors() | tensors, folder / RESUME
    )  # last, so that an interrupted save is repeated


def resume(model: AudioLanguageModel, optimizer: Optimizer, folder: Path, group: DataParallelGroup) -> StepPlace:
    """Resume from the checkpoint that `save` wrote; return its place in the rows, the first if there is none.

    Raises:
        BadConfig: the run was started with another number of processes.
    """
    if not (folder / RESUME).is_file():
        return BEGINNING
    stored = load_file(folder / RESUME)
    num_processes = sum(name.startswith("rng/") for name in stored)
    if num_processes != group.world_size:
        raise BadConfig(
            f"The run in '{folder}' was begun by {num_processes} processes and is now resumed by "
            f"{group.world_size}: start as many as at first."
        )
    with torch.no_grad():
        for name, value in model.list_checkpoint_tensors().items():
            value.copy_(stored[name])
        for name, value in model.list_trained_parameters():
            moments = {moment: stored[f"{moment}/{name}"] for moment in MOMENTS if f"{moment}/{name}" in stored}
            optimizer.state[value] = {
                moment: state.to(CPU_FLOAT if moment == "step" else value) for moment, state in moments.items()
            }
    set_rng_state(stored[f"rng/{group.rank}"], group.device)
    part = PartPlace(*stored["part"].tolist()) if "part" in stored else PartPlace()  # 2.7 and before kept none
    return StepPlace(int(stored["step"]), part)


def get_rng_state(device: torch.device) -> Tensor:
    """Return the state of the random number generators of CPU and GPU, concatenated, uint8; dropout depends on it."""
    here = torch.get_rng_state()
    return torch.cat([here, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else here


def set_rng_state(state: Tensor, device: torch.device) -> None:
    """Restore a state that `get_rng_state` returned."""
    size = len(torch.get_rng_state())
    torch.set_rng_state(state[:size])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[size:], device)


def export_weights(model: AudioLanguageModel, folder: Path, dtype: torch.dtype) -> None:
    """Write the trained tensors in another precision, such as bfloat16 at half the size."""
    _write_tensors({name: value.to(dtype) for name, value in model.list_checkpoint_tensors().items()}, folder / WEIGHTS)


def load_weights(model: AudioLanguageModel, folder: Path) -> None:
    """Load the trained tensors, also out of DeSTA2.5-Audio's folder.

    Raises:
        BadConfig: it names every tensor that is missing, unexpected or of another shape.
    """
    path = folder / WEIGHTS
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadConfig(f"'{path}' cannot be read: {str(error).splitlines()[0]}") from error
    stored = import_desta(stored) if is_desta(stored) else stored
    expected = model.list_checkpoint_tensors()
    faults = [f"{name} is missing" for name in expected.keys() - stored.keys()]
    faults += [f"{name} is not part of the model" for name in stored.keys() - expected.keys()]
    faults += [
        f"{name} has shape {tuple(stored[name].shape)} instead of {tuple(expected[name].shape)}"
        for name in expected.keys() & stored.keys()
        if stored[name].shape != expected[name].shape
    ]
    if faults:
        raise BadConfig(f"'{path}' does not fit '{folder / CONFIG}': {'; '.join(sorted(faults))}.")
    with torch.no_grad():
        for name, value in expected.items():
            value.copy_(stored[name])


def export_as_desta(folder: Path, target: Path) -> None:
    """Write the weights of a run under the names of DeSTA2.5-Audio, as a folder that its code loads weights from.

    Raises:
        BadConfig: the weights cannot be read or written, or have no place there.
    """
    try:
        renamed = export_desta(load_file(folder / WEIGHTS))
        target.mkdir(parents=True, exist_ok=True)
        _write_tensors(renamed, target / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise BadConfig(f"'{folder}' cannot be exported: {str(error).splitlines()[0]}.") from error


def _write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    write_atomic(path, serialise({name: value.contiguous().cpu() for name, value in tensors.items()}))
