"""The official Python SDK of the version that MISTRAL_VERSION names, whichever of its two lines that is."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from unittest.mock import MagicMock

version = os.environ["MISTRAL_VERSION"]
source = os.environ.get("MISTRAL_SOURCE")  # a folder with the SDK's modules, where none is installed

# debian is where Debian's interpreter looks for its packages, for another one that lacks some.
debian = "/usr/lib/python3/dist-packages"

# unneeded are what the SDK imports and these calls do not use: tracing, and the paging of other routes.
unneeded = ("opentelemetry", "jsonpath")


class Stub(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        stub = type(name, (), {}) if name[0].isupper() else MagicMock(name=name)
        setattr(self, name, stub)
        return stub


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    used = set()

    def find_spec(self, name, path=None, target=None):
        package = name.split(".")[0]
        if package not in unneeded:
            return None
        self.used.add(package)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        pass


if source:
    sys.path.insert(0, source)
    sys.path.append(debian)
    sys.meta_path.append(Stubs())  # the last to be asked: what is installed is not stubbed

import httpx
import pydantic

if version.startswith("1."):
    from mistralai import Mistral, models
    from mistralai._version import __version__

    errors = models
    newer = {"expires_at", "visibility"}  # fields that came after this line
    filters_models = False  # lists of models by provider
    chat_request = lambda model, conversations: {"model": model, "inputs": conversations}
else:
    from mistralai.client import Mistral, errors, models
    from mistralai.client._version import __version__

    newer = set()
    filters_models = True
    chat_request = lambda model, conversations: {"model": model, "input": conversations}

# A checkout's tag is its version: what the modules say of themselves lags behind in some.
if not source and __version__ != version:
    sys.exit(f"this is SDK {__version__}, not {version}")


def describe():
    """Says what runs: the versions, where they are from and what stands in for something else."""
    origin = "a checkout" if source else "the package index"
    stubbed = ", ".join(sorted(Stubs.used)) or "nothing"
    return f"Python SDK {version} from {origin}, httpx {httpx.__version__}, pydantic {pydantic.VERSION}; stubbed: {stubbed}"
