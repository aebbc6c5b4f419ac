"""The command `earwitness` as a user meets it: what goes to which stream, and the exit code."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import soundfile

from deploy import cli
from deploy.config import ServeConfig, list_deployed, read_serve_config
from eval.run.remote import RemoteAnswerer
from lalm.catalog import LALMS
from services.catalog import LLMS
from services.errors import BadConfig, ModelError
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import fail_with, weigh
from services.types import Answer, AudioClip, Choice, Question

Run = Callable[..., int]
BUSY_S = 600  # as long as the models of ask_with_doubles.py that are late keep their threads
DOUBLES = ("--llm", "double", "--captioner", "double", "--asr", "double")


def test_json_is_exactly_the_answer_on_stdout(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    code = run("ask", clip, "What?", "--choice", "Rain", "--choice", "A tone", "--json", *DOUBLES)
    out, err = capfd.readouterr()
    answer = Answer.model_validate_json(out)
    assert code == 0
    assert out.count("\n") == 1
    assert answer.choice == Choice(letter="B", text="A tone")
    assert answer.probabilities == pytest.approx({"A": 0.25, "B": 0.75})
    assert [statement.text for statement in answer.evidence] == ["Heard for 1.50 s.", "It was the best of times."]
    assert err.count("noise") == 2


def test_the_plain_form_shows_options_choice_and_evidence(
    clip: Path, capfd: pytest.CaptureFixture[str], run: Run
) -> None:
    assert run("ask", clip, "What is [it]?", "--choice", "Rain", "--choice", "A tone", *DOUBLES) == 0
    out = capfd.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["What", "is", "[it]?"]
    assert (lines[1][0], lines[1][1], lines[1][-1]) == ("A", "25.0%", "Rain")
    assert (lines[2][0], lines[2][2], lines[2][-1]) == (">", "75.0%", "tone")
    assert lines[3] == ["Answer:", "B)", "A", "tone"]
    assert "0.0-end\ttranscript\tdouble\t50%\tIt was the best of times.\n" in out


def test_explained_each_step_says_what_it_heard(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    choices = ("--choice", "Rain", "--choice", "A tone")
    assert run("ask", clip, "What?", *choices, "--explain", *DOUBLES) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[4:] if line.strip() and not line[0].isspace()] == [
        *("step", "caption", "transcribe", "read", "listen", "reason", "answer", "Path", "Missing:"),
    ]
    shown = "\n".join(lines)
    assert "S1, 0.0-end s, sound (double, read): Heard for 1.50 s." in shown
    assert "cascade: B) A tone (B 75.0%, A 25.0%)" in shown
    assert lines[-1] == "Missing: nothing"
    assert run("ask", clip, "What?", *choices, "--explain", "--json", *DOUBLES) == 0
    answer = Answer.model_validate_json(capfd.readouterr().out)
    assert answer.reasons is not None and answer.reasons.status == "none"  # no statement names an option


@pytest.mark.slow
@pytest.mark.parametrize(("choices", "code"), [(("--choice", "Rain", "--choice", "A tone"), 0), ((), 2)])
def test_what_is_late_is_left_out_and_not_waited_for(
    choices: tuple[str, ...], code: int, clip: Path, tmp_path: Path, run: Run
) -> None:
    script = Path(__file__).with_name("ask_with_doubles.py")
    command = [sys.executable, script, "ask", clip, "What?", *choices, "--deadline", "2", *DOUBLES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUSY_S)
    assert done.returncode == code
    if code:
        assert done.stderr.count("\n") == 1
        assert "no LLM: The step 'read' was not done within" in done.stderr
    else:
        assert "Answer: B) A tone" in done.stdout
        late = (
            r"Missing: no captioner: The step 'caption' was not done within (0\.[7-9]|1\.0) s"  # start-up takes a part
        )
        assert re.search(late, done.stdout)


def test_options_in_the_question_are_options(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("ask", clip, "What is heard? [A] Rain [B] A dog", "--json", *DOUBLES) == 0
    assert set(json.loads(capfd.readouterr().out)["probabilities"]) == {"A", "B"}


def test_an_open_question_prints_the_reply(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("ask", clip, "What is heard?", *DOUBLES) == 0
    assert "letters\n" in capfd.readouterr().out


def test_the_text_path_opens_no_clip(tmp_path: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("ask", tmp_path / "nothing.wav", "What?", "--path", "text", "--llm", "double", "--json") == 0
    assert json.loads(capfd.readouterr().out)["path"] == "text"


LALM = ("--lalm", "double")


@pytest.fixture
def hearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a LALM that hears the first option into the catalogue."""
    lalm = ScriptedLALM(choose=weigh(0.9, 0.1), name="double")
    monkeypatch.setitem(LALMS, "double", lambda _url: lalm)


@pytest.mark.usefixtures("hearer")
def test_both_ways_are_shown_side_by_side(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    asked = ("ask", clip, "What?", "--choice", "Rain", "--choice", "A tone", "--path", "both", *DOUBLES, *LALM)
    assert run(*asked) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert lines[1] == ["cascade", "lalm"]
    assert lines[2] == ["A", "Rain", "25.0%", ">", "90.0%"]
    assert lines[3] == ["B", "A", "tone", ">", "75.0%", "10.0%"]
    assert lines[4] == ["Answer", "B)", "A", "tone", "A)", "Rain"]
    assert run(*asked, "--json") == 0
    answers = json.loads(capfd.readouterr().out)["answers"]
    assert [(answer["path"], answer["choice"]["letter"]) for answer in answers] == [("cascade", "B"), ("lalm", "A")]


def test_both_ways_show_the_one_that_answered(
    clip: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    broken = ScriptedLALM(fail_with(ModelError("It is down.")), name="double")
    monkeypatch.setitem(LALMS, "double", lambda _url: broken)
    asked = ("ask", clip, "What?", "--choice", "Rain", "--choice", "A tone", "--path", "both", *DOUBLES, *LALM)
    assert run(*asked) == 0
    lines = capfd.readouterr().out.splitlines()
    assert (lines[1].split(), lines[-1]) == (["cascade"], "Missing: no lalm: It is down.")
    assert run(*asked, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert ([one["path"] for one in found["answers"]], found["missing"]) == (["cascade"], ["no lalm: It is down."])


@pytest.mark.usefixtures("hearer")
def test_path_auto_says_which_way_it_took(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    choices = ("--choice", "Rain", "--choice", "A tone", "--path", "auto", "--json")
    assert run("ask", clip, "What does the speaker say?", *choices, *DOUBLES, *LALM) == 0
    answer = Answer.model_validate_json(capfd.readouterr().out)
    assert answer.path == "auto"
    assert answer.route == "both" and answer.trace[0].text == "both (rule, a question about speech)"
    # 0.25 * 0.9 against 0.75 * 0.1, to the power of a half
    assert answer.choice == Choice(letter="A", text="Rain")
    assert answer.probabilities["A"] == pytest.approx(3**0.5 / (1 + 3**0.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--llm", "phi-5"), "No LLM named 'phi-5'. Known: "),
        (("--captioner", "deaf"), "No captioner named 'deaf'. Known: acoustic, "),
        (("--asr", "deaf"), "No ASR named 'deaf'. Known: whisper-base, "),
        (("--path", "ears"), "No path named 'ears'. Known: text, cascade, lalm, informed, auto, both."),
        (
            ("--path", "lalm", "--lalm-url", "http://127.0.0.1:9"),
            "--lalm-url needs the name of an audio-language model",
        ),
        (("--path", "lalm", "--lalm", "phi-4-mm"), "The LALM 'phi-4-mm' needs --lalm-url URL of a server"),
        (("--path", "lalm", "--asr", "double"), "Path 'lalm' hears for itself: leave out --captioner and --asr."),
        (("--lalm", "phi-4-mm"), "Path 'cascade' asks no LALM: leave out --lalm and --lalm-url"),
        (("--path", "text", "--asr", "double"), "Path 'text' hears nothing: leave out --captioner and --asr."),
        (("--choice", "Rain"), "Only one option was given: 'Rain'."),
        (("--choice", "Rain", "--choice", "Rain"), "Option 'Rain' was given twice; each has to differ."),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str], run: Run
) -> None:
    named = DOUBLES if arguments[0] == "--choice" else ()
    code = run("ask", tmp_path / "not_even_opened.wav", "What?", *arguments, *named)
    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"earwitness: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No recording at"),
        (b"", "is empty (0 bytes)."),
        (b"only text\n" * 50, "is not audio that can be read."),
        (np.random.default_rng(1).bytes(5000), "is not audio that can be read."),
    ],
    ids=["missing", "empty", "text", "random bytes"],
)
def test_unusable_recordings_are_one_line_and_exit_code_2(
    content: bytes | None, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], run: Run
) -> None:
    path = tmp_path / "clip.mp3"
    if content is not None:
        path.write_bytes(content)
    code = run("ask", path, "What?", *DOUBLES)
    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_directory_is_not_a_recording(tmp_path: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("ask", tmp_path, "What?", *DOUBLES) == 2
    assert "is a directory, not a recording." in capfd.readouterr().err


@pytest.mark.slow
def test_half_an_hour_is_heard_to_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(16_000 * 1800, np.int16), 16_000)
    assert run("ask", path, "What?", "--json", *DOUBLES) == 0
    heard = Answer.model_validate_json(capfd.readouterr().out).evidence
    assert max(one.end_s or 0 for one in heard) == 1800


def test_the_configuration_that_is_shipped_fits_one_core() -> None:
    config = read_serve_config(cli.LOCAL)
    scales = [config.scales.agent, *(one.scale for one in list_deployed(config))]
    assert sum(scale.num_cpus * scale.num_replicas for scale in scales) <= 1


@pytest.mark.parametrize("role", ["llm", "captioner", "asr", "lalm"])
def test_an_unknown_model_is_refused_before_anything_starts(
    role: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], run: Run
) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text(f"models: {{{role}: nope}}")
    assert run("serve", "--config", path) == 2
    assert "named 'nope'. Known: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("limit: {}", "unknown key 'limit'; did you mean 'limits'?"),
        ("limits: {deadline: 3}", "unknown key 'limits.deadline'; did you mean 'deadline_s'?"),
        (
            "models: {xyz: 3}",
            "known: llm, captioner, asr, llm_url, lalm, lalm_url, lalm_engine, calibration, aliases.",
        ),
        (
            "models: {lalm: earwitness-tiny, lalm_engine: ray}",
            "models.lalm_engine = 'ray': Input should be 'in_process' or 'vllm'",
        ),
        ("models: {llm: [{name: phi-4, scal: {}}]}", "unknown key 'models.llm.0.scal'; did you mean 'scale'?"),
        ("models: {llm: []}", "models.llm: "),
        ("models: {llm: [phi-4, phi-4]}", "models: phi-4 is named twice."),
        (
            "models: {llm: [{name: a/b, url: 'http://x'}, {name: a-b, url: 'http://y'}]}",
            "models: a-b is named twice.",
        ),
        (
            "models: {llm_url: notaurl}",
            "models.llm_url = 'notaurl': 'notaurl' is not the URL of a server, such as http://127.0.0.1:8000/v1.",
        ),
        ("limits: {deadline_s: .inf}", "limits.deadline_s = inf: Input should be a finite number."),
        ("models: {llm: {name: phi-4, engine: vllm}}", "models: engine is for LALMs: leave it out of llm."),
        ("scales: {llm: {num_replicas: 2, autoscaling: {max_replicas: 4}}}", "exclude each other: leave one out."),
        ("scales: {asr: {autoscaling: {min_replicas: 3, max_replicas: 2}}}", "is 3, more than max_replicas, 2."),
        ("limits: {deadline_s: -1}", "limits.deadline_s = -1: Input should be greater than 0."),
        ("limits: [", "is not YAML"),
    ],
)
def test_the_error_of_a_wrong_configuration_names_the_key(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text(content)
    with pytest.raises(BadConfig) as error:
        read_serve_config(path)
    assert message in str(error.value)


def test_an_empty_configuration_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "serve.yaml").write_text("# nothing\n")
    assert read_serve_config(tmp_path / "serve.yaml") == ServeConfig()


def test_the_service_is_not_offered_to_other_machines(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("serve", "--host", "0.0.0.0") == 2
    assert capfd.readouterr().err == (
        "earwitness: There is no API key, so the service listens on loopback only, not on '0.0.0.0': "
        "make a key with `earwitness keys new NAME`, or use --host 127.0.0.1.\n"
    )


def test_hosts_of_audio_urls_are_checked_when_the_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text("limits: {audio_urls: {hosts: [audio.example.org, 127.0.0.1]}}")
    with pytest.raises(
        BadConfig, match=r"limits\.audio_urls\.hosts\.1.*: .*'127\.0\.0\.1' is not a host that can be allowed"
    ):
        read_serve_config(path)


def test_several_recordings_are_asked_about_with_models_opened_once(
    clip: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    opened = []
    llm = ScriptedLLM(choose=weigh(0.25, 0.75), name="double")
    monkeypatch.setitem(LLMS, "double", lambda _url: opened.append(1) or llm)
    soundfile.write(clip.with_name("other.flac"), np.zeros(8_000, np.int16), 16_000)
    asked = ("-q", "What?", "--choice", "Rain", "--choice", "A tone", *DOUBLES)
    assert run("ask", clip.parent / "*.flac", clip, *asked) == 0
    first, second = map(json.loads, capfd.readouterr().out.splitlines())
    assert (Path(first["clip"]).name, Path(second["clip"]).name) == ("other.flac", "clip.wav")
    assert (first["evidence"][0]["text"], second["evidence"][0]["text"]) == ("Heard for 0.50 s.", "Heard for 1.50 s.")
    assert second["choice"] == {"letter": "B", "text": "A tone"}
    assert len(opened) == 1


def test_a_recording_that_cannot_be_used_leaves_the_others(
    clip: Path, capfd: pytest.CaptureFixture[str], run: Run
) -> None:
    (clip.parent / "a.mp3").write_bytes(b"only text")
    assert run("ask", clip.parent, "-q", "What?", *DOUBLES) == 2
    out, err = capfd.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert first["error"]["code"] == "unsupported_format"
    assert second["clip"] == str(clip) and second["reply"].endswith("letters")
    assert err == "earwitness: 1 of 2 recordings have no answer; the `error` in their lines says why.\n"


@pytest.mark.usefixtures("hearer")
def test_both_ways_answer_about_each_recording(clip: Path, capfd: pytest.CaptureFixture[str], run: Run) -> None:
    choices = ("--choice", "Rain", "--choice", "A tone")
    assert run("ask", clip, "-q", "What?", *choices, "--path", "both", *DOUBLES, *LALM) == 0
    line = json.loads(capfd.readouterr().out)
    assert (line["clip"], [one["path"] for one in line["answers"]]) == (str(clip), ["cascade", "lalm"])


def test_a_running_service_answers_in_place_of_models_here(
    clip: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    async def answer(self: RemoteAnswerer, question: Question, *heard: AudioClip) -> Answer:
        assert [one.duration_s for one in heard] == [1.5]
        return Answer(question_id="", reply="Rain.", choice=None, path="cascade")

    monkeypatch.setattr(RemoteAnswerer, "answer", answer)
    assert run("ask", clip, "What?", "--server", "http://127.0.0.1:9", "--path", "both", "--json") == 0
    assert [one["reply"] for one in json.loads(capfd.readouterr().out)["answers"]] == ["Rain.", "Rain."]
    assert run("ask", clip, "What?", "--server", "http://127.0.0.1:9", "--llm", "phi-4", "--budget", "1") == 2
    assert "leave out --llm, --budget." in capfd.readouterr().err


def test_the_version_is_printed(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("--version") == 0
    assert capfd.readouterr().out == f"earwitness {version('earwitness')}\n"
