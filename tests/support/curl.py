"""As much of curl as the documented commands use, for machines that have none: curl [-s] [-X M] [-H H] [-d D] URL."""

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Prints the answer's body, whatever its status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    asked = parser.parse_args(arguments)
    headers = dict(header.split(": ", 1) for header in asked.headers)
    request = urllib.request.Request(asked.url, _body(asked.data), headers, method=asked.method)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        sys.stdout.buffer.write(answer.read())


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()


if __name__ == "__main__":
    main(sys.argv[1:])
