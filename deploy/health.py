"""Exits with 0 if the server of this container serves HTTP, else with 1."""

import os
import sys
import urllib.request

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/health", timeout=4):
        sys.exit(0)
except OSError:
    sys.exit(1)
