"""One demo, one server and one browser for all browser tests of a worker."""

import pytest

from tests.browser.stage import CHROMIUM, NAMES, chromium, stage


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def live(tmp_path_factory):
    with stage(tmp_path_factory.mktemp("live")) as place:
        yield place


@pytest.fixture(scope="package")
def browser():
    if CHROMIUM is None:
        pytest.skip(f"Chromium: none of {', '.join(NAMES)} is installed")
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser):
    """Closes what a test opens."""
    before = list(browser.contexts)
    yield
    for context in browser.contexts:
        if context not in before:
            context.close()


@pytest.fixture(autouse=True)
def _closed(request):
    if "browser" in request.fixturenames:
        request.getfixturevalue("opened")


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)]
    missing = [reason for reason in reasons if "Chromium: " in reason]
    if missing:
        terminalreporter.write_sep("!", f"{len(missing)} tests not run: {missing[0]}", red=True)
