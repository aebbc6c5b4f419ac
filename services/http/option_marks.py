"""Marks of options at the start of a line, in the alphabets and styles of many languages.

`(A)`, `A.`, `a)`, `1.`, `- (A)`, `**A.**`, `[A]`, `Ａ．`, `A、`, `①`, `Option A:`, `（ア）`, `А)` in Cyrillic.
"""

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

MOST_OPTIONS = len(ascii_uppercase)
ALPHABETS = (
    tuple(ascii_uppercase),
    tuple(ascii_lowercase),
    tuple(str(number) for number in range(1, MOST_OPTIONS + 1)),
    ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"),
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    tuple("АБВГДЕЖЗИК"),
    tuple("абвгдежзик"),
    tuple("ΑΒΓΔΕΖΗΘ"),
    tuple("αβγδεζηθ"),
    tuple("アイウエオカキク"),
    tuple("가나다라마바사아"),
    tuple("甲乙丙丁戊己庚辛"),
    tuple("一二三四五六七八九十"),
    tuple("אבגדהוזח"),
    tuple("أبجدهوزح"),
)
"""The marks of a list in their order."""

HALF_WIDTH = {0xFF01 + number: 0x21 + number for number in range(94)} | {0x3000: 0x20}
"""Characters as East Asian keyboards write them, which stand for those of ASCII."""
TIGHT_SIGNS = (".", ")", ":")  # that also stand within numbers, times and abbreviations
BULLET = r"(?:[-*•·–—▪●○◦‣]\s+)?"
WORD = r"(?:(?:option|choice|antwort|opción|opção|opzione|вариант|选项|選項|選択肢)\s*)?"
BRACKETS = (("(", ")"), ("[", "]"), ("【", "】"), ("<", ">"), ("{", "}"))
LETTERS = r"[^\W\d_]{1,5}|\d{1,2}"
MARK = re.compile(
    rf"{BULLET}(?:\*\*|__)?{WORD}"
    rf"(?:(?P<opening>[(\[【<{{])\s?(?P<inside>{LETTERS})\s?(?P<closing>[)\]】>}}])[.:]?"
    rf"|(?P<bare>{LETTERS})(?P<sign>[.):、]|\s[-–—](?=\s)))"
    r"(?:\*\*|__)?(?P<space>\s*)(?P<text>\S.*)",
    re.IGNORECASE,
)
CIRCLED = re.compile(rf"{BULLET}(?P<mark>[①-⑳Ⓐ-ⓩ])\s*(?P<text>\S.*)")


class MarkedLine(NamedTuple):
    """A line that begins with the mark of an option."""

    mark: str
    style: str
    """The signs around the mark."""
    text: str

    def place_in(self, alphabet: tuple[str, ...]) -> int | None:
        """Return the number of the mark in an alphabet, from 0; None where it is of another."""
        return alphabet.index(self.mark) if self.mark in alphabet else None


def read_mark(line: str) -> MarkedLine | None:
    """Read the mark of a stripped line; None where it begins with none."""
    if circled := CIRCLED.fullmatch(line):
        return MarkedLine(unicodedata.normalize("NFKC", circled["mark"]), "circled", circled["text"])
    found = MARK.fullmatch(line.translate(HALF_WIDTH))
    if found is None:
        return None
    mark, text = found["inside"] or found["bare"], line[found.start("text") :]
    if found["inside"]:
        is_pair = (found["opening"], found["closing"]) in BRACKETS
        return MarkedLine(mark, found["opening"] + found["closing"], text) if is_pair else None
    sign = line[found.start("sign") : found.end("sign")].strip()
    is_tight = not found["space"] and sign in TIGHT_SIGNS and text[0].isascii()
    if is_tight and (sign == ":" or len(mark) > 1 or mark.isdecimal()):  # as in 2:30, U.S. and 1.5
        return None
    return MarkedLine(mark, found["sign"].strip(), text)
