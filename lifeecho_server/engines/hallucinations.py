"""Phrases that Whisper makes up over silence, learned from the subtitles it was trained on.

None of them is dropped for its words alone: people do say "thank you".
"""

import re

MADE_UP_WHOLE = frozenset(
    {
        "thank you",
        "thank you very much",
        "thank you so much",
        "thanks",
        "bye",
        "bye bye",
        "you",
        "the end",
        "to be continued",
        "music",
        "applause",
        "silence",
        "谢谢",
        "谢谢大家",
        "谢谢观看",
        "谢谢收看",
        "谢谢收听",
        "感谢观看",
        "感谢收看",
        "感谢收听",
        "再见",
        "拜拜",
        "字幕",
        "音乐",
        "掌声",
        "完",
    }
)
"""Made up when they are all there is."""

MADE_UP_PARTS = (
    "thanks for watching",
    "thank you for watching",
    "thank you for listening",
    "thanks for listening",
    "please subscribe",
    "subscribe to my channel",
    "subscribe to the channel",
    "like and subscribe",
    "see you in the next video",
    "see you next time",
    "subtitles by",
    "captions by",
    "transcribed by",
    "translated by",
    "copyright",
    "all rights reserved",
    "amara org",
    "请不吝点赞",
    "点赞订阅",
    "点赞关注",
    "订阅转发",
    "打赏支持",
    "明镜与点点栏目",
    "明镜需要您的支持",
    "欢迎订阅",
    "订阅我的频道",
    "感谢您的观看",
    "谢谢您的观看",
    "谢谢大家观看",
    "我们下期再见",
    "下期视频再见",
    "字幕由",
    "字幕组",
    "字幕志愿者",
    "中文字幕提供",
    "字幕制作",
    "优优独播剧场",
    "本期视频",
)
"""Made up wherever they stand."""

_NOT_WORDS = re.compile(r"[\W_]+")


def is_often_made_up(text: str) -> bool:
    """Whether ``text`` (Chinese in simplified script) is what Whisper puts where nothing is."""
    words = _NOT_WORDS.sub(" ", text.casefold()).strip()
    return words in MADE_UP_WHOLE or any(
        part in words or part in words.replace(" ", "") for part in MADE_UP_PARTS
    )
