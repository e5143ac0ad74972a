"""What the server sends, written: the envelope, and each code with its texts."""

import json
from datetime import UTC, datetime

import pytest

from lifeecho_server.protocol import codes
from lifeecho_server.protocol.codes import ERRORS, Closing, Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import AgentResponse, Pong
from lifeecho_server.protocol.writing import error_message, write_frame

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

CONTRACT = {
    "BAD_MESSAGE": (False, "消息格式错误", "malformed message"),
    "MISSING_FIELD": (False, "缺少 text", "missing text"),
    "BAD_FIELD": (False, "text 无效", "invalid text"),
    "QUOTA_EXCEEDED": (True, "今日额度已用完", "today's allowance is used up"),
    "BAD_AUDIO": (False, "无法读取音频", "unreadable audio"),
    "ASR_FAILED": (
        True,
        "语音转写失败,请重试或使用文字输入",
        "could not transcribe, try again or type",
    ),
    "ASR_UNAVAILABLE": (True, "尚未安装语音模型", "no speech model installed"),
    "REPLY_FAILED": (True, "处理失败,请重试", "something went wrong, try again"),
    "BUSY": (True, "服务器繁忙,请稍后", "busy, please wait"),
    "STORE_FAILED": (True, "保存失败,请重试", "could not save, try again"),
    "INTERNAL": (True, "处理失败,请重试", "something went wrong, try again"),
    "ENDED": (False, "对话已结束", "the conversation has ended"),
    "FORBIDDEN": (False, "无权访问此对话", "not your conversation"),
    "DELETED": (False, "对话已删除", "conversation deleted"),
}


def written(fault: Fault, language: str) -> dict[str, object]:
    frame = json.loads(write_frame(error_message(fault, language), "c-1", NOW))
    assert frame["type"] == "error"
    data: dict[str, object] = frame["data"]
    return data


def test_every_code_is_in_the_contract() -> None:
    assert {code.value for code in Code} == set(CONTRACT) == {code.value for code in ERRORS}


@pytest.mark.parametrize("code", list(Code))
def test_error_says_what_the_contract_says(code: Code) -> None:
    retryable, zh, en = CONTRACT[code]
    for language, text in (("zh", zh), ("zh-CN", zh), ("en", en), ("en-GB", en), ("fr", zh)):
        data = written(Fault(code, field="text"), language)
        assert (data["code"], data["message"], data["retryable"]) == (code, text, retryable)


def test_optional_fields_are_there_only_when_known() -> None:
    assert set(written(Fault(Code.BUSY), "en")) == {"code", "message", "retryable"}
    busy = written(Fault(Code.BUSY, retry_after=2.0, reply_to="m"), "en")
    assert (busy["retry_after"], busy["reply_to"]) == (2.0, "m")


def test_envelope() -> None:
    part = AgentResponse("Hello.", 0, None, "a-1", final=False)
    assert json.loads(write_frame(part, "c-1", NOW)) == {
        "type": "agent_response",
        "conversation_id": "c-1",
        "data": {
            "text": "Hello.",
            "index": 0,
            "total": None,
            "assistant_message_id": "a-1",
            "final": False,
        },
        "timestamp": "2026-01-02T03:04:05Z",
    }
    assert json.loads(write_frame(Pong(), "c-1", NOW))["data"] == {}


def test_close_reasons_fit_into_a_close_frame() -> None:
    closings = [value for value in vars(codes).values() if isinstance(value, Closing)]
    assert len(closings) >= 11
    for closing in closings:
        for language in ("zh", "en"):
            assert 0 < len(closing.reason(language).encode()) <= 123
