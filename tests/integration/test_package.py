"""The package with everything it can be installed with."""

import pkgutil
import subprocess
import sys

import moltnet

MODULES = {module.name for module in pkgutil.walk_packages(moltnet.__path__, "moltnet.")}
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def test_every_module_can_be_imported_without_a_warning():
    modules = sorted(MODULES - {"moltnet.__main__"})  # which runs the command line
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL, *modules], check=True)
