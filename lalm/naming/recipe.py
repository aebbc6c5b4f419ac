"""Training of a naming head for a trained LALM.

    python -m lalm.naming lalm/configs/naming.yaml runs/tiny

writes naming.yaml, naming.safetensors and naming_quality.json into the run folder; `--lalm runs/tiny` then uses it.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import yaml
from safetensors.torch import save as serialise

from lalm.model import parts
from lalm.model.config import ModelConfig
from lalm.model.encoders import open_each
from lalm.model.name_space import NameSpace
from lalm.model.naming_head import NamingHead
from lalm.model.template import ChatTemplate
from lalm.naming.clips import collect_labels, drop_shared_recordings, pool_clips, read_rows
from lalm.naming.config import NamingTrainConfig
from lalm.naming.contrast import NameBank, measure_naming, train_head
from lalm.naming.weight import WeightFit, fit_weight, score_questions
from lalm.runtimes import option_namer
from lalm.runtimes.in_process import InProcessTrainedLALM
from lalm.train import run_files
from lalm.train.alignment.contrast import list_known_sounds
from lalm.train.features import FeatureStore
from lalm.train.recipe import resolve_encoders
from services.errors import BadConfig
from services.files import write_atomic
from services.progress import report_stage
from services.settings import read_settings
from services.terminal.command import CommandParser, run
from services.terminal.counts import format_count
from services.terminal.display import show_progress
from services.types import Value
from services.yaml_file import read_config

QUALITY = "naming_quality.json"
CPU = torch.device("cpu")


class NamingQuality(Value):
    """Quality of a naming head on held-back rows."""

    num_clips: int
    """Training clips."""
    num_left_out: int
    """Training rows that were left out because they share a recording with held-back rows."""
    num_unread: int
    """Unreadable clips, which were left out."""
    num_names: int
    """Names that it is trained to distinguish."""
    num_held_clips: int
    share_named: float
    """Share of the held-back clips whose nearest name is one of their own."""
    fit: WeightFit


def train_naming(config: NamingTrainConfig, root: Path, folder: Path) -> NamingQuality:
    """Train the naming head of the LALM in a run folder, and write it there; paths start from `root`.

    Raises:
        BadConfig: rows or run folder cannot be used, or it has a naming head already.
        ModelError: a part cannot be loaded.
    """
    # 1. Read the rows
    model = run_files.read_config(folder).model
    for name in (run_files.NAMING_CONFIG, run_files.NAMING_WEIGHTS):
        if (folder / name).exists():
            raise BadConfig(f"'{folder}' has a naming head already: remove '{folder / name}', or train in a copy.")
    held = read_rows(config.held_back, root)
    given = read_rows(config.rows, root)
    training = drop_shared_recordings(given, held)
    # 2. Encode each clip
    each = resolve_encoders(config.head.encoders, root)
    head_config = config.head.model_copy(update={"encoders": each})
    encoders = open_each(each, model, CPU)
    features = FeatureStore(encoders, read_settings().home / "features", revisions=[str(one.revision) for one in each])
    clips, held_clips = (pool_clips(collect_labels(rows), features, seed=config.seed) for rows in (training, held))
    # 3. Train
    space = open_space(model)
    names = sorted({*list_known_sounds(), *(name for one in (*clips.labels, *held_clips.labels) for name in one)})
    bank = NameBank(names, space.embed_names(names))
    torch.manual_seed(config.seed)
    head = NamingHead(head_config, encoders.shapes, backbone_width=len(space.origin_H))
    with report_stage("contrast with names", config.contrast.num_steps) as running:
        for _ in train_head(head, clips, bank, config.contrast):
            running.advance()
    # 4. Fit the weight of a name beside a likelihood
    head = round_weights(head)
    lalm = InProcessTrainedLALM(folder, name=folder.name, asr=None)
    namer = option_namer.OptionNamer(head, encoders, space)
    fit = fit_weight(score_questions(lalm, namer, held, limit=config.num_questions, seed=config.seed))
    head.weight.fill_(fit.weight)
    # 5. Write
    quality = NamingQuality(
        num_clips=len(clips.labels),
        num_left_out=len(given) - len(training),
        num_unread=clips.num_unread + held_clips.num_unread,
        num_names=len(names),
        num_held_clips=len(held_clips.labels),
        share_named=measure_naming(head, held_clips, bank),
        fit=fit,
    )
    write_atomic(folder / QUALITY, quality.model_dump_json(indent=1) + "\n")
    write_atomic(folder / run_files.NAMING_CONFIG, yaml.safe_dump(head_config.model_dump(mode="json"), sort_keys=False))
    halved = {name: value.to(torch.bfloat16).contiguous() for name, value in head.state_dict().items()}
    write_atomic(folder / run_files.NAMING_WEIGHTS, serialise(halved))
    return quality


def open_space(model: ModelConfig) -> NameSpace:
    """Open the name space of a backbone, without keeping the rest of it in memory."""
    backbone = parts.open_backbone(model.backbone, parts.pick_dtype(model.dtype, CPU))
    template = ChatTemplate(parts.open_tokenizer(model.backbone), model.connector.num_queries, form=model.prompt)
    return NameSpace(backbone.get_input_embeddings(), template)


def round_weights(head: NamingHead) -> NamingHead:
    """Round the weights to bfloat16, the precision in which they are written."""
    head.load_state_dict({name: value.to(torch.bfloat16) for name, value in head.state_dict().items()})
    return head.eval()


def format_quality(quality: NamingQuality) -> str:
    """Format the summary of a training for the terminal."""
    fit = quality.fit
    return "\n".join(
        (
            f"Trained    {format_count(quality.num_clips, 'clip')}, {format_count(quality.num_names, 'name')}",
            f"Left out   {quality.num_left_out} rows that share a recording with those held back, "
            f"{quality.num_unread} clips that cannot be read",
            f"Named      {quality.share_named:.1%} of {quality.num_held_clips} clips that are held back",
            f"Questions  {fit.accuracy_before:.1%} right by likelihood, {fit.accuracy:.1%} with names "
            f"(weight {fit.weight:.1f}, fitted on these {fit.num_questions})",
        )
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and train; exit code 2 for an error that the user can fix."""
    parser = CommandParser(prog="python -m lalm.naming", description="Train the naming head of a LALM.")
    parser.add_argument("config", type=Path, help="YAML file, such as lalm/configs/naming.yaml")
    parser.add_argument("run", type=Path, help="folder of a trained LALM, which the head is written into")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    options = parser.parse_args(argv)

    def train() -> None:
        config: Path = options.config
        with show_progress(quiet=options.quiet):
            quality = train_naming(read_config(config, NamingTrainConfig), config.parent, options.run)
        print(format_quality(quality))  # noqa: T201 - command-line output

    return run("lalm.naming", train)
