"""A factory with an empty directory on a free port of loopback."""

import json
import os
import secrets
import subprocess
import tempfile
import threading
from pathlib import Path

binary = os.environ.get("FACTORY") or Path(__file__).parents[3] / "bin" / "factory"


class Factory:
    def __init__(self):
        self.api_key = secrets.token_hex(16)
        self._directory = tempfile.TemporaryDirectory(prefix="conformance-")
        self._program = subprocess.Popen(
            [binary, "--listen=127.0.0.1:0", f"--data-dir={self._directory.name}"],
            env={**os.environ, "FACTORY_API_KEY": self.api_key},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            self.server_url = f"http://{self._address()}"
        except BaseException:
            self.stop()
            raise

    def _address(self):
        for line in self._program.stderr:
            entry = json.loads(line)
            if entry["msg"] == "listening":
                # What follows is read and forgotten, or the factory would stand still.
                threading.Thread(target=lambda: all(self._program.stderr), daemon=True).start()
                return entry["address"]
        raise RuntimeError(f"the factory ended with {self._program.wait()}")

    def stop(self):
        self._program.terminate()
        self._program.wait()
        self._directory.cleanup()
