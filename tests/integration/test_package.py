"""The package with everything it can be installed with."""

import pkgutil
import subprocess
import sys

import moltnet.integrations

MODULES = {module.name for module in pkgutil.walk_packages(moltnet.__path__, "moltnet.")}
FRAMEWORKS = set(moltnet.integrations._MODULE_OF.values()) - {"tools"}
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def test_every_module_can_be_imported_without_a_warning():
    # The command line runs when it is imported; frameworks have an environment of their own (tests/frameworks).
    modules = sorted(MODULES - {"moltnet.__main__", *map("moltnet.entrypoints.integrations.{}".format, FRAMEWORKS)})
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL, *modules], check=True)
