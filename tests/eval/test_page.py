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

from eval import session
from eval.page import PageStats, write_page
from eval.request import Request
from services import catalog
from services.errors import BadConfig
from services.llms.scripted import Scripted

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
    monkeypatch.setitem(catalog.LLMS, "good", lambda url: Scripted(first_right))
    monkeypatch.setitem(catalog.LLMS, "bad", lambda url: Scripted(lambda _: CHOICES[1]))
    folders = [tmp_path / "good", tmp_path / "bad"]
    for folder in folders:
        session.run(Request(path="text", bench=str(bench), llm=folder.name, concurrency=2, out=folder))
    return folders


def data_of(page: Path) -> Any:  # noqa: ANN401 - JSON
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    assert found
    return json.loads(found[1])


def test_the_page_holds_everything_and_asks_nobody(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    stats = write_page(runs, page)
    assert stats == PageStats(num_bytes=page.stat().st_size, num_items=6, num_clips=2, num_clips_left_out=1)
    html = page.read_text()
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert "default-src 'none'" in html
    data = data_of(page)
    assert data["runs"] == ["good", "bad"]
    verdicts = [[result["verdict"] for result in item["results"]] for item in data["items"]]
    assert verdicts == [["right", "wrong"]] * 3 + [["wrong", "wrong"]] * 2 + [["unread", "wrong"]]
    problems = {Path(path).name: clip["problem"] for path, clip in data["clips"].items()}
    assert problems["0.wav"] == problems["1.wav"] == ""
    assert problems["2.wav"].startswith("No recording at")


def test_what_models_and_benchmarks_say_cannot_end_the_script(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page)
    assert HOSTILE not in page.read_text()
    assert data_of(page)["items"][5]["results"][0]["reply"] == HOSTILE


def test_clips_over_the_limit_are_left_out_and_it_says_so(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    stats = write_page(runs, page, max_audio_mb=0)
    assert (stats.num_clips, stats.num_clips_left_out) == (0, 3)
    assert "3 of 3 clips are not in this page" in page.read_text()


def test_runs_are_compared_only_over_the_same_benchmark(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_page(runs, page)
    assert "Comparison, item by item" in page.read_text()
    write_page(runs[:1], page)
    assert "Comparison, item by item" not in page.read_text()


def test_an_unfinished_run_is_refused(runs: list[Path], tmp_path: Path) -> None:
    (runs[0] / "summary.json").unlink()
    with pytest.raises(BadConfig, match=r"good' is not finished: it holds no summary\.json"):
        write_page(runs, tmp_path / "report.html")


@pytest.fixture
def browser() -> Iterator[Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed")
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
    wave = browser.find_element(By.CSS_SELECTOR, ".wave")
    WebDriverWait(browser, 20).until(lambda _: wave.get_attribute("data-duration-s"))
    assert float(str(wave.get_attribute("data-duration-s"))) == pytest.approx(2.0, abs=0.1)
    drawn = browser.execute_script(
        "const canvas = arguments[0].firstElementChild.shadowRoot.querySelector('canvas');"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        "return data.some((value) => value > 0);",
        wave,
    )
    assert drawn
    Select(browser.find_element(By.NAME, "run0")).select_by_value("unread")
    Select(browser.find_element(By.NAME, "run1")).select_by_value("")
    browser.find_element(By.CSS_SELECTOR, "#list button").click()
    assert HOSTILE in browser.find_element(By.CSS_SELECTOR, ".reply").text
    assert "No recording here: No recording at" in browser.find_element(By.ID, "item").text
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
