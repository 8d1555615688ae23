#!/usr/bin/env bash
# What the tests need beside Python: a browser and a PostgreSQL server, installed where that is
# possible (Debian, as root); elsewhere the tests that need them skip and say so.
set -u

have_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
have_browser() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }

wanted=()
have_postgres || wanted+=(postgresql)
have_browser || wanted+=(chromium fonts-liberation)
[ ${#wanted[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed: ${wanted[*]}. Tests that need them will be skipped." >&2
    exit 0
fi
echo "Installing ${wanted[*]} for the tests …"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
    echo "Could not install ${wanted[*]}. Tests that need them will be skipped." >&2
