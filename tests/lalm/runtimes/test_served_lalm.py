"""A LALM behind a chat server: what is sent, and how the reply is read. The server here is real, on loopback."""

import base64
import io
from collections.abc import AsyncIterator

import numpy as np
import pytest
import soundfile

from agents.direct import Direct
from lalm.catalog import LALMS, open_lalm
from lalm.runtimes.request_form import RequestForm
from lalm.runtimes.served_lalm import ServedLALM
from services.clients.chat_server import Endpoint
from services.errors import ModelError, TooLarge, TooManyClips, UnknownName
from services.scripted.ears import ScriptedEars
from services.scripted.server import ScriptedServer, make_completion, run_scripted_server
from services.types import AudioClip, Evidence, Question

CLIP = AudioClip((np.arange(-800, 800, dtype=np.float32) / 32768).astype(np.float32))
QUESTION = Question.ask("What is heard?", ("A dog", "A bell"), id="q")


@pytest.fixture
async def served() -> AsyncIterator[ScriptedServer]:
    async with run_scripted_server() as server:
        yield server


def let_say(server: ScriptedServer, text: str, letters: dict[str, float] | None = None) -> None:
    """Let the next two replies be this text."""
    server.responses = [make_completion(text, letters, prompt_tokens=312, completion_tokens=2) for _ in range(2)]


async def test_the_clip_is_sent_sample_for_sample_before_the_question(served: ScriptedServer) -> None:
    let_say(served, "B")
    answer = await Direct(open_lalm("toy", served.url)).answer(QUESTION, CLIP)
    (request,) = served.requests
    audio, text = request["messages"][-1]["content"]
    pcm, rate = soundfile.read(io.BytesIO(base64.b64decode(audio["input_audio"]["data"])), dtype="int16")
    assert (rate, audio["input_audio"]["format"]) == (16_000, "wav")
    assert (pcm == np.arange(-800, 800)).all()
    assert "A. A dog\nB. A bell" in text["text"]
    assert request["model"] == "toy"
    assert answer.choice == QUESTION.choices[1]
    assert (answer.path, answer.trace[0].step, answer.usage.prompt_tokens) == ("lalm", "listen", 312)


async def test_probabilities_decide_where_there_are_some(served: ScriptedServer) -> None:
    let_say(served, "B", {"B": 0.5, "A": 0.3})
    answer = await Direct(open_lalm("toy", served.url)).answer(QUESTION, CLIP)
    assert answer.probabilities == pytest.approx({"A": 0.375, "B": 0.625})


async def test_a_transcript_that_was_given_is_named_in_trace_and_evidence(served: ScriptedServer) -> None:
    let_say(served, "B")
    words = Evidence(kind="transcript", source="scribe", revision="1", text="a bell rings", start_s=0.0, end_s=0.1)
    said = (words, words.model_copy(update={"kind": "language", "text": "Spoken language: English."}))
    endpoint = Endpoint(url=served.url, model="toy")
    form = RequestForm(takes_transcript=True)
    lalm = ServedLALM(endpoint, name="toy", form=form, asr=ScriptedEars(words=lambda _: said, name="scribe"))
    answer = await Direct(lalm).answer(QUESTION, CLIP)
    assert answer.trace[0].text == "toy, given a transcript by scribe"
    assert answer.evidence[1] == words.model_copy(update={"step": "listen", "use": "read"})
    assert all(one.kind != "language" for one in answer.evidence)
    assert "a bell rings" in str(served.requests[0]["messages"])


async def test_what_others_heard_stands_between_the_clip_and_the_question(served: ScriptedServer) -> None:
    let_say(served, "B")
    words = Evidence(kind="transcript", source="scribe", revision="1", text="it is noon", start_s=1.0, end_s=2.5)
    sound = Evidence(kind="sound", source="ears", revision="1", text="Sounds heard: bell.", end_s=9.0)
    tempo = Evidence(kind="rhythm", source="ears", revision="1", text="Tempo: 90 BPM.", start_s=3.0, end_s=9.0)
    form = RequestForm(takes_transcript=True)
    scribe = ScriptedEars(words=lambda _: ("other words",), name="scribe")
    lalm = Direct(ServedLALM(Endpoint(url=served.url, model="toy"), name="toy", form=form, asr=scribe))
    answer = await lalm.answer(QUESTION, CLIP, given=(sound, words, tempo))
    audio, text = served.requests[0]["messages"][-1]["content"]
    assert audio["type"] == "input_audio"
    assert text["text"].startswith(
        "What listening tools heard, which may be wrong:\n- Sounds heard: bell.\n"
        '- 1.0-2.5 s: Somebody says: "it is noon"\n- 3.0-9.0 s: Tempo: 90 BPM.\n\nQ'
    )
    assert "other words" not in str(served.requests)
    assert [one.source for one in answer.evidence[1:]] == ["ears", "scribe", "ears"]
    await lalm.answer(QUESTION, CLIP, given=())
    assert "Listening tools heard nothing" in str(served.requests[1])


async def test_an_open_question_and_an_unreadable_reply_have_no_choice(served: ScriptedServer) -> None:
    let_say(served, "It could be anything.")
    lalm = Direct(open_lalm("toy", served.url))
    assert (await lalm.answer(QUESTION, CLIP)).choice is None
    opened = await lalm.answer(Question.ask("What?"), CLIP)
    assert (opened.choice, opened.reply) == (None, "It could be anything.")
    assert "logprobs" not in served.requests[1]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ModelError, match="--lalm NAME"):
        open_lalm(None)
    with pytest.raises(UnknownName, match="No LALM named 'ears'"):
        open_lalm("ears")
    with pytest.raises(ModelError, match="needs --lalm-url URL of a server that has nvidia/audio-flamingo-3-hf"):
        open_lalm("audio-flamingo-3")
    assert "audio-flamingo-3" in LALMS


async def test_several_recordings_are_numbered_parts_of_one_message(served: ScriptedServer) -> None:
    let_say(served, "B")
    form = RequestForm(max_clip_s=1.0, max_clips=4, takes_transcript=True)
    scribe = ScriptedEars(words=lambda clip: (f"{clip.duration_s:g} s",), name="scribe")
    lalm = Direct(ServedLALM(Endpoint(url=served.url, model="toy"), name="toy", form=form, asr=scribe))
    short, long = (AudioClip(np.zeros(num, np.float32)) for num in (8_000, 24_000))
    answer = await lalm.answer(QUESTION, short, long)
    content = served.requests[0]["messages"][-1]["content"]
    assert [part.get("text", part["type"]) for part in content[:-1]] == [
        *("Recording 1:", "input_audio", "Transcript: 0.5 s"),
        "Recording 2, in 2 consecutive parts:",
        *("input_audio", "Transcript: 0.75 s", "input_audio", "Transcript: 0.75 s"),
    ]
    assert [(one.recording, one.start_s) for one in answer.evidence[1:]] == [(1, 0.0), (2, 0.0), (2, 0.75)]
    with pytest.raises(TooLarge, match=r"The 2 recordings last 5\.0 s together; the LALM 'toy' hears at most 4 x 1 s"):
        await lalm.answer(QUESTION, *[AudioClip(np.zeros(40_000, np.float32))] * 2)
    with pytest.raises(TooManyClips, match="hears at most 4 recordings"):
        await lalm.answer(QUESTION, *[short] * 5)


async def test_a_limit_of_all_clips_together_holds_for_one_as_well() -> None:
    form = RequestForm(max_clip_s=2.0, max_clips=8, max_total_s=3.0)
    clip = AudioClip(np.zeros(28_000, np.float32))
    assert [len(parts) for parts in form.split_each((clip,), "toy")] == [1]
    with pytest.raises(TooLarge, match=r"The 2 recordings last 3\.5 s together; the LALM 'toy' hears at most 3 s"):
        form.split_each((clip, clip), "toy")
    with pytest.raises(TooLarge, match=r"The clip lasts 3\.5 s; the LALM 'toy' hears at most 3 s"):
        form.split_clip(AudioClip(np.zeros(56_000, np.float32)), "toy")
