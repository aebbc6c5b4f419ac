"""Question-focused captioning: one short statement on the topic that a question asks about.

A general caption spreads order and counts over many lines. Here only the analysis that the focus calls for runs; it
reports one result, also at a lower confidence, and compares only the sounds that the options name.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from services.captioners.asked.events import state_events
from services.captioners.asked.harmony import counts_chords, state_chords, state_key
from services.captioners.asked.numbers import are_beats
from services.captioners.asked.speakers import state_speaker_changes
from services.captioners.focus import FocusQuery
from services.captioners.music import harmony, melody
from services.captioners.music.caption import INTERVAL_PRECISION, MIN_MUSICALITY, estimate_musicality
from services.captioners.music.instrument import InstrumentHead, InstrumentTurn, find_turns
from services.captioners.music.notes import DetectedNote, name_interval, name_pitch, pitch_to_hz
from services.captioners.music.pitches import BasicPitch
from services.captioners.music.players import Players, describe_style, name_instruments
from services.captioners.music.style import STYLE_SCALE, StyleClassifier, name_styles
from services.captioners.naming import OptionScale
from services.captioners.rhythm.analyser import Rhythm, RhythmAnalyser, weigh_tempi
from services.captioners.rhythm.note_rate import describe_note_rate
from services.captioners.rhythm.onsets import detect_strokes, drop_spoken
from services.captioners.sounds.loudness import describe_loudness
from services.captioners.sounds.meanings import open_sound_meanings
from services.captioners.sounds.quality import describe_quality
from services.captioners.sounds.sections import SoundTagger
from services.captioners.sounds.tags import Tag, rank_sounds
from services.captioners.sounds.yamnet import YamNet
from services.captioners.statement import Statement, make_labels, make_statement
from services.captioners.timeline import list_played, list_timeline
from services.captioners.voices.emotion import describe_emotion
from services.captioners.voices.segments import detect_speech
from services.captioners.voices.speaker import SpeakerAnalyser
from services.sentences.encoder import SentenceEncoder
from services.sentences.meaning import WeighedOption
from services.types import SAMPLE_RATE, AudioClip, Evidence, EvidenceKind, Label

SOURCE = "focus"
SAME_TEMPO = 0.08  # logarithm of the ratio of two tempi that count as equal
MAX_STEPS = 6
SPOKEN_COUNT = (
    r"how many (\w+ )?(words|digits|numbers|names|letters|syllables|sentences|phrases)"
    r"|how (often|many times)\b.*\b(says?|said|spoken|words?)"
)
"""Pattern of questions that count what is said, which the onsets do not give."""
DURATION = r"longest|shortest|longer|shorter|lasts|how long|duration"
SAME_PITCH = 0.03  # logarithm of the ratio of two frequencies that count as equal: half a semitone
MIN_CONFIDENCE = 0.2  # below it the likeliest of the sounds asked about is a guess
MIN_PROBABILITY = 0.4  # of the likeliest option; below it no statement is made
MAX_NAMED, MAX_RATIO = 2, 10.0  # options in a statement, and how many times likelier the first may be than the next
PLAYERS_PRECISION, SECTIONS_PRECISION = 0.7, 0.65
"""Share of right numbers, from two on, of instruments and of different sounds (see docs/log)."""
INSTRUMENT_SCALE = OptionScale(2.0, -5.5)


class TimedSound(NamedTuple):
    """A sound, and how long it is heard in one section."""

    name: str
    duration_s: float


class Analysers(NamedTuple):
    """The analysers that the captioner has open."""

    yamnet: YamNet
    """Sound events, and the embeddings that the other classifiers read."""
    pitch: BasicPitch
    """Polyphonic transcription."""
    tagger: SoundTagger
    """Sound event tagging and segmentation."""
    speakers: SpeakerAnalyser
    """Speaker diarisation."""
    instruments: InstrumentHead
    """Instrument recognition."""
    rhythm: RhythmAnalyser
    """Tempo, metre and course of the tempo."""
    style: StyleClassifier
    """Genre and mood."""
    sentences: SentenceEncoder
    """Embeddings of the options."""


class FocusedListener:
    """Runs the analysis that a focus calls for."""

    def __init__(self, models: Analysers) -> None:
        self._models = models
        self._sounds = open_sound_meanings(models.yamnet.names, models.sentences)
        self._instrument_names = name_instruments(models.instruments.labels)
        self._heard_in_turn = open_sound_meanings(models.yamnet.names, models.sentences, with_voices=True)
        self._topics: Mapping[str, Callable[[AudioClip, FocusQuery], list[Statement]]] = {
            "order": self._order,
            "count": self._count,
            "tempo": self._find_tempo,
            "key": self._find_key,
            "pitch": self._find_pitch,
            "speaker": self._find_speaker,
            "instrument": self._find_instrument,
            "style": self._find_style,
            "sound": self._find_sound,
        }

    def __call__(self, clip: AudioClip, focus: FocusQuery) -> tuple[Evidence, ...]:
        """Return the statements on the topic; empty where it cannot be determined."""
        if focus.topic == "quality":
            return (
                describe_loudness(clip)
                if focus.asks("loud\\w*|volume|level")
                else describe_quality(clip, is_speech=True)
            )
        if focus.topic == "emotion":
            return self._state_emotions(clip)
        if focus.topic == "timeline":
            return self._list_timeline(clip, focus)
        said = self._topics[focus.topic](clip, focus)
        return tuple(statement.to_evidence(clip, source=SOURCE) for statement in said)

    def _order(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        if focus.asks(DURATION):
            return _state_lengths(self._find_timed_sounds(clip, focus), focus)
        if focus.asks("speak\\w*|talk\\w*|voices?|who"):
            return self._find_speaker(clip, focus)
        steps = (
            self._find_players(clip, focus) if focus.asks("instruments?|play\\w*") else self._find_sounds(clip, focus)
        )
        if len(steps) < 2:
            return []
        if focus.asks("first|begins?|starts?"):
            return [make_statement("event", "Heard first: {}.", [steps[0]], 0.7, "model")]
        if focus.asks("last|ends?|final\\w*"):
            return [make_statement("event", "Heard last: {}.", [steps[-1]], 0.7, "model")]
        return [_state_in_order("event", "Order", steps, 0.7)]

    def _list_timeline(self, clip: AudioClip, focus: FocusQuery) -> tuple[Evidence, ...]:
        """Return one statement a section with the probability of each option; one a turn where all are instruments."""
        if played := self._find_turns_of(clip, focus.options):
            return tuple(list_played(played, focus.options, self._instrument_names))
        turns = self._models.speakers.find_turns(clip, detect_speech(clip.samples))
        sections = self._models.tagger.find_sections(clip)
        return tuple(list_timeline(sections, turns, focus.options, self._heard_in_turn))

    def _find_turns_of(self, clip: AudioClip, options: tuple[str, ...]) -> tuple[InstrumentTurn, ...]:
        """Return the turns of the instruments that the options name, or families; empty where an option names none."""
        head = self._models.instruments
        meant = [self._instrument_names.match(option).intersection(head.labels) for option in options]
        if len(meant) < 2 or not all(meant):
            return ()
        named = sorted(head.labels.index(label) for label in frozenset[str]().union(*meant))
        logs = head(clip.samples, self._models.yamnet(clip.samples))[:, named]
        return find_turns(logs, tuple(head.labels[i] for i in named)) if len(named) > 1 else ()

    def _find_sounds(self, clip: AudioClip, focus: FocusQuery) -> list[str]:
        return _drop_repeats([sound.name for sound in self._find_timed_sounds(clip, focus)])

    def _find_timed_sounds(self, clip: AudioClip, focus: FocusQuery) -> list[TimedSound]:
        """Return the sound of each section in order, one that the options name where there is one."""
        found = []
        for section in self._models.tagger.find_sections(clip):
            names = [tag.sound for tag in section.tags]
            name = next(iter(focus.find_named(names)), names[0])
            found.append(TimedSound(name, sum(span.duration_s for span in section.spans)))
        return found

    def _find_players(self, clip: AudioClip, focus: FocusQuery) -> list[str]:
        head = self._models.instruments
        logs = head(clip.samples, self._models.yamnet(clip.samples))
        named = [head.labels.index(label) for label in focus.find_named(head.labels)]
        if len(named) > 1:
            logs = logs[:, named]
        labels = tuple(head.labels[i] for i in named) if len(named) > 1 else head.labels
        return _drop_repeats([turn.label for turn in find_turns(logs, labels)])

    def _count(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        if focus.asks_how_many("speakers?|people|persons?|voices|men|women"):
            return self._find_speaker(clip, focus)
        if focus.asks("words?|digits?|numbers?|syllables?|sentences?|names?"):
            return []  # the ASR counts these
        if focus.asks("beats"):
            return self._find_tempo(clip, focus)
        if focus.asks("notes|tones"):
            found = melody.extract_melody(clip.samples, self._models.pitch(clip.samples))
            return [make_statement("melody", "Number of notes: {}.", [len(found)], 0.8)] if found else []
        if focus.asks(SPOKEN_COUNT):
            return []
        return self._count_things(clip, focus)

    def _count_things(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        """Count chords, instruments, different sounds, or else what is heard one by one."""
        if counts_chords(focus):
            return state_chords(self._models.pitch(clip.samples), focus)
        if focus.asks_how_many("instruments?|players?|musicians?"):
            return _state_number("instrument", "instruments", len(self._find_all_players(clip)), PLAYERS_PRECISION)
        if focus.asks_how_many("sounds?|sources?") and focus.asks("different|distinct|kinds?|types?|sources?"):
            return _state_number("event", "sounds", len(self._models.tagger.find_sections(clip)), SECTIONS_PRECISION)
        speech = self._models.tagger(clip, detect_speech(clip.samples)).speech
        times_s = [onset.time_s for onset in drop_spoken(detect_strokes(clip.samples), speech)]
        return [state_events(times_s, focus.options)] if times_s else []

    def _find_all_players(self, clip: AudioClip) -> frozenset[str]:
        """Return the instruments that play by themselves or lead for a while."""
        head = self._models.instruments
        logs = head(clip.samples, self._models.yamnet(clip.samples))
        return frozenset(turn.label for turn in find_turns(logs, head.labels))

    def _find_tempo(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        found = self._models.rhythm(clip.samples)
        if are_beats(focus.options) or focus.asks_how_many("beats"):
            return _state_metre(found)
        weighed = weigh_tempi(found.candidates, focus.options)
        statements = _state_options("rhythm", "Of the tempi asked about, most like", weighed) if weighed else []
        return statements or _state_rhythm(found, focus) or self._find_note_rate(clip)

    def _find_note_rate(self, clip: AudioClip) -> list[Statement]:
        """State how the pace of an unaccompanied melody changes, which may have no beat that is told."""
        pitches = self._models.pitch(clip.samples)
        notes = melody.extract_melody(clip.samples, pitches)
        is_solo = melody.measure_solo_share(notes, pitches) >= melody.MIN_SOLO_SHARE
        return describe_note_rate([note.start_s for note in notes]) if is_solo else []

    def _find_key(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        pitches = self._models.pitch(clip.samples)
        notes = melody.extract_melody(clip.samples, pitches)
        if focus.asks("scale"):
            scale = melody.recognise_scale([note.pitch for note in notes])
            return [make_statement("melody", "Scale: {}.", [scale], 0.8)] if scale else []
        if focus.asks("chords?"):
            return state_chords(pitches, focus)
        is_solo = melody.measure_solo_share(notes, pitches) >= melody.MIN_SOLO_SHARE
        key = harmony.estimate_key_of_melody(notes) if is_solo else harmony.estimate_key(pitches)
        return state_key(key, None if is_solo else harmony.find_key_change(pitches), focus, may_change=not is_solo)

    def _find_pitch(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        notes = melody.extract_melody(clip.samples, self._models.pitch(clip.samples))
        if len({note.pitch for note in notes}) == 1 and not focus.asks("moves?|melody|course|direction"):
            return [_state_tone(clip, max(notes, key=lambda note: note.duration_s), focus)]
        if len(notes) < 2:
            return []
        if len(notes) == 2 and focus.asks("intervals?|semitones?|steps?|apart|distance"):
            interval = name_interval(notes[1].pitch - notes[0].pitch)
            return [make_statement("melody", "Interval: {}.", [interval], INTERVAL_PRECISION)]
        course = melody.describe_contour([note.pitch for note in notes])
        return [make_statement("melody", "Course of the melody: {}.", [course], melody.CONTOUR_PRECISION)]

    def _find_speaker(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        turns_of = self._models.speakers.find_turns(clip, detect_speech(clip.samples))
        if not turns_of:
            return []
        if focus.asks("order|first|then|last|sequence|change\\w*"):
            return [
                _state_in_order("speaker", "Order of the speakers", [turn.who for turn in turns_of], 0.6),
                *state_speaker_changes(turns_of, focus),
            ]
        number = len({turn.voice for turn in turns_of})
        if focus.asks("how many|number"):
            return [make_statement("speaker", "Number of speakers: {}.", [number], 0.6, "model")]
        who = list(dict.fromkeys(turn.who for turn in turns_of))
        return [Statement("speaker", f"Speaking: {', '.join(who)}.", 0.7, "model", make_labels(who))]

    def _state_emotions(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Return the vocal emotion of each speaker turn."""
        found = self._models.speakers.find_turns(clip, detect_speech(clip.samples))
        return tuple(statement for turn in found for statement in describe_emotion(clip, turn.spans, turn.who))

    def _find_instrument(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        players = Players(self._models.instruments, clip.samples, self._models.yamnet(clip.samples))
        weighed = self._instrument_names.weigh(focus.options, players.scores, INSTRUMENT_SCALE)
        if weighed:
            return _state_options("instrument", "Of the instruments asked about, most like", weighed)
        return [make_statement("instrument", "Instrument: {}.", [players.labels[0]], 0.5, "model")]

    def _find_style(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        heard = self._models.yamnet(clip.samples)
        if estimate_musicality(heard) < MIN_MUSICALITY:
            return []
        scores, names = self._models.style(clip.samples, heard), name_styles()
        if not all(map(names.match, focus.options)):
            return []  # a style outside the table would lose against any in it
        weighed = names.weigh(focus.options, scores, STYLE_SCALE)
        if weighed:
            return _state_options("music", "Of the styles asked about, most like", weighed)
        return describe_style(scores, clip.duration_s)

    def _find_sound(self, clip: AudioClip, focus: FocusQuery) -> list[Statement]:
        scores = self._models.tagger.score(clip)
        weighed = self._sounds.weigh(focus.options, scores) if scores else ()
        is_heard = weighed and Tag(weighed[0].text, weighed[0].score).confidence >= MIN_CONFIDENCE
        if weighed and (is_heard or focus.is_named):
            return _state_options("sound", "Of the sounds asked about, most like", weighed)
        if not scores or not focus.is_named:
            return []  # the loudest sound does not answer a question about something else
        best = rank_sounds(scores)[0]
        return [make_statement("sound", "Heard most clearly: {}.", [best.sound], best.confidence, "model")]


def _state_options(kind: EvidenceKind, what: str, weighed: tuple[WeighedOption, ...]) -> list[Statement]:
    """State the likeliest options with their probabilities; nothing where none reaches `MIN_PROBABILITY`."""
    best = weighed[0].probability
    if best < MIN_PROBABILITY:
        return []
    labels = [
        Label.round_to_label(one.text, one.probability)
        for one in weighed[:MAX_NAMED]
        if one.probability >= best / MAX_RATIO
    ]
    return [Statement(kind, f"{what}: {', else '.join(map(str, labels))}.", best, "model", tuple(labels))]


def _state_number(kind: EvidenceKind, what: str, number: int, precision: float) -> list[Statement]:
    """State how many there are; one may as well be several that sound alike."""
    if number < 2:
        return []
    return [make_statement(kind, f"Number of different {what}: {{}}.", [number], precision, "model")]


def _state_rhythm(found: Rhythm, focus: FocusQuery) -> list[Statement]:
    if focus.asks("bar|bars|metre|meter|time signature"):
        return _state_metre(found)
    asks_course = focus.asks("change\\w*|happens|speed\\w*|faster|slower|constant|steady")
    if found.course and (asks_course or found.changes):
        return [Statement("rhythm", f"The tempo {found.course.text}.", found.course.probability, "model")]
    if not found.tempo:
        return []
    bpm = f"{_pick_nearest(found.tempo.bpm, focus, SAME_TEMPO):.0f} BPM"
    return [make_statement("rhythm", "Tempo: {}.", [bpm], found.tempo.probability, "model")]


def _state_metre(found: Rhythm) -> list[Statement]:
    metre, text = found.metre, "Beats in each bar: {}."
    return [make_statement("rhythm", text, [metre.beats_per_bar], metre.probability, "model")] if metre else []


def _state_lengths(sounds: list[TimedSound], focus: FocusQuery) -> list[Statement]:
    """State how long each sound is heard in all, or which is heard longest or shortest."""
    lengths_s: dict[str, float] = {}
    for sound in sounds:
        lengths_s[sound.name] = lengths_s.get(sound.name, 0.0) + sound.duration_s
    if not lengths_s:
        return []
    for words, what, pick in (("longest|longer", "longest", max), ("shortest|shorter", "for the shortest time", min)):
        if focus.asks(words) and len(lengths_s) > 1:
            name = pick(lengths_s, key=lambda one: lengths_s[one])
            return [make_statement("event", f"Heard {what}: {{}}, {lengths_s[name]:.1f} s.", [name], 0.6, "model")]
    listed = ", ".join(f"{name} {length_s:.1f} s" for name, length_s in lengths_s.items())
    return [Statement("event", f"How long each is heard: {listed}.", 0.6, "model", make_labels(lengths_s))]


def _state_in_order(kind: EvidenceKind, what: str, steps: list[str], confidence: float) -> Statement:
    shown = steps[:MAX_STEPS]
    return Statement(kind, f"{what}: {', then '.join(shown)}.", confidence, "model", make_labels(shown))


def _state_tone(clip: AudioClip, note: DetectedNote, focus: FocusQuery) -> Statement:
    """State the pitch of a tone: in hertz where the options or the question name hertz, else as a note name."""
    if not any(option.endswith(("hz", "hertz")) for option in focus.options) and not focus.asks("hz|hertz|frequency"):
        return make_statement("melody", "Pitch: {}.", [name_pitch(note.pitch)], 0.8)
    samples = clip.cut(note.start_s, note.end_s).samples
    near_hz = pitch_to_hz(note.pitch)
    bins_hz = np.fft.rfftfreq(8 * len(samples), 1 / SAMPLE_RATE)
    levels = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    hertz = float(
        bins_hz[np.where(np.abs(np.log(np.maximum(bins_hz, 1) / near_hz)) < 2 * SAME_PITCH, levels, 0).argmax()]
    )
    return make_statement("melody", "Pitch: {}.", [f"{_pick_nearest(hertz, focus, SAME_PITCH):.0f} Hz"], 0.8)


def _pick_nearest(measured: float, focus: FocusQuery, ratio: float) -> float:
    """Return the number among the options within this logarithm of a ratio of the measured one, else the latter."""
    asked = [float(word) for option in focus.options for word in option.split() if word.isdigit()]
    return next((one for one in asked if one and abs(np.log(measured / one)) < ratio), measured)


def _drop_repeats(names: list[str]) -> list[str]:
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
