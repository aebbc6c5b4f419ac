import pytest

from eval.run.request import Price, RunRequest, name_run_folder
from services.errors import BadConfig, UnknownName


def request(**fields: object) -> RunRequest:
    return RunRequest.model_validate({"path": "text", "bench": "mmau", "concurrency": 1} | fields)


@pytest.mark.parametrize(
    ("fields", "llm", "captioner", "asr"),
    [
        ({}, "qwen2.5-coder-1.5b", None, None),
        ({"path": "cascade"}, "qwen2.5-coder-1.5b", "acoustic", "whisper-base"),
        ({"path": "lalm", "lalm": "phi-4-mm"}, None, None, None),
        ({"path": "auto", "lalm": "phi-4-mm"}, "qwen2.5-coder-1.5b", "acoustic", "whisper-base"),
        ({"path": "cascade", "server": "http://127.0.0.1:8000"}, None, None, None),
    ],
)
def test_only_the_models_that_a_path_uses_are_recorded(
    fields: dict[str, str], llm: str | None, captioner: str | None, asr: str | None
) -> None:
    options = request(**fields).resolve_options()
    assert (options.llm, options.captioner, options.asr) == (llm, captioner, asr)


def test_the_shipped_lalm_hears_where_none_is_named() -> None:
    assert (
        request(path="lalm").resolve_options().lalm == request(path="auto").resolve_options().lalm == "earwitness-tiny"
    )
    assert request(path="cascade").resolve_options().lalm is None
    assert request(path="lalm", lalm_url="http://x").resolve_options().lalm is None  # the server knows no name of ours


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"asr": "whisper-base"}, "Path 'text' hears nothing: leave out --asr."),
        ({"lalm_url": "http://x", "lalm": "y"}, "Path 'text' hears nothing: leave out --lalm, --lalm-url."),
        ({"path": "cascade", "lalm": "y"}, "Path 'cascade' does not use it: leave out --lalm."),
        ({"path": "lalm", "captioner": "acoustic"}, "Path 'lalm' does not use it: leave out --captioner."),
        ({"server": "http://x", "llm": "phi-4"}, "--server brings its own models: leave out --llm."),
        ({"server": "http://x", "budget": 2}, "--server decides itself how often it listens: leave out --budget."),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(BadConfig) as raised:
        request(**fields).resolve_options()
    assert str(raised.value) == said


def test_an_unknown_path_is_named_first() -> None:
    with pytest.raises(UnknownName, match="No path named 'ears'"):
        request(path="ears", asr="whisper-base").resolve_options()


def test_the_folder_is_named_after_what_decides_the_numbers() -> None:
    options = request(path="lalm", bench="some/where/MMAR-meta.jsonl", lalm="org/ears", limit=5).resolve_options()
    assert name_run_folder(options).as_posix() == "runs/MMAR-meta-lalm-org_ears-first5"


def test_a_price_is_dollars_per_million_tokens() -> None:
    price = Price.read("0.15/0.6")
    assert price.compute_cost(prompt_tokens=2_000_000, completion_tokens=500_000) == pytest.approx(0.6)
    for wrong in ("0.15", "a/b", "-1/2", "1/2/3"):
        with pytest.raises(BadConfig, match=r"0\.15/0\.60"):
            Price.read(wrong)


def test_a_run_with_a_budget_has_a_folder_of_its_own() -> None:
    with_budget, without = (
        request(path="cascade", budget=3).resolve_options(),
        request(path="cascade").resolve_options(),
    )
    assert name_run_folder(with_budget).name == name_run_folder(without).name + "-budget3"


def test_auto_listens_again_once_unless_told_otherwise() -> None:
    usual, never = request(path="auto").resolve_options(), request(path="auto", budget=0).resolve_options()
    assert (usual.budget, never.budget, request(path="cascade").resolve_options().budget) == (1, 0, 0)
    assert name_run_folder(never).name == name_run_folder(usual).name + "-budget0"
    assert request(path="auto", server="http://x").resolve_options().budget is None
