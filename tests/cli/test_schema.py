"""schema: what programs are told about the messages and the pages."""

import json


def test_socket_schema_is_json(home):
    schema = json.loads(home.ok("schema", "socket"))
    assert "agent_response" in json.dumps(schema)


def test_http_schema_is_openapi(home):
    schema = json.loads(home.ok("schema", "http"))
    assert schema["openapi"].startswith("3.")
    assert "/healthz" in schema["paths"]
