"""The report page: what it holds, and in a real browser what it does."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from eval.page.page import PageStats, write_page
from eval.run import session
from eval.run.request import RunRequest
from services import catalog
from services.errors import BadConfig
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM, ScriptedStructuredLLM

HOSTILE = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
CHOICES = ["a bell", "a dog"]
NUM_ITEMS = 6
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def first_right(prompt: str) -> str:
    """Answer rightly about items 0 to 2, wrongly about 3 and 4; say nothing readable about 5."""
    number = int(re.findall(r"number (\d)", prompt)[0])
    return HOSTILE if number == 5 else CHOICES[0] if number < 3 else CHOICES[1]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    for number in range(2):
        seconds = np.arange(16_000 * (number + 1)) / 16_000
        soundfile.write(tmp_path / f"{number}.wav", 0.5 * np.sin(2 * np.pi * 440 * seconds), 16_000)
    rows = [
        {
            "id": f"i{number}",
            "audio_id": f"{number // 2}.wav",
            "question": f"What is number {number}? {HOSTILE}",
            "choices": CHOICES,
            "answer": CHOICES[0],
            "task": "sound" if number < 4 else "music",
        }
        for number in range(NUM_ITEMS)
    ]
    bench = tmp_path / "tiny.json"
    bench.write_text(json.dumps(rows))
    monkeypatch.setitem(catalog.LLMS, "good", lambda url: ScriptedLLM(first_right))
    monkeypatch.setitem(catalog.LLMS, "bad", lambda url: ScriptedLLM(lambda _: CHOICES[1]))
    folders = [tmp_path / "good", tmp_path / "bad"]
    for folder in folders:
        session.run(RunRequest(path="text", bench=str(bench), llm=folder.name, concurrency=2, out=folder))
    return folders


def data_of(page: Path) -> Any:  # noqa: ANN401 - JSON
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    assert found
    return json.loads(found[1])


@pytest.mark.slow
def test_the_page_holds_everything_and_asks_nobody(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    stats = write_page(runs, page)
    assert stats == PageStats(num_bytes=page.stat().st_size, num_items=6, num_clips=2, num_clips_left_out=1)
    html = page.read_text()
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert "default-src 'none'" in html
    data = data_of(page)
    assert [(run["label"], run["name"]) for run in data["runs"]] == [("A", "good"), ("B", "bad")]
    verdicts = [[result["verdict"] for result in item["results"]] for item in data["items"]]
    assert verdicts == [["right", "wrong"]] * 3 + [["wrong", "wrong"]] * 2 + [["unread", "wrong"]]
    assert [item["clips"] for item in data["items"]] == [[0], [0], [1], [1], [2], [2]]
    assert [clip["problem"] for clip in data["clips"]] == ["", "", data["clips"][2]["problem"]]
    assert data["clips"][2]["problem"].startswith("No recording at")
    assert str(tmp_path) not in html.partition('id="provenance"')[0].partition('id="items"')[2]
    assert str(tmp_path) not in json.dumps(data)


@pytest.mark.slow
def test_what_models_and_benchmarks_say_cannot_end_the_script(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page)
    assert HOSTILE not in page.read_text()
    assert data_of(page)["items"][5]["results"][0]["reply"] == HOSTILE


@pytest.mark.slow
def test_clips_over_the_limit_are_left_out_and_it_says_so(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    stats = write_page(runs, page, max_audio_mb=0)
    assert (stats.num_clips, stats.num_clips_left_out) == (0, 3)
    assert "2 of 3 clips are not in this page: the page holds 0 MB of clips at most" in page.read_text()


@pytest.mark.slow
def test_runs_are_compared_only_over_the_same_benchmark(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page)
    assert "Comparison, item by item" in page.read_text()
    write_page(runs[:1], page)
    assert "Comparison, item by item" not in page.read_text()


@pytest.mark.slow
def test_an_item_of_another_benchmark_is_another_item(runs: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    rows = json.loads((tmp_path / "tiny.json").read_text())
    other.write_text(json.dumps([row | {"question": f"{row['question']} Now?"} for row in rows]))
    session.run(RunRequest(path="text", bench=str(other), llm="bad", concurrency=2, out=tmp_path / "elsewhere"))
    page = tmp_path / "report.html"
    write_page([runs[0], tmp_path / "elsewhere"], page)
    items = data_of(page)["items"]
    assert len(items) == 2 * NUM_ITEMS
    assert [result is None for result in items[0]["results"]] == [False, True]
    assert "Comparison, item by item" not in page.read_text()


@pytest.mark.slow
def test_a_run_with_withheld_answers_has_a_page(runs: list[Path], tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    rows = json.loads((tmp_path / "tiny.json").read_text())
    secret.write_text(json.dumps([row | {"answer": ""} for row in rows]))
    session.run(RunRequest(path="text", bench=str(secret), llm="good", concurrency=2, out=tmp_path / "withheld"))
    write_page([tmp_path / "withheld"], tmp_path / "report.html")
    verdicts = [item["results"][0]["verdict"] for item in data_of(tmp_path / "report.html")["items"]]
    assert verdicts == ["unscored"] * 5 + ["unread"]


def test_a_run_that_is_named_twice_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="named twice"):
        write_page([runs[0], runs[0]], tmp_path / "report.html")


@pytest.mark.slow
def test_what_controls_chose_is_beside_the_run(runs: list[Path], tmp_path: Path) -> None:
    bench = str(tmp_path / "tiny.json")
    asked = RunRequest(path="text", bench=bench, llm="good", concurrency=2, out=runs[0])
    session.run(asked.model_copy(update={"controls": ("constant-first", "shuffled-options")}))
    page = tmp_path / "report.html"
    write_page(runs[:1], page)
    controls = [item["results"][0]["controls"] for item in data_of(page)["items"]]
    assert controls[3]["constant-first"] == {"verdict": "right", "chosen": "a bell", "changed": None}
    assert {one["shuffled-options"]["changed"] for one in controls[:3]} == {False}


def test_an_unfinished_run_is_refused(runs: list[Path], tmp_path: Path) -> None:
    (runs[0] / "summary.json").unlink()
    with pytest.raises(BadConfig, match=r"good' is not finished: it holds no summary\.json"):
        write_page(runs, tmp_path / "report.html")


@pytest.fixture
def browser() -> Iterator[Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver: apt install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.browser
def test_the_page_works_in_a_browser(runs: list[Path], tmp_path: Path, browser: Chrome) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page)
    browser.get(page.as_uri())
    status = browser.find_element(By.ID, "count")
    assert status.text == "6 of 6 items"
    Select(browser.find_element(By.NAME, "run0")).select_by_value("right")
    Select(browser.find_element(By.NAME, "run1")).select_by_value("not right")
    assert status.text == "3 of 6 items"
    listed = browser.find_elements(By.CSS_SELECTOR, "#list button")
    assert ["A: right" in button.text and "B: wrong" in button.text for button in listed] == [True] * 3
    listed[2].click()
    place = browser.find_element(By.CSS_SELECTOR, ".timeline")
    WebDriverWait(browser, 20).until(lambda _: place.get_attribute("data-duration-s"))
    assert float(str(place.get_attribute("data-duration-s"))) == pytest.approx(2.0, abs=0.1)
    drawn = browser.execute_script(
        "const canvas = arguments[0].querySelector('.tl-sound > div').shadowRoot.querySelector('canvas');"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        "return data.some((value) => value > 0);",
        place,
    )
    assert drawn
    Select(browser.find_element(By.NAME, "run0")).select_by_value("unread")
    Select(browser.find_element(By.NAME, "run1")).select_by_value("")
    browser.find_element(By.CSS_SELECTOR, "#list button").click()
    assert HOSTILE in browser.find_element(By.CSS_SELECTOR, ".reply").text
    assert "No recording here. No recording at" in browser.find_element(By.ID, "item").text
    assert browser.execute_script("return window.hit") is None
    browser.find_element(By.NAME, "text").send_keys("number 4")
    assert status.text == "0 of 6 items"
    assert browser.get_log("browser") == []


@pytest.mark.browser
def test_the_keys_walk_through_the_items(runs: list[Path], tmp_path: Path, browser: Chrome) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page, max_audio_mb=0)
    browser.get(page.as_uri())
    browser.find_element(By.TAG_NAME, "body").send_keys("jjk")
    assert browser.find_element(By.CSS_SELECTOR, "#item h3").text.startswith("What is number 0?")
    browser.find_element(By.TAG_NAME, "body").send_keys("j")
    assert browser.find_element(By.CSS_SELECTOR, "#item h3").text.startswith("What is number 1?")


@pytest.mark.browser
def test_what_a_cascade_heard_lies_in_lanes_also_without_the_clip(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Chrome
) -> None:
    monkeypatch.setitem(catalog.CAPTIONERS, "ears", lambda: ScriptedEars(lambda *_: (f"A bell {HOSTILE}",)))
    monkeypatch.setitem(catalog.ASRS, "ears", lambda: ScriptedEars(words=lambda _: ("Good morning.",)))
    request = RunRequest(path="cascade", llm="bad", bench=str(tmp_path / "tiny.json"), concurrency=1)
    ears = {"captioner": "ears", "asr": "ears"}
    session.run(request.model_copy(update=ears | {"limit": 1, "out": tmp_path / "heard"}))
    page = tmp_path / "report.html"
    write_page([tmp_path / "heard"], page, max_audio_mb=0)
    browser.get(page.as_uri())
    browser.find_element(By.CSS_SELECTOR, "#list button").click()
    lanes = browser.find_elements(By.CSS_SELECTOR, ".lane-track button")
    assert [lane.accessible_name.split(", ")[1] for lane in lanes] == ["Words", "Sounds"]
    assert HOSTILE in lanes[1].accessible_name
    assert browser.execute_script("return window.hit") is None
    assert browser.get_log("browser") == []


@pytest.mark.browser
def test_claims_stand_beside_the_evidence_that_they_cite_and_play_it(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Chrome
) -> None:
    claims = (("A bell is heard.", [{"id": "S1"}]), (f"Cold {HOSTILE}.", []))
    written = json.dumps({"claims": [{"claim": text, "evidence": cited} for text, cited in claims]})
    llm = ScriptedStructuredLLM(lambda prompt: written if "answer given" in prompt else CHOICES[0])
    monkeypatch.setitem(catalog.LLMS, "writer", lambda url: llm)
    monkeypatch.setitem(catalog.CAPTIONERS, "ears", lambda: ScriptedEars(lambda *_: ("A bell.",), name="bells"))
    monkeypatch.setitem(catalog.ASRS, "ears", ScriptedEars)
    models = {"llm": "writer", "captioner": "ears", "asr": "ears"}
    bench, out = str(tmp_path / "tiny.json"), tmp_path / "explained"
    session.run(RunRequest(path="cascade", bench=bench, concurrency=1, limit=1, explains=True, out=out, **models))
    page = tmp_path / "report.html"
    write_page([out], page)
    browser.get(page.as_uri())
    browser.find_element(By.CSS_SELECTOR, "#list button").click()
    first, second = browser.find_elements(By.CSS_SELECTOR, ".claims > li")
    assert first.text.splitlines() == ["A bell is heard.", "✓ supported", "S1", "0 s to the end", "A bell."]
    assert HOSTILE in second.text and "cites nothing" in second.text
    play = browser.find_element(By.CSS_SELECTOR, ".tl-play")
    WebDriverWait(browser, 20).until(lambda _: play.is_enabled())
    first.find_element(By.CSS_SELECTOR, ".cited button").click()
    WebDriverWait(browser, 20).until(lambda _: play.text == "Pause")
    assert browser.execute_script("return window.hit") is None
    assert browser.get_log("browser") == []
