"""The web page at `/`: its files, and its behaviour in a real browser with a real server."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
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
from selenium.webdriver.support.ui import WebDriverWait

from services.http.access.auth import ApiKeys, new_key
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Choice, Evidence, Question, TraceStep

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
READ = TraceStep(step="read", text="reader", seconds=0.2)
LISTENED = TraceStep(step="listen", text="tiny")
HOSTILE = "<img src=x onerror='window.hit = 1'>"


HEARD = Evidence(kind="sound", source="listener", revision="1", text=f"A tone {HOSTILE}", start_s=0.5, end_s=1.0)


def choose(question: Question, choice: Choice) -> dict[str, Any]:
    """Return the fields of an answer that chooses one option."""
    odds = {one.letter: 0.75 if one == choice else 0.25 for one in question.choices}
    return {"question_id": "", "reply": choice.letter, "choice": choice, "probabilities": odds}


def read(question: Question, clip: AudioClip | None) -> Answer:
    """Choose the first option, with evidence."""
    fields = choose(question, question.choices[0])
    return Answer(path="cascade", trace=(READ,), evidence=(HEARD,), timings_s={"read": 0.2}, **fields)


def listen(question: Question, clip: AudioClip | None) -> Answer:
    """Choose the last option, without evidence."""
    return Answer(path="lalm", trace=(LISTENED,), timings_s={"read": 0.2}, **choose(question, question.choices[-1]))


def two_arms() -> ScriptedService:
    """Return a cascade and a LALM that never agree."""
    return ScriptedService({"cascade": read, "lalm": listen}, ("cascade/tiny", "lalm/tiny", "both"))


@pytest.fixture
def url() -> Iterator[str]:
    yield from served(ApiKeys())


@pytest.fixture
def guarded() -> Iterator[tuple[str, str]]:
    """Yield the address of a server that asks for a key, and the key."""
    secret, key = new_key("alice")
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


@pytest.fixture
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


def test_every_file_is_our_own_and_requests_only_our_own() -> None:
    with TestClient(create_app(two_arms(), Limits()), "http://127.0.0.1") as client:
        page = client.get("/")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "//" not in page.text.replace("<!doctype html>", "")
        for name in ("page.css", "page.js", "clip.js", "card.js", "votes.js", "wavesurfer.min.js"):
            assert client.get(f"/web/{name}").status_code == 200
        assert client.get("/web/wavesurfer-LICENSE.txt").status_code == 404
        assert client.get("/web/..%2Fgateway.py").status_code == 404


@pytest.mark.browser
def test_a_person_asks_both_blind_votes_and_plays_the_evidence(url: str, browser: Chrome, tmp_path: Path) -> None:
    clip = tmp_path / "tone.wav"
    soundfile.write(clip, 0.5 * np.sin(np.arange(32_000) * 0.17), 16_000)
    browser.get(url)
    wait = WebDriverWait(browser, 20)

    def find(selector: str) -> str:
        return browser.find_element(By.CSS_SELECTOR, selector).text

    wait.until(lambda _: "2 models are ready" in find("#state"))
    browser.find_element(By.ID, "ask").click()
    assert find("#problem") == "Choose a recording first, or record one."
    browser.find_element(By.ID, "file").send_keys(str(clip))
    browser.find_element(By.ID, "question").send_keys("What is heard?")
    browser.find_element(By.ID, "choices").send_keys("a tone\na dog")
    browser.find_element(By.ID, "blind").click()
    wait.until(lambda _: browser.find_element(By.ID, "play").is_enabled())
    browser.find_element(By.ID, "ask").click()
    wait.until(lambda _: find("#agreement") == "They differ.")
    shown = find("#answers")
    assert "cascade" not in shown and "listener" not in shown
    assert "75.0 %" in shown
    browser.find_element(By.CSS_SELECTOR, "[data-vote=A]").click()
    assert "A was " in find("#agreement") and "listener" in find("#answers")
    assert HOSTILE in find("#answers")
    browser.find_element(By.CSS_SELECTOR, ".evidence button").click()
    wait.until(lambda _: find("#play") == "Pause")
    votes = json.loads(browser.execute_script("return localStorage.getItem('earwitness-votes')"))
    assert [(vote["winner"], vote["blind"]) for vote in votes] == [("A", True)]
    assert {votes[0]["A"]["answer"], votes[0]["B"]["answer"]} == {"a tone", "a dog"}
    assert browser.execute_script("return window.hit") is None
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]


@pytest.mark.browser
def test_a_key_given_as_the_password_opens_the_page_and_lets_it_ask(
    guarded: tuple[str, str], browser: Chrome, tmp_path: Path
) -> None:
    url, secret = guarded
    clip = tmp_path / "tone.wav"
    soundfile.write(clip, 0.5 * np.sin(np.arange(32_000) * 0.17), 16_000)
    wait = WebDriverWait(browser, 20)

    def find(selector: str) -> str:
        return browser.find_element(By.CSS_SELECTOR, selector).text

    browser.get(url.replace("//", "//me:wrong@"))
    assert not browser.find_elements(By.ID, "ask")
    browser.get(url.replace("//", f"//me:{secret}@"))  # as what a person types: the browser keeps it for this server
    browser.get(url)
    wait.until(lambda _: "2 models are ready" in find("#state"))
    browser.find_element(By.ID, "file").send_keys(str(clip))
    browser.find_element(By.ID, "question").send_keys("What is heard?")
    browser.find_element(By.ID, "choices").send_keys("a tone\na dog")
    browser.find_element(By.ID, "ask").click()
    wait.until(lambda _: find("#agreement") == "They differ.")
    assert secret not in browser.page_source
