"""docs/sign-in.md can't lie: its settings are read as settings, its commands are run."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from dashboard.oidc_client import ALGORITHMS
from data.settings import ROOT, OidcProvider, Settings
from tests.oidc import Asked
from tests.streamlit_client import START_SECONDS, free_port

PAGE = (ROOT / "docs" / "sign-in.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```env\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split('"')[1])
def test_an_example_is_read_from_a_file_of_settings(example, tmp_path):
    file = tmp_path / ".env"
    file.write_text(example, encoding="utf-8")
    providers = Settings(_env_file=file).oidc_providers
    assert providers
    assert all(one.label and one.issuer.startswith("https://") for one in providers.values())


def test_there_are_examples_for_one_provider_and_for_several():
    assert len(EXAMPLES) == 4
    assert all(f"`{name}`" in PAGE for name in OidcProvider.model_fields)
    assert all(name in PAGE for name in ALGORITHMS)


def test_the_commands_make_a_dashboard_that_one_can_sign_in_to(tmp_path):
    provider, app = free_port(), free_port()
    script = "".join(line for line in "\n".join(COMMANDS).splitlines(True) if "pip " not in line)
    script = script.replace("9401", str(provider)).replace("8501", str(app))
    script = script.replace("var/try-sign-in.sqlite", str(tmp_path / "try.sqlite"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with open(tmp_path / "said", "w") as said:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        base = f"http://localhost:{app}"
        _await(shell, f"{base}/healthz", tmp_path / "said")
        with httpx.Client(base_url=base) as browser:
            assert "Continue with Mock" in browser.get("/sign-in").text
            asked = Asked(browser.get("/auth/oidc/mock").headers["location"])
            back = httpx.post(asked.url, data={"sub": "pat"}).headers["location"]
            answer = browser.get(back)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            assert browser.get("/").status_code == 200
    finally:
        os.killpg(shell.pid, signal.SIGTERM)  # the provider, too
        shell.wait(timeout=30)


def _await(shell: subprocess.Popen[bytes], url: str, said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and shell.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"the commands did not start: {said.read_text()}")
