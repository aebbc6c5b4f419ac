"""Special tokens in replies: end of turn, role headers, marks of thinking and of the answer, by model family.

The marks are those of the families' chat templates. What is not in these tables and looks like a mark leaves a reply
unread: a thought must never count as the answer.
"""

import ast
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

END_TOKENS = (
    *("<|im_end|>", "<|endoftext|>", "<|end_of_text|>"),  # ChatML: Qwen, Yi, InternLM, SmolLM, Phi-4; GPT; Granite
    *("</s>", "<s/>", "<eos>", "[EOS]", "<|eos|>", "<pad>", "[PAD]", "<unk>"),  # Llama 2, Mistral, T5, Gemma, Hunyuan
    *("<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>"),  # Llama 3 and 4, Jamba
    *("<end_of_turn>", "<turn|>", "<end_of_utterance>"),  # Gemma 2 and 3, Gemma 4, Idefics and SmolVLM
    *("<|end|>", "<|return|>", "<|call|>"),  # Phi-3, harmony (gpt-oss)
    *("<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>"),  # Command R
    *("<|end▁of▁sentence|>", "<|end_of_sentence|>", "[|endofturn|]", "<|endofturn|>", "<|stop|>"),  # DeepSeek, EXAONE
    *("<|assistant_end|>", "<|role_end|>", "<seed:eos>", "[e~[", "<eoa>", "<eod>", "[unused10]"),  # Apertus, Ling, Seed
    *("<|user|>", "<|observation|>", "<|im_start|>user", "<start_of_turn>user", "[INST]", "<|endofresponse|>"),
)
START_TOKENS = (
    *("<s>", "<bos>", "[BOS]", "<|begin_of_text|>", "<|startoftext|>", "<|begin▁of▁sentence|>", "[gMASK]", "<sop>"),
    *("<|im_start|>", "<|im_sep|>", "<|im_assistant|>", "<|im_middle|>", "<|start_header_id|>", "<|end_header_id|>"),
    *("<|header_start|>", "<|header_end|>", "<start_of_turn>", "<|turn>", "<|start|>", "<|begin|>", "<|content|>"),
    *("<|start_of_role|>", "<|end_of_role|>", "<|assistant|>", "<|Assistant|>", "<|assistant_start|>", "[|assistant|]"),
    *("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>", "[/INST]", "<|message|>", "<seed:bos>", "<|response|>"),
)
ROLES = ("assistant", "model", "chatbot", "ai")

THOUGHT_NAMES = (  # of tags such as <think>…</think>, also with a prefix as in <seed:think>
    *("think", "thinking", "thought", "thoughts", "reason", "reasoning", "reflection", "reflect", "analysis"),
    *("scratchpad", "inner_monologue", "antthinking", "longcat_think", "rationale", "cot", "plan", "planning"),
    *("caption", "summary", "critique", "verification"),  # stages of Audio-Reasoner and LLaVA-CoT
)
THOUGHT_PAIRS = (
    *(("◁think▷", "◁/think▷"), ("[THINK]", "[/THINK]")),  # Kimi, Magistral
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    *(("<|begin_of_thought|>", "<|end_of_thought|>"), ("<|inner_prefix|>", "<|inner_suffix|>")),  # OpenThinker, Apertus
    *(("<|think|>", "<|content|>"), ("<|think_start|>", "<|think_end|>"), ("<|think|>", "<|/think|>")),  # Solar, others
    *(("<|channel>thought", "<channel|>"), ("<ctrl94>thought", "<ctrl95>")),  # Gemma 4, Gemini
    ("[unused16]", "[unused17]"),  # openPangu
    ("<|im_start|>think", "<|im_start|>answer"),  # s1
    ("<|im_start|>assistant/think", "<|im_start|>assistant\n"),  # HyperCLOVA X Think
    ("Here is my thought process:", "Here is my response:"),  # Granite 3.2
    *(("<!--", "-->"), ("<details>", "</details>")),  # comments of HTML, and what is folded away in Markdown
)
ANSWER_NAMES = ("answer", "final_answer", "response", "solution", "conclusion", "output", "result", "final")
ANSWER_PAIRS = (
    *(("<|begin_of_box|>", "<|end_of_box|>"), ("[ANSWER]", "[/ANSWER]")),  # GLM-4.1V and later
    *(("<|begin_of_solution|>", "<|end_of_solution|>"), ("<|START_RESPONSE|>", "<|END_RESPONSE|>")),
)
MAX_OBJECTS = 32  # opening braces that are tried as JSON
WHICH = r"(?:(?:final|correct|best|right|selected|chosen|predicted|the|my|your)_)*"
ANSWER_KEYS = (  # the most explicit first
    re.compile(rf"{WHICH}(?:answer|prediction|choice|option|letter)(?:_(?:letter|option|choice|text|key|label))?"),
    re.compile(rf"{WHICH}(?:{'|'.join(ANSWER_NAMES)})"),
)
BETWEEN_OBJECTS = re.compile(r"(?:[\s,;\[\]`]|json)*")
BETWEEN_BOXES = re.compile(r"[\s,;$]*(?:(?:and|or)\b[\s$]*)?")
BOX = re.compile(r"\\(?:boxed|fbox)\{(?:\\\w+\{)?([^{}]*)\}")
FORMATS = ("b", "i", "u", "p", "em", "strong", "mark", "code", "span", "div", "h1", "h2", "h3", "li", "ul", "ol", "pre")
HARMONY = re.compile(r"<\|channel\|>\s*(\w++)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
PLAIN_HARMONY = re.compile(
    r"\A\s*(?:analysis|commentary)(?:.*assistant\s*final(?=\S)|(?=[A-Z])(?!.*assistant\s*final))", re.S
)
ANY_BRACKET = re.escape("".join(chr(n) for n in range(0x10000) if unicodedata.category(chr(n)) in {"Ps", "Pe"}))
"""Every opening and closing bracket of Unicode: an end mark with a slash is one in any of them."""
UNKNOWN = re.compile(
    r"<\|[^<>|\n]{1,60}\|>|<\|[\w/]{2,40}>|<[\w/]{2,40}\|>"
    r"|</?[A-Za-z][\w:.-]{2,40}(?:\s[^<>\n]{0,80})?/?>|</[A-Za-z]\w?>"
    rf"|[◁{ANY_BRACKET}]\s*/\s*\w[\w -]{{0,40}}[▷{ANY_BRACKET}]|[◁⟨]\s*\w[\w -]{{0,40}}[▷⟩]"
)
HEADING = re.compile(r"\s*[\[{【〈《]\s*(\w[\w -]{2,40})\s*[\]}】〉》]")  # at the start, such as "[thinking]"
BRACKETS = "<>[]{}【】〈〉《》/ "
HEADINGS = frozenset({"answer", "final answer", "correct answer", "the answer", "final", "result", "response"})
TRAILING = re.compile(r"<\|[^<>|\n]{1,60}\|>\Z")
NUM_TRAILING = 64  # characters of the longest mark at the end
THOUGHTFUL = re.compile(r"think|thought|reason|analy|reflect|inner|monolog|scratch|plan", re.I)


FENCED = re.compile(r"```(?:json)?\s*+\n?(.*)```", re.DOTALL | re.IGNORECASE)
JSONReply = TypeVar("JSONReply", bound=BaseModel)


def match_any(tokens: Iterable[str]) -> str:
    """Return a pattern for any of the tokens, the longest first."""
    return "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))


TAG = re.compile(rf"<\s*+(/?)\s*+(?:\w+:)?(?:{match_any(THOUGHT_NAMES)})(?:\s[^<>]*)?>", re.I)
END = re.compile(match_any(END_TOKENS), re.I)
START = re.compile(
    rf"\A(?:\s*(?:{match_any(START_TOKENS)})(?:\s*(?:{match_any(ROLES)})(?=\s*(?:<|\[|\n|:)))?:?)+", re.I
)
LINE_TAG = re.compile(r"<(?:br|hr)\s*+/?>", re.I)
MARKDOWN_HEADING = re.compile(r"^ {0,3}#{1,6} +(?=\S)", re.M)
STRUCK = re.compile(r"~~(?=\S).*?(?<=\S)~~", re.S)  # struck out, in Markdown
UNDERSCORED = re.compile(r"(?<![^\W_])_{1,3}(?=[^\W_]|[(\"'])|(?<=[^\s_])_{1,3}(?![^\W_])")  # emphasis, in Markdown
FENCED_THOUGHT = re.compile(
    rf"```[^\S\n]*(?:{'|'.join(THOUGHT_NAMES)})[^\S\n]*\n(?:.*?\n[^\S\n]*(?P<end>```)|.*)", re.S | re.I
)
FORMAT = re.compile(rf"<(/?)({match_any(FORMATS)})(?:\s[^<>]*)?>", re.I)
ANSWER_TAGS = tuple(
    re.compile(rf"<(?:\w+:)?{name}(?:\s[^<>]*)?>(.*?)(?:</(?:\w+:)?{name}>|</|\Z)", re.S | re.I)
    for name in ANSWER_NAMES
)
ANSWER_MARKS = (
    *ANSWER_TAGS[:2],
    re.compile(rf"\A([^<>]*)</(?:{'|'.join(ANSWER_NAMES[:2])})>", re.I),  # where the prompt ends in the opening tag
    *(re.compile(rf"{re.escape(opens)}(.*?)(?:{re.escape(closes)}|\Z)", re.S | re.I) for opens, closes in ANSWER_PAIRS),
    *ANSWER_TAGS[2:],
)


UNKNOWN_PAIR = re.compile(
    rf"<((?!(?:{'|'.join(ANSWER_NAMES)})\b)[A-Za-z][\w:.-]*)(?:\s[^<>\n]*)?>.*?</\1>", re.S | re.I
)


class _Mark(NamedTuple):
    start: int
    end: int
    family: int
    closes: bool


def read_final_text(reply: str, options: Iterable[str]) -> str | None:
    """Return what a reply says when its thoughts and special tokens are taken away.

    None where a thought is unfinished or a mark is unknown. `options` are texts that may look like marks themselves.
    """
    text = _read_final_channel(unescape(reply))  # as a page or an XML answer has it
    if text is None or any(not fence["end"] for fence in FENCED_THOUGHT.finditer(text)):
        return None
    text = _drop_thoughts(FENCED_THOUGHT.sub("", text))
    if text is None:
        return None
    text = START.sub("", text, count=1)
    text = _cut_at_end(text)
    text = _drop_formats(_drop_trailing(text))
    if not _holds_unknown_mark(text, options):
        return text
    is_marked = any(mark.search(text) for mark in ANSWER_TAGS[:2])
    outside = UNKNOWN_PAIR.sub("", text) if is_marked else ""  # of tags such as <explanation> beside an <answer>
    is_marked = any(mark.search(outside) for mark in ANSWER_TAGS[:2])
    return outside if is_marked and not _holds_unknown_mark(outside, options) else None


def read_json_reply(reply: str, record: type[JSONReply]) -> JSONReply | None:
    """Read a reply that is JSON of a record, perhaps behind a thought or in a code fence; None where it is not."""
    return _parse_json(reply, record) or _parse_json(read_final_text(reply, ()), record)


def _parse_json(text: str | None, record: type[JSONReply]) -> JSONReply | None:
    text = (text or "").strip()
    fenced = FENCED.fullmatch(text)
    try:
        return record.model_validate_json(fenced[1] if fenced else text)
    except ValidationError:
        return None


def find_marked_answers(text: str) -> Iterator[str]:
    """Yield what a tag, JSON or a box marks as the answer: the last one of each kind, the most explicit kind first.

    Of JSON that follows on JSON without a word between, as in a list, all answers are one: nothing says which counts.
    So are those of boxes. An object without an answer marks none, whatever else it names, such as what was ruled out.
    """
    for mark in ANSWER_MARKS:
        for answer in mark.findall(text)[-1:]:
            yield _drop_answer_marks(answer)
    yield from _find_json_answers(text)[-1:]
    yield from _find_boxes(text)[-1:]
    if (fields := _read_object(text)) is not None:
        right = [key for key, value in fields.items() if value is True]  # {"A": false, "B": true}
        is_marked = len(right) == 1 and all(isinstance(value, bool) for value in fields.values())
        yield right[0] if is_marked else "\n".join(_list_answers(fields))


def _find_boxes(text: str) -> list[str]:
    """Return what each box holds; boxes in a row hold one answer, each in a line."""
    answers: list[str] = []
    last_end = 0
    for box in BOX.finditer(text):
        follows = bool(answers) and BETWEEN_BOXES.fullmatch(text, last_end, box.start())
        before = answers.pop().splitlines() if follows else []
        answers.append("\n".join(dict.fromkeys((*before, box[1]))))
        last_end = box.end()
    return answers


def _read_object(text: str) -> Mapping[str, object] | None:
    """Return the one object of JSON, or of Python, that a text is, perhaps in a code fence; None for any other."""
    text = text.strip()
    fenced = FENCED.fullmatch(text)
    text = fenced[1].strip() if fenced else text.removeprefix("json").strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value: object = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return value if isinstance(value, dict) and all(isinstance(key, str) for key in value) else None
    return None


def _find_json_answers(text: str) -> list[str]:
    """Return the answer of each JSON object; where fields of one differ, or objects in a row, each in a line."""
    answers: list[str] = []
    last_end = 0
    for brace in list(re.finditer(r"\{", text))[-MAX_OBJECTS:]:
        try:
            fields, end = json.JSONDecoder().raw_decode(text, brace.start())
        except (ValueError, RecursionError):  # no JSON; a number of thousands of digits; nested without end
            continue
        if found := _list_answers(fields):
            follows = bool(answers) and BETWEEN_OBJECTS.fullmatch(text, last_end, max(last_end, brace.start()))
            before = answers.pop().splitlines() if follows else []
            answers.append("\n".join(dict.fromkeys((*before, *found))))
            last_end = end
    return answers


def _list_answers(fields: Mapping[str, object]) -> list[str]:
    """Return the different answers of a JSON object, under its most explicit keys."""
    values = [
        (key.lower().replace(" ", "_"), str(one))
        for key, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if _is_plain(one)
    ]
    found = ([value for key, value in values if pattern.fullmatch(key)] for pattern in ANSWER_KEYS)
    return list(dict.fromkeys(next(filter(None, found), [])))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


def _read_final_channel(text: str) -> str | None:
    """Return the last message of a harmony reply, if it is the final one; other replies are returned as they are."""
    *_, last = [None, *HARMONY.finditer(text)]
    if last:
        return text[last.end() :] if last[1].casefold() == "final" else None
    plain = PLAIN_HARMONY.match(text)  # what is left where a server removes special tokens
    if not plain:
        return text
    return text[plain.end() :] if plain[0].rstrip().endswith("final") else None


def _cut_at_end(text: str) -> str:
    """Return the text before the first end token that has words before it; what follows is another turn."""
    for end in END.finditer(text):
        if text[: end.start()].strip():
            return text[: end.start()]
    return END.sub("", text)


def _drop_trailing(text: str) -> str:
    """Return the text without the special tokens at its end, unless one of them is about thinking."""
    end = len(text.rstrip())
    while mark := TRAILING.search(text, max(0, end - NUM_TRAILING), end):
        end = len(text[: mark.start()].rstrip())
    return text if THOUGHTFUL.search(text, end) else text[:end]


def _drop_formats(text: str) -> str:
    """Return the text without what only formats it: pairs of tags, one in another or not, and Markdown's emphasis.

    Tags of lines end one; what is struck out is gone.
    """
    text = MARKDOWN_HEADING.sub("", text)
    text = UNDERSCORED.sub("", STRUCK.sub(" ", LINE_TAG.sub("\n", text)))
    opened: defaultdict[str, list[re.Match[str]]] = defaultdict(list)
    pairs: list[re.Match[str]] = []
    for tag in FORMAT.finditer(text):
        closes, name = tag[1], tag[2].casefold()
        if not closes:
            opened[name].append(tag)
        elif opened[name]:
            pairs += [opened[name].pop(), tag]
    kept: list[str] = []
    start = 0
    for tag in sorted(pairs, key=lambda tag: tag.start()):
        kept.append(text[start : tag.start()])
        start = tag.end()
    return "".join((*kept, text[start:]))


def _drop_thoughts(text: str) -> str | None:
    """Return what follows the last thought; None where one is unfinished. The prompt may hold the opening mark."""
    open_families: list[int] = []
    start = opened = 0
    outside: list[str] = []
    for mark in _find_thought_marks(text):
        if not mark.closes:
            opened = opened if open_families else mark.start
            open_families.append(mark.family)
        elif mark.family in open_families:
            del open_families[open_families.index(mark.family) :]
        elif open_families:
            continue
        if not open_families:
            outside.append(text[start : max(start, opened)])
            start = mark.end
    if open_families:
        return None
    around = "".join((*outside, text[start:]))  # an answer before its reasons
    is_last = not re.search(r"\w", re.sub(r"</\w+>", "", text[start:]))
    return around if is_last and any(tag.search(around) for tag in ANSWER_TAGS[:2]) else text[start:]


def _find_thought_marks(text: str) -> list[_Mark]:
    marks = {_Mark(tag.start(), tag.end(), 0, bool(tag[1])) for tag in TAG.finditer(text)}
    folded = text.casefold()
    openings = [opens for opens, _ in THOUGHT_PAIRS]
    for opens, closes in THOUGHT_PAIRS:
        if opens.casefold() not in folded and closes in START_TOKENS:  # it also begins a reply without a thought
            continue
        family = 1 + openings.index(opens)  # a family may close its thoughts in more than one way
        for is_closing, token in enumerate((opens, closes)):
            if token.casefold() in folded:
                found = re.finditer(re.escape(token), text, re.I)
                marks |= {_Mark(one.start(), one.end(), family, bool(is_closing)) for one in found}
    return sorted(marks)


def _holds_unknown_mark(text: str, options: Iterable[str]) -> bool:
    known = tuple(option.casefold() for option in options)
    found = [mark[0].casefold() for mark in UNKNOWN.finditer(_drop_answer_marks(text))]
    if (heading := HEADING.match(text)) and heading[1].casefold() not in HEADINGS:
        found.append(heading[0].strip().casefold())
    return any(
        not any(mark in option or mark.strip("<>[]【】〈〉《》/ ") == option for option in known) for mark in found
    )


def _drop_answer_marks(text: str) -> str:
    for mark in ANSWER_MARKS:
        text = mark.sub(r"\1", text)
    return text
