"""Is what is pinned known to be vulnerable?  `make check` asks, by pip-audit.

A service that cannot be reached must not fail a build, nor pass for a clean bill: pip-audit itself
answers "none found" where it could look nothing up.  So each service is first asked about a release
that is known to be vulnerable, and only one that knows it is believed.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("requirements.txt", "requirements-dev.txt", "constraints.txt")
PINNED = tuple(ROOT / name for name in NAMES)  # pip-audit follows no `-r` inside them
SERVICES = (("-s", "pypi"), ("-s", "osv"))
CANARY = "jinja2==2.4.1"  # CVE-2014-1402 and more
SECONDS = 30  # for one question; a socket waits five


@dataclass(frozen=True)
class Unanswered(Exception):
    """The service cannot be asked, and why."""

    reason: str


def audited(service: Sequence[str], files: Iterable[Path]) -> list[str]:
    """What is vulnerable, with the version that cures it; Unanswered where one wasn't looked up."""
    given = [word for file in files for word in ("-r", str(file))]
    quiet = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "5")
    command = [sys.executable, "-m", "pip_audit", *service, *quiet, "-f", "json", *given]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Unanswered(f"no answer within {SECONDS} s") from None
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except ValueError:
        raise Unanswered(done.stderr.strip().rpartition("\n")[2][:300]) from None
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        + (", ".join(flaw["fix_versions"]) or "no version yet")
        for one in dependencies
        for flaw in one.get("vulns", ())
    ]
    skipped = [one["skip_reason"] for one in dependencies if "skip_reason" in one]
    if skipped and not found:
        raise Unanswered(f"{len(skipped)} not looked up: {skipped[0]}")
    return found


def trusted(service: Sequence[str]) -> None:
    """Unanswered unless the service knows a vulnerability that everybody knows."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{CANARY}\n")
        file.flush()
        if not audited(service, [Path(file.name)]):
            raise Unanswered(f"it knows of nothing wrong with {CANARY}")


def main(services: Sequence[Sequence[str]] = SERVICES, files: Sequence[Path] = PINNED) -> int:
    """The exit code: 1 for a known vulnerability; 0 also where no service could be asked."""
    reasons = []
    for service in services:
        try:
            trusted(service)
            found = audited(service, files)
        except Unanswered as silent:
            reasons.append(f"{' '.join(service)}: {silent.reason}")
            continue
        print("\n".join(found) or "No known vulnerability in what is pinned.")
        return 1 if found else 0
    print("!" * 80)
    print("SKIPPED: nobody could be asked whether what is pinned has known vulnerabilities.")
    print("\n".join(f"  pip-audit {reason}" for reason in reasons))
    print("!" * 80)
    return 0


if __name__ == "__main__":
    sys.exit(main())
