"""What the micro llama has learnt to reply: a rule, so that tests can assert on its words.

The reply depends on the topic and the language of the person's last words, not on the note that
follows them; the note only decides whether a question may be asked. Standard library only.
"""

import re
from dataclasses import dataclass

from tests.models.phrases import Language

PART_BREAK = "[SPLIT]"
"""Separates the parts of a reply."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A topic in one language: words that name it, what it is called, and a question about it."""

    words: tuple[str, ...]
    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Something told. ``apart``: thanks and question are parts of their own."""

    en: Wording
    zh: Wording
    apart: bool = False

    def wording(self, language: Language) -> Wording:
        """Return the topic in a language."""
        return self.en if language == "en" else self.zh

    def reply(self, language: Language, question: bool) -> str:
        """Return the thanks for it and, if allowed, the question."""
        wording = self.wording(language)
        thanks = _THANKS[language].format(wording.name)
        if not question:
            return thanks
        between = PART_BREAK if self.apart else _SPACE[language]
        return thanks + between + wording.question


def _topic(en: tuple[str, str, str], zh: tuple[str, str, str], apart: bool = False) -> Topic:
    english, chinese = (Wording(tuple(words.split()), *rest) for words, *rest in (en, zh))
    return Topic(english, chinese, apart)


_SPACE = {"en": " ", "zh": ""}
_THANKS = {"en": "Thank you for telling me about {}.", "zh": "谢谢您告诉我{}的事。"}

TOPICS: tuple[Topic, ...] = (
    _topic(
        ("born birth", "where you were born", "What do you remember of that place?"),
        ("出生 老家", "您出生的地方", "那里是什么样子？"),
    ),
    _topic(
        ("mother mum", "your mother", "What songs did she sing?"),
        ("妈妈 母亲", "您的妈妈", "她是什么样的人？"),
        apart=True,
    ),
    _topic(
        ("father carpenter", "your father", "What did his hands look like?"),
        ("父亲 爸爸 木匠", "您的父亲", "他教过您什么？"),
    ),
    _topic(
        ("river lived house", "your first home", "What could you see from the window?"),
        ("河边 房子 住在", "您的家", "家里有些什么？"),
    ),
    _topic(
        ("brothers brother sister", "your brothers and sister", "Who made you laugh the most?"),
        ("哥哥 姐姐 弟弟", "您的兄弟姐妹", "你们一起玩什么？"),
        apart=True,
    ),
    _topic(
        ("grandmother stories", "your grandmother", "Which story did you love best?"),
        ("奶奶 故事", "您的奶奶", "她讲过什么故事？"),
    ),
    _topic(
        ("city winter moved", "moving to the city", "What surprised you there?"),
        ("搬家 城里", "搬到城里", "您当时害怕吗？"),
    ),
    _topic(
        ("school foot", "going to school", "Who walked with you?"),
        ("上学 走路 学校", "上学的路", "路上有谁陪您？"),
        apart=True,
    ),
    _topic(
        ("teacher kind", "your teacher", "What did you learn from that teacher?"),
        ("老师", "您的老师", "老师叫什么名字？"),
    ),
    _topic(
        ("husband dance married spring wedding", "your wedding", "What did you wear that day?"),
        ("结婚 丈夫 春天", "您的婚礼", "那天天气怎么样？"),
        apart=True,
    ),
    _topic(
        ("child girl baby", "your first child", "How did you choose the name?"),
        ("孩子 女儿 儿子", "您的孩子", "名字是谁取的？"),
    ),
    _topic(
        ("factory textile worked work", "your work", "What was a normal day like?"),
        ("工厂 工作", "您的工作", "您每天几点上班？"),
    ),
    _topic(
        ("war changed everything", "the war", "How did your family stay safe?"),
        ("战争 打仗", "战争", "家人怎么过来的？"),
        apart=True,
    ),
    _topic(
        ("money poor", "the hard years", "What kept you going?"),
        ("穷 没有钱", "那些苦日子", "是什么让您坚持下来？"),
    ),
    _topic(
        ("cook aunt food", "cooking", "Which dish still tastes of home?"),
        ("做饭 菜", "做饭", "您最爱吃哪道菜？"),
    ),
    _topic(
        ("garden roses rain smell", "the garden", "What did it smell like?"),
        ("花园 下雨", "花园", "有什么花？"),
    ),
    _topic(
        ("violin music night", "the music", "What was his favourite song?"),
        ("音乐 小提琴", "音乐", "您最喜欢哪首歌？"),
    ),
    _topic(
        ("ocean ship crossed sea", "crossing the ocean", "What did you take with you?"),
        ("大海 坐船", "坐船", "您带了什么行李？"),
        apart=True,
    ),
    _topic(
        ("happiest happy day", "that happy day", "Who was there with you?"),
        ("高兴 幸福", "那幸福的一天", "谁和您在一起？"),
    ),
    _topic(
        ("friends friend miss", "your old friends", "When did you last see them?"),
        ("朋友 想念", "您的老朋友", "你们怎么认识的？"),
    ),
)

HELLO: dict[Language, tuple[str, str]] = {
    "en": ("Hello, I am glad to meet you.", "Where would you like to begin?"),
    "zh": ("您好，很高兴认识您。", "您想从哪里开始说？"),
}
"""A greeting and its question."""

MORE: dict[Language, str] = {
    "en": "Thank you. Please tell me more about that.",
    "zh": "谢谢您。请再多说一点。",
}
"""The reply to words about none of the topics."""

REST: dict[Language, str] = {
    "en": "Thank you. We can rest now and talk again another day.",
    "zh": "谢谢您。我们先休息，改天再聊。",
}

GREETINGS: dict[Language, tuple[str, ...]] = {
    "en": ("hello", "Hello!", "Good morning.", "Hi, I am ready."),
    "zh": ("你好", "您好！", "早上好。"),
}
"""Whole messages that are answered with HELLO."""

FAREWELLS: dict[Language, tuple[str, ...]] = {
    "en": ("Let us stop here for today.", "goodbye", "I am tired.", "That is enough for today."),
    "zh": ("今天就到这里。", "再见", "我累了。"),
}
"""Whole messages that are answered with REST."""


def topic_of(text: str) -> Topic | None:
    """Return the topic whose word comes first in the text, if there is any."""
    found = [(at, topic) for topic in TOPICS if (at := _first_word(topic, text)) is not None]
    return min(found, key=lambda each: each[0])[1] if found else None


def _first_word(topic: Topic, text: str) -> int | None:
    english = "|".join(topic.en.words)
    match = re.search(rf"\b({english})\b|{'|'.join(topic.zh.words)}", text, re.IGNORECASE)
    return match.start() if match else None


def expected_reply(text: str, language: Language, question: bool = True) -> str:
    """Return what the micro llama says, at temperature 0, to the person's last words.

    ``text`` is empty for an opening, where the last user message is only a note; ``language`` is
    then the note's. ``question`` is False where the note forbids one. Parts are separated by
    PART_BREAK.
    """
    if text in FAREWELLS[language]:
        return REST[language]
    if not text or text in GREETINGS[language]:
        greeting, asking = HELLO[language]
        return greeting + _SPACE[language] + asking if question else greeting
    topic = topic_of(text)
    return topic.reply(language, question) if topic else MORE[language]
