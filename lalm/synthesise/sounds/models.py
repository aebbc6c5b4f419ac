"""Catalogue of the physical models of sounds: their names, the function that computes each, and what each implies."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from pydantic import TypeAdapter

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds import impacts, machines, nature, signals
from services.types import Value

MODULES: Mapping[str, ModuleType] = {
    "impacts": impacts,
    "machines": machines,
    "nature": nature,
    "signals": signals,
}


class SoundModel(Value):
    """One sound that is computed."""

    model: str
    """Module of this folder, and the function in it, without `make_`."""
    name: str
    also: tuple[str, ...]
    """Names that are right too, or too close to be a wrong answer."""
    family: str
    means: str
    """What a listener can conclude from it; empty where that depends."""

    def render(self, draw: Draw, seconds: float) -> Floats:
        """Compute the sound at 16 kHz, about `seconds` long, shape (num_samples,)."""
        module, _, function = self.model.partition(".")
        compute: Callable[[Draw, float], Floats] = getattr(MODULES[module], f"make_{function}")
        return compute(draw, seconds)


SOUND_MODELS = TypeAdapter(tuple[SoundModel, ...]).validate_json(Path(__file__).with_suffix(".json").read_bytes())
