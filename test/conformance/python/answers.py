"""What the SDK makes of the factory's answers, held against what came over the wire."""

import sdk  # first: it says where modules are looked for

import re

import httpx

# extensions are fields that the factory adds to the protocol.
extensions = {"base_model", "classifier_limits", "evaluation", "sha256"}


def is_extension(name, path):
    return name in extensions or name == "error" and re.search(r"\.integrations\[\d+\]$", path)


class Asker:
    """Calls the SDK and fails unless it understood the whole answer: nothing unknown, left out or made up."""

    def __init__(self, server_url, api_key):
        http = httpx.Client(event_hooks={"response": [self._keep]}, follow_redirects=True, timeout=60)
        self.client = sdk.Mistral(api_key=api_key, server_url=server_url, client=http)
        self.wire = None

    def ask(self, call):
        """Gives the parsed answer to a call such as lambda client: client.models.list()."""
        answer = call(self.client)
        assert_same(answer, self.wire, "answer")
        return answer

    def _keep(self, response):
        self.wire = None
        if response.headers.get("content-type") == "application/json":
            response.read()
            self.wire = response.json()


def assert_same(parsed, wire, path):
    if isinstance(wire, list):
        assert isinstance(parsed, list) and len(parsed) == len(wire), f"{path} is not the list that was sent"
        for i, element in enumerate(wire):
            assert_same(parsed[i], element, f"{path}[{i}]")
    elif isinstance(wire, dict):
        assert_same_fields(parsed, wire, path)
    else:
        assert not type(parsed).__name__.startswith("Unrecognized"), f"the SDK does not know {path}: {wire!r}"
        assert parsed == wire, f"{path} is {parsed!r}, sent was {wire!r}"


def assert_same_fields(parsed, wire, path):
    fields = by_name(parsed, path)
    for name, value in wire.items():
        if is_extension(name, path) or name in sdk.newer and name not in fields:
            continue
        assert name in fields, f"{path}.{name} is left out by the SDK"
        assert_same(fields[name], value, f"{path}.{name}")
    for name, value in fields.items():
        absent = value is None or type(value).__name__ == "Unset" or path.endswith(".capabilities") and value is False
        assert name in wire or absent, f"{path}.{name} was not sent"


def by_name(parsed, path):
    """The fields of an object of the SDK's by their names in the protocol."""
    if isinstance(parsed, dict):
        return parsed
    assert hasattr(type(parsed), "model_fields"), f"{path} is not the object that was sent"
    assert not type(parsed).__name__.startswith("Unknown"), f"{path} is unknown to the SDK"
    known = {field.alias or name: getattr(parsed, name) for name, field in type(parsed).model_fields.items()}
    return {**known, **(parsed.model_extra or {})}
