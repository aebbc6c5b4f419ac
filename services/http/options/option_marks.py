"""Marks of options at the start of a line, in the alphabets and styles of many languages.

`(A)`, `A.`, `a)`, `1.`, `- (A)`, `**A.**`, `**A**:`, `[A]`, `Ａ．`, `A、`, `①`, `⑴`, `🅰`, `1️⃣`, `Option A:`,
`"A": "…",`, `<A>…</A>`, `（ア）`, `А)` in Cyrillic, `क)`, `١.`.
"""

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

MOST_NUMBERED = 100  # numbers are read beyond the most options that work, so that too many of them are refused
ALPHABETS = (
    tuple(ascii_uppercase),
    tuple(ascii_lowercase),
    tuple(map(str, range(1, MOST_NUMBERED))),
    tuple(map(str, range(MOST_NUMBERED))),
    ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"),
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    tuple("АБВГДЕЖЗИК"),
    tuple("абвгдежзик"),
    tuple("ΑΒΓΔΕΖΗΘ"),
    tuple("αβγδεζηθ"),
    tuple("ԱԲԳԴԵԶԷԸ"),
    tuple("აბგდევზთ"),
    tuple("アイウエオカキク"),
    tuple("イロハニホヘト"),
    tuple("가나다라마바사아"),
    tuple("ㄱㄴㄷㄹㅁㅂㅅㅇ"),
    tuple("甲乙丙丁戊己庚辛"),
    tuple("一二三四五六七八九十"),
    tuple("אבגדהוזח"),
    tuple("أبجدهوزح"),
    tuple("أبتثجحخد"),
    ("الف", "ب", "ج", "د", "ه", "و"),
    tuple("कखगघङचछज"),
    tuple("কখগঘঙচছজ"),
    tuple("กขคงจฉชซ"),
    tuple("அஆஇஈஉஊஎஏ"),
)
"""The marks of a list in their order."""

HALF_WIDTH = {0xFF01 + number: 0x21 + number for number in range(94)} | {0x3000: 0x20}
"""Characters as East Asian keyboards write them, which stand for those of ASCII."""
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\u202a\u202b\u202c\ufeff"
"""Marks of direction and of order of bytes, which text that was copied begins with."""
TIGHT_SIGNS = (".", ")", ":")  # that also stand within numbers, times and abbreviations
BULLET = r"(?:[-*+•·–—▪●○◦‣>]\s+)?(?:\[[ xX]?\]\s+)?"
EMPHASIS = r"(?:\*\*|__|[`\"'“”])"
WORD = (
    r"(?:(?:option|choice|answer|antwort|opción|opção|opzione|respuesta|resposta|réponse|вариант|ответ|选项|選項|選択肢)"
    r"\s*)?"
)
BRACKETS = (("(", ")"), ("[", "]"), ("【", "】"), ("<", ">"), ("{", "}"))
LETTERS = r"[^\W\d_]{1,5}|\d{1,2}"
MARK = re.compile(
    rf"{BULLET}(?P<emphasis>{EMPHASIS})?{WORD}"
    rf"(?:(?P<opening>[(\[【<{{])\s?(?P<inside>{LETTERS})\s?(?P<closing>[)\]】>}}]){EMPHASIS}?[.:]?"
    rf"|(?P<bare>{LETTERS})(?:(?P<sign>[.):、]|[=→](?=\s|[^\W\d])|[>|/](?=\s)|\t|\s[-–—=|→](?=\s))|{EMPHASIS}(?P<outer>[.):、]|(?=\s))))"
    rf"{EMPHASIS}?(?P<space>\s*)(?P<text>\S.*)",
    re.IGNORECASE,
)
CIRCLES = "①-⑳⑴-⒇⒈-⒛⒜-⒵Ⓐ-ⓩ❶-❿➀-➉➊-➓㉠-㉭㋐-㋾🄐-🄩🄰-🅉🅐-🅩🅰-🆉"
CIRCLED = re.compile(rf"{BULLET}(?:(?P<mark>[{CIRCLES}])\ufe0f?|(?P<keycap>\d)\ufe0f?\u20e3)\s*(?P<text>\S.*)")
FILLED = ("❶", "➀", "➊")  # first of ten circles without a compatible number
FILLED_LETTERS = ("🅐", "🅰")
QUOTED = re.compile(r"([\"'“])(.*)[\"'”],?")


class MarkedLine(NamedTuple):
    """A line that begins with the mark of an option."""

    mark: str
    style: str
    """The signs around the mark."""
    text: str

    def place_in(self, alphabet: tuple[str, ...]) -> int | None:
        """Return the number of the mark in an alphabet, from 0; None where it is of another."""
        mark = fold_mark(self.mark)
        return alphabet.index(mark) if mark in alphabet else None


def fold_mark(mark: str) -> str:
    """Return a mark as the alphabets have it: numbers in the digits of ASCII, letters of a number as letters."""
    if mark.isdecimal():
        return str(int(mark))
    return mark if len(mark) > 1 or mark.isalpha() else unicodedata.normalize("NFKC", mark)


def read_circle(mark: str) -> str:
    """Return the number or letter that a circle, a square or a keycap holds."""
    for first in FILLED:
        if 0 <= ord(mark) - ord(first) < 10:
            return str(ord(mark) - ord(first) + 1)
    for first in FILLED_LETTERS:
        if 0 <= ord(mark) - ord(first) < len(ascii_uppercase):
            return ascii_uppercase[ord(mark) - ord(first)]
    inside = unicodedata.normalize("NFKC", mark).strip("().")
    return {"\u1100": "ㄱ", "\u1102": "ㄴ", "\u1103": "ㄷ", "\u1105": "ㄹ", "\u1106": "ㅁ"}.get(inside, inside)


def read_mark(line: str) -> MarkedLine | None:
    """Read the mark of a stripped line; None where it begins with none."""
    line = line.lstrip(INVISIBLE)
    if circled := CIRCLED.fullmatch(line):
        mark = circled["keycap"] or read_circle(circled["mark"])
        return MarkedLine(mark, "circled", circled["text"])
    found = MARK.fullmatch(line.translate(HALF_WIDTH))
    if found is None:
        return None
    mark, text = found["inside"] or found["bare"], _unquote(found, line[found.start("text") :])
    if found["inside"]:
        is_pair = (found["opening"], found["closing"]) in BRACKETS
        text = text.removesuffix(f"</{mark}>").rstrip() or text  # of a tag
        return MarkedLine(mark, found["opening"] + found["closing"], text) if is_pair else None
    group = "sign" if found["sign"] else "outer"
    if group == "outer" and not found["emphasis"]:
        return None
    sign = line[found.start(group) : found.end(group)].strip()
    is_tight = not found["space"] and sign in TIGHT_SIGNS and text[0].isascii()
    if is_tight and (sign == ":" or (len(mark) > 1 and not mark.isdecimal()) or (mark + text[0]).isdecimal()):
        return None  # as in 2:30, U.S. and 1.5
    return MarkedLine(mark, found[group].strip() or "emphasis", text)


def _unquote(found: re.Match[str], text: str) -> str:
    """Return the text of a pair such as `"A": "Rain",` without its quotes."""
    quoted = QUOTED.fullmatch(text) if found["emphasis"] in ('"', "'", "“") else None
    return quoted[2] if quoted else text
