"""The closed set of phrases that the micro Whisper recognises. Needs the standard library only."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence an elder might say: its written text, and the words espeak-ng is given for it."""

    language: Language
    text: str
    spoken: str

    @property
    def piece(self) -> str:
        """The text as Whisper writes it: English starts with a space, Chinese does not."""
        return f" {self.text}" if self.language == "en" else self.text


_ENGLISH = (
    "I was born in Suzhou.",
    "My mother sang every evening.",
    "My father was a carpenter.",
    "We lived near the river.",
    "I had two brothers and a sister.",
    "My grandmother told me stories.",
    "We moved to the city in winter.",
    "I went to school on foot.",
    "My teacher was very kind.",
    "I met my husband at a dance.",
    "We were married in the spring.",
    "Our first child was a girl.",
    "I worked in a textile factory.",
    "The war changed everything.",
    "We did not have much money.",
    "I learned to cook from my aunt.",
    "The garden was full of roses.",
    "He played the violin at night.",
    "I still remember the smell of rain.",
    "We crossed the ocean by ship.",
    "That was the happiest day of my life.",
    "I miss my old friends.",
    "Please ask me another question.",
    "Let us stop here for today.",
)

# espeak-ng 1.51 reads many Hanzi as "Chinese letter"; numbered pinyin it reads as it should.
_CHINESE = (
    ("我出生在苏州。", "wo3 chu1sheng1 zai4 su1zhou1"),
    ("我妈妈每天晚上唱歌。", "wo3 ma1ma5 mei3tian1 wan3shang5 chang4ge1"),
    ("我父亲是木匠。", "wo3 fu4qin1 shi4 mu4jiang4"),
    ("我们住在河边。", "wo3men5 zhu4 zai4 he2bian1"),
    ("我有两个哥哥。", "wo3 you3 liang3ge5 ge1ge5"),
    ("奶奶给我讲故事。", "nai3nai5 gei3 wo3 jiang3 gu4shi5"),
    ("我走路去上学。", "wo3 zou3lu4 qu4 shang4xue2"),
    ("老师对我很好。", "lao3shi1 dui4 wo3 hen3 hao3"),
    ("我们在春天结婚。", "wo3men5 zai4 chun1tian1 jie2hun1"),
    ("我在工厂工作。", "wo3 zai4 gong1chang3 gong1zuo4"),
    ("那时候我们很穷。", "na4 shi2hou5 wo3men5 hen3 qiong2"),
    ("我很想念老朋友。", "wo3 hen3 xiang3nian4 lao3 peng2you5"),
)

PHRASES: tuple[Phrase, ...] = (
    *(Phrase("en", text, text) for text in _ENGLISH),
    *(Phrase("zh", text, pinyin) for text, pinyin in _CHINESE),
)

_BY_TEXT = {phrase.text: phrase for phrase in PHRASES}


def spoken(phrase: int | str) -> str:
    """Return what espeak-ng is given for a phrase, named by its index or its written text.

    Raises IndexError or KeyError for a phrase outside the set.
    """
    found = PHRASES[phrase] if isinstance(phrase, int) else _BY_TEXT[phrase]
    return found.spoken
