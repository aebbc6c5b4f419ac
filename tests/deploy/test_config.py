"""The configurations that are shipped, and the applications that are built from them."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from ray import serve
from ray.serve._private.build_app import build_app

from agents.models import ModelNames
from deploy.app import build, open_loaded_models
from deploy.cluster import Arguments, application
from deploy.config import ServeConfig, list_deployed, read_serve_config
from services.catalog import LLMS
from services.deployments.scale import Scale
from services.environment import Settings
from services.errors import BadConfig
from services.scripted.llm import ScriptedLoadableLLM

FOLDER = Path(__file__).parents[2] / "deploy"
LOCAL, CLUSTER = FOLDER / "serve.local.yaml", FOLDER / "serve.yaml"


def names(application: serve.Application) -> set[str]:
    """Return the deployments that Ray makes of an application."""
    return {one.name for one in build_app(application, name="earwitness").deployments}


@pytest.mark.slow
def test_the_local_configuration_fuses_captioner_and_asr_with_the_agent() -> None:
    config = read_serve_config(LOCAL)
    assert names(build(config)) == {"agent", "llm-qwen2.5-coder-1.5b", "lalm-earwitness-tiny"}
    assert [one.role for one in list_deployed(config) if one.is_fused] == ["captioner-acoustic", "asr-whisper-base"]


def test_a_replica_reads_its_weights_before_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedLoadableLLM(name="later")
    monkeypatch.setitem(LLMS, "later", lambda *_: model)
    assert open_loaded_models(ModelNames(llm="later")).open_llm().name == "later"
    assert model.num_loads == 1


@pytest.mark.slow
def test_no_model_of_the_cluster_is_fused() -> None:
    models = list(list_deployed(read_serve_config(CLUSTER)))
    assert [one.role for one in models if one.is_fused] == []
    assert names(build(read_serve_config(CLUSTER))) == {"agent", *(one.role for one in models)}


def agent_version(
    models: dict[str, object], scales: dict[str, object] | None = None, mcp: dict[str, object] | None = None
) -> str:
    config = ServeConfig.model_validate({"models": models, "scales": scales or {}, "mcp": mcp})
    built = build_app(build(config), name="earwitness")
    return next(one.version for one in built.deployments if one.name == "agent")


@pytest.mark.slow
def test_the_version_of_the_agent_covers_the_models_that_are_fused_with_it_and_no_other() -> None:
    fused = [{"asr": {"name": name, "placement": "fused"}} for name in ("whisper-base", "whisper-base.en")]
    assert agent_version(fused[0]) == agent_version(fused[0]) != agent_version(fused[1])
    own = {"asr": "whisper-base"}
    assert agent_version(own) == agent_version({"asr": "whisper-base.en"}) != agent_version(fused[0])
    assert agent_version(own, {"asr": {"num_replicas": 2}}) == agent_version(own)


@pytest.mark.slow
def test_the_version_of_the_agent_covers_the_folders_that_mcp_may_hear(tmp_path: Path) -> None:
    offered = agent_version({}, mcp={"folders": [str(tmp_path)]})
    assert offered == agent_version({}, mcp={"folders": [str(tmp_path)]})
    assert offered not in {agent_version({}), agent_version({}, mcp={"folders": [str(tmp_path.parent)]})}


@pytest.mark.parametrize(
    ("models", "scales", "message"),
    [
        (
            {"llm": {"name": "phi-4", "placement": "fused"}},
            {},
            "phi-4 computes for seconds and would hold up the agent",
        ),
        ({"lalm": {"name": "earwitness-tiny", "placement": "fused"}}, {}, "earwitness-tiny computes for seconds"),
        ({"asr": {"name": "whisper-base", "placement": "fused"}}, {"asr": {"num_gpus": 0.5}}, "which has no GPU"),
        (
            {"llm": {"name": "a", "url": "http://b/v1", "placement": "fused", "scale": {"num_replicas": 2}}},
            {},
            "a is fused with the agent: it has no scale of its own",
        ),
        ({"asr": {"name": "whisper-base", "placement": "beside"}}, {}, "Input should be 'fused' or 'own'"),
    ],
)
def test_what_is_too_heavy_for_the_agent_is_not_fused(
    models: dict[str, object], scales: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        ServeConfig.model_validate({"models": models, "scales": scales})


def test_an_llm_behind_a_url_may_be_fused() -> None:
    llm = {"name": "phi-4", "url": "http://phi-4:8000/v1", "placement": "fused"}
    assert "llm-phi-4" not in names(build(ServeConfig.model_validate({"models": {"llm": llm}})))


@pytest.mark.slow
def test_the_cluster_has_four_families_of_llms_and_three_lalms_on_parts_of_gpus_one_and_two() -> None:
    built = build_app(application(Arguments(config=CLUSTER)), name="earwitness")
    gpus = {one.name: one._replica_config.ray_actor_options.get("num_gpus", 0) for one in built.deployments}
    assert gpus == {
        "agent": 0,
        "captioner-acoustic": 0,
        "asr-whisper-large-v3": 0.25,
        "llm-qwen3-8b": 1,
        "llm-llama-3.1-8b": 1,
        "llm-olmo-3-7b": 1,
        "llm-phi-4": 2,
        "lalm-earwitness-tiny": 0.25,
        "lalm-desta2.5-8b": 0,
        "lalm-qwen2.5-omni-7b": 0,
    }


@pytest.mark.slow
def test_a_replica_with_part_of_a_gpu_takes_that_part_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_app(application(Arguments(config=CLUSTER)), name="earwitness")
    actors = {one.name: one._replica_config.ray_actor_options for one in built.deployments}
    shared = {"env_vars": {"EARWITNESS_GPU_SHARE": "0.25"}}
    assert actors["lalm-earwitness-tiny"]["runtime_env"].items() >= shared.items()
    assert not actors["llm-phi-4"].get("runtime_env")
    monkeypatch.setenv("EARWITNESS_GPU_SHARE", "0.25")
    assert Settings().vllm_memory == pytest.approx(0.225)
    with pytest.raises(ValidationError, match=r"num_gpus is 1\.5: a replica has part of one GPU, or whole ones"):
        Scale(num_gpus=1.5)


@pytest.mark.slow
def test_what_comes_or_leaves_is_up_beside_what_is_offered() -> None:
    old, new = (ServeConfig.model_validate({"models": {"llm": llm}}) for llm in ("phi-4", "qwen3-8b"))
    both = {"agent", "captioner-acoustic", "asr-whisper-base", "llm-phi-4", "llm-qwen3-8b"}
    assert names(build(old, beside=new)) == both
    assert names(build(new)) == both - {"llm-phi-4"}


@pytest.mark.parametrize("text", ["phi-4", ["phi-4"], {"name": "phi-4"}, [{"name": "phi-4"}]])
def test_one_llm_is_named_in_four_ways(text: object) -> None:
    config = ServeConfig.model_validate({"models": {"llm": text}})
    assert [one.role for one in list_deployed(config) if one.kind == "llm"] == ["llm-phi-4"]


def test_servers_and_scales_of_a_kind_are_those_of_its_models_that_name_none() -> None:
    config = ServeConfig.model_validate(
        {
            "models": {
                "llm": ["a", {"name": "b", "url": "http://b", "scale": {"num_gpus": 2}}],
                "llm_url": "http://all",
                "lalm": "earwitness-tiny",
                "lalm_engine": "vllm",
            },
            "scales": {"llm": {"num_gpus": 1}},
        }
    )
    a, b, *_, lalm = list_deployed(config)
    assert (a.resolve_names().llm_url, b.resolve_names().llm_url) == ("http://all", "http://b")
    assert (a.scale.num_gpus, b.scale.num_gpus) == (1, 2)
    assert lalm.resolve_names().lalm_engine == "vllm"


def test_a_configuration_is_the_same_after_a_trip_as_json() -> None:
    config = read_serve_config(CLUSTER)
    assert ServeConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.slow
def test_a_configuration_is_read_before_pytorch_or_ray_is_imported() -> None:
    script = (
        "import sys; from pathlib import Path; import deploy.serving; from deploy.config import read_serve_config\n"
        f"read_serve_config(Path({str(LOCAL)!r}))\n"
        "assert not {'torch', 'transformers', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_alias_stands_for_a_name_that_the_configuration_serves(tmp_path: Path) -> None:
    def read(aliases: str) -> ServeConfig:
        path = tmp_path / "aliases.yaml"
        path.write_text(f"models:\n  lalm: earwitness-tiny\n  aliases: {aliases}\n")
        return read_serve_config(path)

    named = "{gpt-4o-audio-preview: auto, gpt-4o: cascade/qwen2.5-coder-1.5b}"
    assert read(named).models.aliases == {"gpt-4o-audio-preview": "auto", "gpt-4o": "cascade/qwen2.5-coder-1.5b"}
    with pytest.raises(BadConfig, match="stands for 'gpt-5', which is none of cascade, text"):
        read("{gpt-4o: gpt-5}")
    with pytest.raises(BadConfig, match="'auto' is the name of a model itself"):
        read("{auto: cascade}")


def test_folders_of_the_mcp_server_start_at_the_configuration_and_have_to_exist(tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="pip install 'earwitness[mcp]'")
    (tmp_path / "takes").mkdir()
    path = tmp_path / "serve.yaml"
    path.write_text("mcp: {folders: [takes, ./takes]}")
    config = read_serve_config(path)
    assert config.mcp is not None and config.mcp.folders == ((tmp_path / "takes").resolve(),)
    for text, message in (
        ("mcp: {folders: [nothing]}", "nothing' is not a folder"),
        ("mcp: {folders: []}", "mcp.folders"),
        ("mcp: {folder: [takes]}", "folders"),
    ):
        path.write_text(text)
        with pytest.raises(BadConfig, match=message):
            read_serve_config(path)
