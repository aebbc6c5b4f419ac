"""Take the picture of the page for the documentation, of a running service with its example asked.

    python docs/tools/page_picture.py http://127.0.0.1:8000/ docs/images/page.png

Needs chromium and chromedriver.
"""

import shutil
import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTH = 1280  # pixels
MOST_WAIT_S = 300


def main(url: str, out: Path) -> None:
    """Ask about the example and take the picture."""
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        ask_about_example(browser, url)
        height = browser.execute_script("return document.documentElement.scrollHeight")
        size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        WebDriverWait(browser, MOST_WAIT_S).until(lambda _: browser.execute_script("return innerHeight") == height)
        browser.save_screenshot(str(out))
    finally:
        browser.quit()


def ask_about_example(browser: Chrome, url: str) -> None:
    """Show all that is heard in the example, and ask the question that comes with it."""

    def until(script: str) -> None:
        WebDriverWait(browser, MOST_WAIT_S).until(lambda _: browser.execute_script(f"return {script}"))

    browser.set_window_size(WIDTH, 1000)
    browser.get(url)
    until("document.querySelector('#state').textContent.endsWith('ready.')")
    browser.find_element(By.ID, "example").click()
    until("document.querySelector('.tl-play')?.disabled === false")
    browser.find_element(By.ID, "describe").click()
    until("document.querySelector('#described').textContent.endsWith('statements.')")
    browser.find_element(By.ID, "ask").click()
    until("document.querySelector('.answer')")
    browser.execute_script("document.activeElement.blur()")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
