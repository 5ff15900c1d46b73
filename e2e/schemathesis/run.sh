#!/usr/bin/env bash
# Generated requests from our own API documents against the running platform, with a fixed seed.
# Needs python3 with venv, Node.js with npm, Chromium and the branchline binary (BRANCHLINE_BIN).
set -euo pipefail
cd "$(dirname "$0")"

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  echo "skipped: generated requests by Schemathesis: Python with venv and pip is missing (Debian: apt-get install python3 python3-pip python3-venv)"
  [ "${BRANCHLINE_REQUIRE_ALL:-}" != 1 ]
  exit
fi
if ! cmp --silent requirements.txt .venv/requirements.txt; then
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt .venv/requirements.txt
fi
if [ ! -d ../node_modules ]; then
  (cd .. && npm ci --no-audit --no-fund)
fi
exec node run.mjs
