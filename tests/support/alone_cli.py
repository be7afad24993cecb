"""The command line with the base package alone: `python -m tests.support.alone_cli WORDS…`."""

import sys

from tests.support.alone import Refusing, needed_by_extras_alone

if __name__ == "__main__":
    refused = needed_by_extras_alone()
    sys.meta_path.insert(0, Refusing(refused))
    from moltnet.entrypoints.cli.main import main

    try:
        main()
    finally:
        assert not refused & {name.partition(".")[0] for name in sys.modules}
