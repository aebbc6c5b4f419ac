"""Speech in many languages: sentences with their meaning, digits, and switches from one language to another."""

from collections.abc import Mapping
from pathlib import Path

from lalm.distill.facts import THEN, Fact, list_wordings, make_choice, make_number
from lalm.synthesise.draft import ClipDraft, Draw, NoSource
from lalm.synthesise.speech.finishing import finish_speech, join
from lalm.synthesise.speech.sayings import make_sentence
from lalm.synthesise.speech.voices import SyntheticVoice, VoiceBank, speak
from services.types import Value


class ForeignSentences(Value):
    """The same sentences in many languages."""

    meanings: tuple[str, ...]
    sentences: Mapping[str, tuple[str, ...]]


FOREIGN = ForeignSentences.model_validate_json(Path(__file__).with_name("foreign.json").read_text(encoding="utf-8"))


def make_language(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say a sentence, or a few numbers, in one language."""
    voice = bank.draw(draw, language=draw.rng.choice([one for one in bank.list_languages(draw) if one != "English"]))
    facts = [Fact("language", (voice.language,))]
    if voice.language in FOREIGN.sentences and draw.decide(0.7):
        which = draw.rng.randrange(len(FOREIGN.meanings))
        words = FOREIGN.sentences[voice.language][which]
        facts.append(make_choice("meaning", FOREIGN.meanings[which], FOREIGN.meanings))
    else:  # the synthesiser reads digits out in its language
        words = ", ".join(
            str(draw.rng.choice((draw.rng.randrange(1, 20), draw.rng.randrange(20, 1000)))) for _ in range(4)
        )
    return finish_speech([voice], draw, speak(voice, words), facts, words=words, said="a sentence in another language")


def make_switch(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say sentences in several languages, one after the other."""
    known = [one for one in bank.list_languages(draw) if one in FOREIGN.sentences or one == "English"]
    if len(known) < 3:
        raise NoSource(f"{draw.side}: no three languages")
    languages = draw.rng.sample(known, draw.rng.choice((2, 2, 3)))
    voices: list[SyntheticVoice] = []
    texts = []
    for language in languages:
        voices.append(bank.draw(draw, language=language))
        known_texts = FOREIGN.sentences.get(language)
        texts.append(draw.rng.choice(known_texts) if known_texts else make_sentence(draw))
    samples = join([speak(voice, text) for voice, text in zip(voices, texts, strict=True)], draw)
    others = {tuple(draw.shuffle(languages)) for _ in range(8)} - {tuple(languages)}
    facts = [
        make_number("num_languages", len(languages)),
        Fact("first_language", (languages[0],), wrong=list_wordings(languages[1:]), pool="language"),
        Fact("last_language", (languages[-1],), wrong=list_wordings(languages[:-1]), pool="language"),
        Fact(
            "language_order",
            (THEN.join(languages),),
            wrong=list_wordings(THEN.join(one) for one in sorted(others)),
        ),
    ]
    said = f"sentences in {len(languages)} languages, {THEN.join(languages)}"
    return finish_speech(voices, draw, samples, facts, words=" ".join(texts), said=said)
