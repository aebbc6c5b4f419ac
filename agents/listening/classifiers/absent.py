"""Questions for what is absent: which sound is not heard, who is left out.

A word that denies or leaves out, and then a linear classifier of the question
(`agents.listening.classifiers.text_classifier`), which tells "Which instrument is not heard?" from "Why is he not at
home?". `python -m benchmarks.planner.fit_absent` fits it.
"""

import re

from agents.listening.classifiers.text_classifier import open_text_classifier

FILE = "absent.safetensors"
ABSENT, PRESENT = "absent", "present"
DENIAL = re.compile(
    r"\b(?:not|cannot|\w+n[’']t|never|none?|nothing|nowhere|without|except|excluding|excluded|besides|lacks?|lacking|missing"
    r"|absent|unheard|unused|unmentioned|untrue|false|wrong|incorrect|fails?|leaves? out|left out"
    r"|nicht|keine?[mnrs]?|fehlt|ohne|nie|pas|jamais|manque|sans|nunca|falta|sin|non|mai|senza|manca|não|sem"
    r"|niet|geen|zonder|не|нет|без)\b|[没不無无未]|ない|なかっ",
    re.IGNORECASE,
)
"""Words that deny or leave out, in the planner's languages. Whether such a question asks for what is not there, or only
denies something besides, is what the classifier tells."""


def estimate_asks_for_absent(text: str) -> float:
    """Estimate the probability that a question asks for what is not there: which sound is missing, who is left out."""
    return open_text_classifier(FILE).estimate(text)[ABSENT] if DENIAL.search(text) else 0.0
