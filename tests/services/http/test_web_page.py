"""The web page at `/`: its files, and its behaviour in a real browser with a real server."""

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import uvicorn
from fastapi.testclient import TestClient
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from services.errors import ModelError
from services.http.access.auth import ApiKeys, make_key
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.http.web_page import TYPES
from services.progress import report_stage
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedService
from services.types import (
    Answer,
    AudioClip,
    Choice,
    Citation,
    Claim,
    Evidence,
    EvidenceKind,
    Label,
    Question,
    Reasons,
    TraceStep,
)
from services.web import FOLDER

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MOST_BYTES = 260_000  # of all that a first visit loads
MOST_EXAMPLE_BYTES = 80_000
READ = TraceStep(step="read", text="reader", seconds=0.2)
LISTENED = TraceStep(step="listen", text="tiny")
DRAWN = """
const canvases = [...document.querySelector(".tl-sound > div").shadowRoot.querySelectorAll("canvas")];
const pixels = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const painted = (canvas) => pixels(canvas).some((value) => value > 0);
return canvases.length > 1 && canvases.every((canvas) => !canvas.width || painted(canvas));
"""
OWN = """
const own = (name) => name.startsWith(location.origin) || name.startsWith("blob:");
return performance.getEntriesByType("resource").every((one) => own(one.name));
"""
HOSTILE = "<img src=x onerror='window.hit = 1'>"


def state(kind: EvidenceKind, text: str, start_s: float, end_s: float | None, *labels: str) -> Evidence:
    """Return a statement of a captioner."""
    named = tuple(Label(text=label) for label in labels)
    return Evidence(
        kind=kind, source="listener", revision="1", text=text, start_s=start_s, end_s=end_s, labels=named, use="read"
    )


HEARD = (
    state("sound", f"A tone {HOSTILE}", 0.5, 1.0),
    state("transcript", "Good morning.", 0.25, 1.0),
    state("transcript", "It rains.", 1.0, 2.0),
    state("quality", "Clean.", 0.0, None),
)
REASONS = Reasons(
    status="given",
    author="tiny",
    claims=(
        Claim(text=f"A tone sounds {HOSTILE}", cites=(Citation(id="S1", start_s=0.5, end_s=1.0),), verdict="supported"),
        Claim(
            text="Somebody greets seven people.",
            cites=(Citation(id="S2", start_s=0.25, end_s=1.0),),
            verdict="wrong_number",
            faults=("seven",),
        ),
        Claim(text="It is morning.", verdict="uncited"),
    ),
)
TURNS = tuple(
    state("speaker", f"Speaker {who} speaks.", at, at + 0.4, f"speaker {who}")
    for who, at in ((1, 0.1), (2, 0.6), (1, 1.2))
)


def choose(question: Question, choice: Choice) -> dict[str, Any]:
    """Return the fields of an answer that chooses one option."""
    odds = {one.letter: 0.75 if one == choice else 0.25 for one in question.choices}
    return {"question_id": "", "reply": choice.letter, "choice": choice, "probabilities": odds}


async def read(question: Question, _: AudioClip | None) -> Answer:
    """Choose the first option, with evidence; wait or fail in the last stage where the question says so."""
    with report_stage("caption", total=2.0, unit="seconds of audio") as running:
        running.advance_to(2.0)
    with report_stage("read"):
        if "wait" in question.text:
            await asyncio.sleep(30)
        if "fail" in question.text:
            raise ModelError(f"The server answered 500 {HOSTILE}")
    fields = choose(question, question.choices[0]) | ({"reasons": REASONS} if question.wants_reasons else {})
    if "several" in question.text:
        told = (HEARD[0], *(HEARD[place].model_copy(update={"recording": place}) for place in (1, 2)))
        return Answer(path="cascade", trace=(READ,), evidence=told, timings_s={"read": 0.2}, **fields)
    return Answer(path="cascade", trace=(READ,), evidence=HEARD, timings_s={"read": 0.2}, **fields)


def listen(question: Question, _: AudioClip | None) -> Answer:
    """Choose the last option, without evidence."""
    return Answer(path="lalm", trace=(LISTENED,), timings_s={"read": 0.2}, **choose(question, question.choices[-1]))


def two_arms() -> ScriptedService:
    """Return a cascade and a LALM that never agree, with a captioner that tells two speakers apart."""
    service = ScriptedService({"cascade": read, "lalm": listen}, ("cascade/tiny", "lalm/tiny", "both"))
    service.ears_for_sounds = ScriptedEars(lambda _, focus: TURNS if focus and focus.topic == "turns" else (HEARD[0],))
    return service


@pytest.fixture
def url() -> Iterator[str]:
    yield from served(ApiKeys())


@pytest.fixture
def guarded() -> Iterator[tuple[str, str]]:
    """Yield the address of a server that asks for a key, and the key."""
    secret, key = make_key("alice")
    for url in served(ApiKeys((key,))):
        yield url, secret


def served(keys: ApiKeys) -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(two_arms(), Limits(), keys), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver: apt install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Driver(DRIVER))
    yield browser
    browser.quit()


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self._wait = WebDriverWait(browser, 20)
        self.errors()  # of the page before are not of this one
        browser.get(url)
        self.until(lambda: "2 models are ready" in self.text("#state"))

    def until(self, holds: Callable[[], bool]) -> None:
        self._wait.until(lambda _: holds())

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def open(self, *files: Path) -> None:
        self.find("#file").send_keys("\n".join(map(str, files)))

    def ask(self, question: str, choices: str = "a tone\na dog") -> None:
        for selector, text in (("#question", question), ("#choices", choices)):
            self.find(selector).clear()
            self.find(selector).send_keys(text)
        self.find("#ask").click()

    def compare(self, *, blind: bool) -> None:
        self.find("#comparison summary").click()
        Select(self.find("#second")).select_by_value("lalm/tiny")
        if blind:
            self.find("#blind").click()

    def errors(self) -> list[str]:
        log: list[dict[str, str]] = self.browser.execute("getLog", {"type": "browser"})["value"]
        return [line["message"] for line in log if line["level"] == "SEVERE"]


@pytest.fixture
def page(browser: Chrome, url: str) -> Page:
    return Page(browser, url)


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    clip = tmp_path / "tone.wav"
    soundfile.write(clip, 0.5 * np.sin(np.arange(32_000) * 0.17), 16_000)
    return clip


def test_every_file_is_our_own_and_requests_only_our_own() -> None:
    with TestClient(create_app(two_arms(), Limits()), "http://127.0.0.1") as client:
        page = client.get("/")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "//" not in page.text.replace("<!doctype html>", "")
        for name in ("page.css", "page.js", "lanes.js", "card.js", "votes.js", "wavesurfer.min.js", "example.mp3"):
            assert client.get(f"/web/{name}").status_code == 200
        assert client.get("/web/wavesurfer-LICENSE.txt").status_code == 404
        assert client.get("/web/..%2Fgateway.py").status_code == 404


def test_a_first_visit_loads_little() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir() if path.suffix in TYPES}
    assert sizes.pop("example.mp3") < MOST_EXAMPLE_BYTES
    assert sum(sizes.values()) < MOST_BYTES


@pytest.mark.browser
def test_a_person_asks_both_blind_votes_and_plays_the_evidence(page: Page, tone: Path) -> None:
    page.find("#ask").click()
    assert page.text("#problem") == "Choose a recording first, or record one."
    page.open(tone)
    page.compare(blind=True)
    page.until(lambda: page.find(".tl-play").is_enabled())
    page.ask("What is heard?")
    page.until(lambda: page.text("#agreement") == "They differ.")
    shown = page.text("#answers")
    assert "cascade" not in shown and "listener" not in shown
    assert "75.0 %" in shown
    assert not page.browser.find_elements(By.CSS_SELECTOR, ".lane-track")
    page.find("[data-vote=A]").click()
    assert "A was " in page.text("#agreement") and "listener" in page.text("#answers")
    assert HOSTILE in page.text("#answers")
    page.find(".evidence button").click()
    page.until(lambda: page.text(".tl-play") == "Pause")
    votes = json.loads(page.browser.execute_script("return localStorage.getItem('earwitness-votes')"))
    assert [(vote["winner"], vote["blind"]) for vote in votes] == [("A", True)]
    assert {votes[0]["A"]["answer"], votes[0]["B"]["answer"]} == {"a tone", "a dog"}
    assert page.browser.execute_script("return window.hit") is None
    assert page.errors() == []


@pytest.mark.browser
def test_evidence_lies_in_lanes_that_are_read_with_the_keyboard_and_play_their_span(page: Page, tone: Path) -> None:
    page.open(tone)
    page.until(lambda: page.find(".tl-play").is_enabled())
    page.find("#describe").click()
    page.until(lambda: "statements" in page.text("#described"))
    page.ask("What is heard?")
    page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".answer")))
    lanes = page.browser.find_elements(By.CSS_SELECTOR, ".lane-track")
    names = [lane.get_attribute("aria-label") for lane in lanes]
    assert names == ["Words: 2 statements", "Speakers: 3 statements", "Sounds: 1 statement", "Quality: 1 statement"]
    speakers = [
        [span.text for span in row.find_elements(By.TAG_NAME, "button")]
        for row in lanes[1].find_elements(By.CLASS_NAME, "lane-row")
    ]
    assert speakers == [["speaker 1", "speaker 1"], ["Speaker 2 speaks."]]
    first, second = lanes[0].find_elements(By.TAG_NAME, "button")
    assert [first.get_attribute("tabindex"), second.get_attribute("tabindex")] == ["0", "-1"]
    share = float(second.rect["x"] - lanes[0].rect["x"]) / float(lanes[0].rect["width"])
    assert share == pytest.approx(0.5, abs=0.02)
    first.send_keys(Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element == second
    assert second.accessible_name == "Play 1–2 s, Words, read for the answer: It rains."
    assert "It rains." in page.text(".tl-tip")
    second.send_keys(Keys.ESCAPE)
    assert not page.find(".tl-tip").is_displayed()
    second.send_keys(Keys.ENTER)
    page.until(lambda: page.text(".tl-play") == "Pause")
    hostile = lanes[2].find_element(By.TAG_NAME, "button")
    hostile.send_keys("")
    assert HOSTILE in page.text(".tl-tip")
    assert page.browser.execute_script("return window.hit") is None
    assert page.errors() == []


@pytest.mark.browser
def test_the_example_can_be_asked_about_on_a_telephone_with_the_stages_of_the_work_in_view(page: Page) -> None:
    page.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        page.find("#example").click()
        page.until(lambda: page.find(".tl-play").is_enabled())
        assert page.browser.execute_script(DRAWN)
        page.ask("Please wait")
        page.until(lambda: "Reading these notes" in page.text("#answers"))
        assert page.text(".stages .done").startswith("✓\nDescribing the sounds, voices and music (2 s)")
        page.find("#stop").click()
        page.until(lambda: "Stopped." in page.text("#answers"))
        page.ask("Please fail")
        page.until(lambda: "The server answered 500" in page.text("#answers"))
        assert page.browser.execute_script("return window.hit") is None
        page.ask("What?", "\n".join(f"Option {number} with a long text and a{'n' * 60}" for number in range(26)))
        page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".answer")))
        assert page.browser.execute_script("return document.documentElement.scrollWidth") == 390
        assert page.browser.execute_script(OWN)
        assert page.errors() == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.browser
def test_a_recording_that_the_browser_cannot_play_still_has_its_lanes(page: Page, tone: Path) -> None:
    aiff = tone.with_suffix(".aiff")
    soundfile.write(aiff, soundfile.read(tone)[0], 16_000)
    page.open(aiff)
    page.until(lambda: page.text("#clip").startswith("tone.aiff, 65 kB. This browser cannot play it; ask, and"))
    assert not page.find(".tl-scroll").is_displayed()  # it would be an empty box
    page.ask("What is heard?")
    page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".lane-track")))
    assert page.find(".lane-track button").accessible_name == "0.3–1 s, Words, read for the answer: Good morning."
    assert not page.find(".tl-play").is_displayed()


@pytest.mark.browser
def test_each_of_several_recordings_has_a_time_line_with_what_is_said_about_it(page: Page, tone: Path) -> None:
    other = tone.with_name("<b>other.wav")
    shutil.copy(tone, other)
    page.open(tone, other)
    page.ask("Which of several?")
    page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".answer")))
    page.until(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".tl-play:enabled")) == 2)
    words = "return [...document.querySelectorAll('[data-lane=Words] button')].map((span) => span.textContent)"
    assert page.browser.execute_script(words) == ["Good morning.", "It rains."]
    assert "2. <b>other.wav" in page.text("#clip")
    page.find(".evidence li:nth-child(3) button").click()
    buttons = page.browser.find_elements(By.CSS_SELECTOR, ".tl-play")
    page.until(lambda: [button.text for button in buttons] == ["Play", "Pause"])
    assert page.errors() == []


@pytest.mark.browser
def test_a_key_given_as_the_password_opens_the_page_and_lets_it_ask(
    guarded: tuple[str, str], browser: Chrome, tone: Path
) -> None:
    url, secret = guarded
    browser.get(url.replace("//", "//me:wrong@"))
    assert not browser.find_elements(By.ID, "ask")
    browser.get(url.replace("//", f"//me:{secret}@"))  # as what a person types: the browser keeps it for this server
    page = Page(browser, url)
    page.open(tone)
    page.compare(blind=False)
    page.ask("What is heard?")
    page.until(lambda: page.text("#agreement") == "They differ.")
    assert secret not in browser.page_source


@pytest.mark.browser
def test_claims_stand_beside_the_evidence_that_they_cite_and_play_it(page: Page, tone: Path) -> None:
    page.open(tone)
    page.until(lambda: page.find(".tl-play").is_enabled())
    page.ask("What is heard?")
    page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".answer")))
    assert not page.browser.find_elements(By.CSS_SELECTOR, ".claims")
    page.find("#explain").click()
    page.ask("What is heard?")
    page.until(lambda: bool(page.browser.find_elements(By.CSS_SELECTOR, ".claims")))
    claims = [claim.text for claim in page.browser.find_elements(By.CSS_SELECTOR, ".claims > li")]
    assert ["✓ supported" in claim for claim in claims] == [True, False, False]
    assert HOSTILE in claims[0] and "0.5–1 s" in claims[0]
    assert "number not in the evidence: seven" in claims[1] and "cites nothing" in claims[2]
    page.find(".cited button").click()
    page.until(lambda: page.text(".tl-play") == "Pause")
    assert page.browser.execute_script("return window.hit") is None
    assert page.errors() == []
