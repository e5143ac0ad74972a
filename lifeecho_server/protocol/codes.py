"""Every error code and close reason of the socket, with its texts: the only table of them."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The error codes of the contract (docs/protocol.md)."""

    BAD_MESSAGE = "BAD_MESSAGE"
    MISSING_FIELD = "MISSING_FIELD"
    BAD_FIELD = "BAD_FIELD"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    BAD_AUDIO = "BAD_AUDIO"
    ASR_FAILED = "ASR_FAILED"
    ASR_UNAVAILABLE = "ASR_UNAVAILABLE"
    REPLY_FAILED = "REPLY_FAILED"
    BUSY = "BUSY"
    STORE_FAILED = "STORE_FAILED"
    INTERNAL = "INTERNAL"
    ENDED = "ENDED"
    FORBIDDEN = "FORBIDDEN"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one code says; ``{field}`` is filled in where a field is named."""

    retryable: bool
    zh: str
    en: str

    def text(self, language: str, field: str | None = None) -> str:
        """Return the text in a language (BCP 47; anything but English reads Chinese)."""
        text = self.en if language.startswith("en") else self.zh
        return text.replace("{field}", field or "")


ERRORS: dict[Code, Entry] = {
    Code.BAD_MESSAGE: Entry(False, "消息格式错误", "malformed message"),
    Code.MISSING_FIELD: Entry(False, "缺少 {field}", "missing {field}"),
    Code.BAD_FIELD: Entry(False, "{field} 无效", "invalid {field}"),
    Code.QUOTA_EXCEEDED: Entry(True, "今日额度已用完", "today's allowance is used up"),
    Code.BAD_AUDIO: Entry(False, "无法读取音频", "unreadable audio"),
    Code.ASR_FAILED: Entry(
        True, "语音转写失败,请重试或使用文字输入", "could not transcribe, try again or type"
    ),
    Code.ASR_UNAVAILABLE: Entry(True, "尚未安装语音模型", "no speech model installed"),
    Code.REPLY_FAILED: Entry(True, "处理失败,请重试", "something went wrong, try again"),
    Code.BUSY: Entry(True, "服务器繁忙,请稍后", "busy, please wait"),
    Code.STORE_FAILED: Entry(True, "保存失败,请重试", "could not save, try again"),
    Code.INTERNAL: Entry(True, "处理失败,请重试", "something went wrong, try again"),
    Code.ENDED: Entry(False, "对话已结束", "the conversation has ended"),
    Code.FORBIDDEN: Entry(False, "无权访问此对话", "not your conversation"),
    Code.DELETED: Entry(False, "对话已删除", "conversation deleted"),
}


@dataclass(frozen=True, slots=True)
class Closing:
    """Why the server closes a socket: the close code and the reason in both languages."""

    code: int
    zh: str
    en: str

    def reason(self, language: str) -> str:
        """Return the reason in a language; at most 123 bytes, as RFC 6455 wants."""
        return self.en if language.startswith("en") else self.zh


MISSING_TOKEN = Closing(1008, "缺少访问令牌", "missing access token")
INVALID_TOKEN = Closing(1008, "无效的认证令牌", "invalid token")
INVALID_CONTENT = Closing(1008, "无效的令牌内容", "invalid token content")
NO_SUCH_USER = Closing(1008, "用户不存在", "no such user")
NOT_YOURS = Closing(1008, "无权访问此对话", "not your conversation")
CONVERSATION_DELETED = Closing(1008, "对话已删除", "conversation deleted")
NARRATOR_NEEDED = Closing(1008, "缺少 narrator", "missing narrator")
TOO_MANY_BAD_MESSAGES = Closing(1008, "消息格式错误", "malformed message")
SERVER_BUSY = Closing(1013, "服务器繁忙", "server busy")
INTERNAL_ERROR = Closing(1011, "服务器内部错误", "internal error")
OPENED_ELSEWHERE = Closing(4000, "已在别处打开", "opened elsewhere")
GOING_AWAY = Closing(1001, "服务器正在关闭", "server going away")
CONVERSATION_ENDED = Closing(1000, "对话已结束", "the conversation has ended")
