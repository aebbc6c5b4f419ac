"""Speech with something to count, calculate or put in order: numbers, times, dates, prices, lists, repeated words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lalm.distill.facts import (
    OWN,
    Fact,
    Wordings,
    capitalise,
    capitalise_first,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
)
from lalm.synthesise.draft import ClipDraft, Draw
from lalm.synthesise.speech.finishing import finish_speech, join
from lalm.synthesise.speech.numbers import (
    MONTHS,
    WEEKDAYS,
    word_digits,
    word_integer,
    word_ordinal,
    word_price,
    word_time,
)
from lalm.synthesise.speech.scripts import LISTS, Slots
from lalm.synthesise.speech.voices import Delivery, VoiceBank, speak

COUNTED_LISTS = ("animal", "fruit", "colour", "city", "name", "instrument", "flower")
SENTENCES = (
    "On {weekday} {name} saw a {animal} near {place}.",
    "{name} put {thing} and some {fruit} on the table.",
    "Because of {weather} {name} took {vehicle} to {place}.",
    "{name} is {job} and loves {hobby}.",
    "The {colour} door of {place} was closed on {weekday}.",
    "In {season} the garden is full of {flower}, said {name}.",
    "{name} ate {food} and drank {drink} in {city}.",
    "After the {subject} lesson {name} felt {feeling}.",
    "{name} and {name2} will play {sport} in {month}.",
    "Somebody left {thing} in {vehicle} at {time}.",
    "{number} people came from {city} to hear {instrument}.",
    "The {animal} that {name} found has {illness}, said the {animal2} keeper.",
)
RATES = {"slow": 0.62, "fast": 1.65}
RATE_WORDS: Mapping[str, Wordings] = {
    "slow": ("Slowly", "At a slow pace"),
    "normal": ("At a normal speed", "At an ordinary pace"),
    "fast": ("Very fast", "At a fast pace"),
}


class SpokenNumber(NamedTuple):
    """A number, time, date or price, and how it is said."""

    right: str
    """In digits."""
    wrong: Sequence[str]
    """Similar ones; one may be the right one."""
    words: str
    """The sentence that says it."""


def make_number_said(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say a number, a telephone number, a time, a date or a price."""
    said = draw.rng.choice((_draw_number, _draw_telephone, _draw_time, _draw_date, _draw_price))(draw)
    fact = make_choice("number_said", said.right, said.wrong)
    return _say(bank, draw, said.words, [fact], "a number, time, date or price")


def _draw_number(draw: Draw) -> SpokenNumber:
    value = draw.rng.choice((draw.rng.randint(13, 99), draw.rng.randint(100, 999), draw.rng.randint(1000, 19_999)))
    near = {value + 1, value - 1, value + 10, value - 10, int(str(value)[::-1]), value + 100}
    opening = draw.rng.choice(("The number is", "The answer is", "Please write down", "There were exactly"))
    wrong = [str(one) for one in sorted(near) if one > 0]
    return SpokenNumber(str(value), wrong, f"{opening} {word_integer(value)}.")


def _draw_telephone(draw: Draw) -> SpokenNumber:
    digits = [draw.rng.randrange(10) for _ in range(draw.rng.randint(5, 7))]
    changed = []
    for place in draw.rng.sample(range(len(digits)), 3):
        other = list(digits)
        other[place] = (other[place] + draw.rng.randint(1, 9)) % 10
        changed.append(" ".join(map(str, other)))
    return SpokenNumber(" ".join(map(str, digits)), changed, f"My telephone number is {word_digits(digits)}.")


def _draw_time(draw: Draw) -> SpokenNumber:
    hour, minute = draw.rng.randint(1, 12), draw.rng.choice((0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55))
    others = [
        (hour % 12 + 1, minute),
        (hour, (minute + 30) % 60),
        (hour, (minute + 15) % 60),
        ((hour + 5) % 12 + 1, 20),
    ]
    opening = draw.rng.choice(("It is", "The lesson begins at", "We will meet at", "The shop opens at"))
    wrong = [f"{h}:{m:02}" for h, m in others]
    return SpokenNumber(f"{hour}:{minute:02}", wrong, f"{opening} {word_time(hour, minute)}.")


def _draw_date(draw: Draw) -> SpokenNumber:
    day, month = draw.rng.randint(1, 28), draw.rng.choice(MONTHS)
    others = [f"{month} {day % 28 + 1}", f"{draw.rng.choice(MONTHS)} {day}", f"{month} {(day + 9) % 28 + 1}"]
    opening = draw.rng.choice(("The party is on", "She was born on", "The course starts on", "Today is"))
    return SpokenNumber(f"{month} {day}", others, f"{opening} the {word_ordinal(day)} of {month}.")


def _draw_price(draw: Draw) -> SpokenNumber:
    euros, cents = draw.rng.randint(1, 99), draw.rng.choice((0, 20, 50, 75, 95))
    others = [(euros + 1, cents), (euros + 10, cents), (euros, (cents + 25) % 100)]
    opening = draw.rng.choice(("That will be", "The ticket costs", "This book is only"))
    prices = [f"{e}.{c:02} euros" for e, c in others]
    return SpokenNumber(f"{euros}.{cents:02} euros", prices, f"{opening} {word_price(euros, cents)}.")


def make_arithmetic(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say numbers whose sum, difference or largest is asked for."""
    values = draw.rng.sample(range(1, 60), draw.rng.choice((2, 2, 3)))
    thing = draw.rng.choice(LISTS["fruit"])
    people = draw.rng.sample(LISTS["name"], len(values))
    words = ", ".join(f"{who} has {word_integer(n)} {thing}" for who, n in zip(people, values, strict=True)) + "."
    most = people[values.index(max(values))]
    facts = [
        make_number("number_sum", sum(values), lowest=2),
        make_number("largest_number", max(values)),
        make_choice("who_has_most", most, people),
    ]
    if len(values) == 2:
        facts.append(make_number("number_difference", abs(values[0] - values[1])))
    return _say(bank, draw, words, facts, "how much several people have")


def make_weekday(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say a day, and ask for the day some days later."""
    day, later = draw.rng.randrange(7), draw.rng.randint(1, 6)
    words = f"Today is {WEEKDAYS[day]}. The exam is in {word_integer(later)} day{'s' * (later > 1)}."
    right = WEEKDAYS[(day + later) % 7]
    return _say(bank, draw, words, [make_choice("day_reckoned", right, WEEKDAYS)], "a day of the week")


def make_list(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Read a list, and ask for its length, a place, a neighbour or what is missing."""
    name = draw.rng.choice(COUNTED_LISTS)
    items = draw.rng.sample(LISTS[name], draw.rng.randint(3, min(6, len(LISTS[name]) - 1)))
    absent = [item for item in LISTS[name] if item not in items]
    place = draw.rng.randrange(len(items))
    after = draw.rng.randrange(1, len(items))

    def make_item_fact(kind: str, item: str, about: str = "") -> Fact:
        wrong = tuple(capitalise(other) for other in items if other not in {item, about})
        return Fact(kind, capitalise(item), wrong=wrong, about=about, pool=OWN)

    is_true = draw.decide(0.5)
    facts = [
        make_number("num_items", len(items), lowest=2),
        make_item_fact("item_at", items[place], word_ordinal(place + 1)),
        make_item_fact("item_last", items[-1]),
        make_item_fact("item_after", items[after], items[after - 1]),
        make_yes_no("item_present", is_true=is_true, about=draw.rng.choice(items if is_true else absent)),
        Fact(
            "item_missing",
            capitalise(draw.rng.choice(absent)),
            wrong=tuple(map(capitalise, items)),
            pool=OWN,
            is_open=False,
        ),
    ]
    return _say(bank, draw, ", ".join(items) + ".", facts, "a list is read out", rate=0.85)


def make_repeated_word(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say one word several times among others."""
    name = draw.rng.choice(COUNTED_LISTS)
    word, *others = draw.rng.sample(LISTS[name], 4)
    count = draw.rng.randint(1, 5)
    said = draw.shuffle([word] * count + draw.rng.choices(others, k=draw.rng.randint(2, 4)))
    facts = [make_number("word_count", count)._replace(about=word)]
    most = max(set(said), key=said.count)
    if sum(said.count(one) == said.count(most) for one in set(said)) == 1 and len(set(said)) > 1:
        wrong = tuple(capitalise(one) for one in sorted(set(said) - {most}))
        facts.append(Fact("word_most", capitalise(most), wrong=wrong, pool=OWN))
    return _say(bank, draw, ", ".join(said) + ".", facts, "words, some of them repeatedly", rate=0.85)


def make_rate(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say a sentence slowly, at a normal speed or fast; or twice, at two speeds."""
    sentence = make_sentence(draw)
    voice = bank.draw(draw)
    if draw.decide(0.5):
        speed = draw.rng.choice(list(RATE_WORDS))
        samples = speak(voice, sentence, Delivery(RATES.get(speed, 1.0)))
        facts = [make_worded_choice("speaking_rate", speed, RATE_WORDS)]
        return finish_speech(
            [voice], draw, samples, facts, words=sentence, said=f"spoken {RATE_WORDS[speed][0].lower()}"
        )
    first, second = draw.shuffle(list(RATES))
    parts = [speak(voice, sentence, Delivery(RATES[speed])) for speed in (first, second)]
    change: dict[str, Wordings] = {
        "fast": ("The second time is faster", "Faster the second time"),
        "slow": ("The second time is slower", "Slower the second time"),
        "same": ("Both times at the same speed", "No difference in speed"),
    }
    facts = [make_worded_choice("rate_change", second, change)]
    twice = f"{sentence} {sentence}"
    return finish_speech([voice], draw, join(parts, draw), facts, words=twice, said="a sentence twice, at two speeds")


def make_voices(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Let several people say one thing each, and ask who says what."""
    count = draw.rng.choice((2, 3, 3, 4))
    voices = [bank.draw(draw)]
    while len(voices) < count:
        voices.append(bank.draw(draw, unlike=voices))
    likes = draw.rng.sample(LISTS["hobby"] + LISTS["sport"], count)
    texts = [f"I like {like}." for like in likes]
    samples = join([speak(voice, text) for voice, text in zip(voices, texts, strict=True)], draw)
    who = draw.rng.randrange(count)
    wrong = tuple(capitalise(like) for like in likes if like != likes[who])
    place = word_ordinal(who + 1)
    speakers = [f"The {word_ordinal(one + 1)} speaker" for one in range(count)]
    facts = [
        Fact("speaker_likes", capitalise(likes[who]), wrong=wrong, about=place, pool=OWN),
        make_choice("who_likes", speakers[who], speakers, about=likes[who]),
    ]
    return finish_speech(voices, draw, samples, facts, words=" ".join(texts), said="people say what they like")


def make_sentence(draw: Draw) -> str:
    """Write a sentence of everyday words."""
    return Slots(draw).fill(draw.rng.choice(SENTENCES))


def make_plain(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say one or two sentences, and ask for their words."""
    sentences = [make_sentence(draw) for _ in range(draw.rng.choice((1, 1, 2)))]
    words = " ".join(sentences)
    tokens = words.strip(".").split()
    facts = [
        Fact("said", (words,), pool="said in English", is_choice=len(tokens) <= 14),
        Fact("first_words", (" ".join(tokens[:3]),), pool="first English"),
        Fact("last_words", (" ".join(tokens[-3:]),), pool="last English"),
    ]
    long = [token.strip(".,").lower() for token in tokens if len(token.strip(".,")) >= 5]
    spoken = frozenset(token.strip(".,").lower() for token in tokens)
    facts.append(Fact("word", capitalise(draw.rng.choice(long)), also_true=spoken, pool="English words", is_open=False))
    return _say(bank, draw, words, facts, "a sentence or two")


def _say(bank: VoiceBank, draw: Draw, words: str, facts: Sequence[Fact], said: str, *, rate: float = 1.0) -> ClipDraft:
    """Say something with one English voice."""
    voice = bank.draw(draw)
    text = capitalise_first(words)
    how = Delivery(rate * draw.rng.uniform(0.88, 1.12), draw.rng.randint(35, 65))
    return finish_speech([voice], draw, speak(voice, text, how), facts, words=text, said=said)
