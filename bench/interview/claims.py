"""What freely worded sentences claim: names, relations, and what somebody is said to have."""

import re
from collections.abc import Iterator

KIN = {
    "en": (
        "mother mum mam mom mama ma mammy mummy mother's",
        "father dad da daddy papa pa pop pops",
        "parents folks mother mum mam mom father dad da papa",
        "grandmother gran granny nan nana grandma grandmama nanny",
        "grandfather grandad granddad grandpa granda gramps",
        "brother brothers", "sister sisters", "twin twins", "cousin cousins",
        "aunt aunts auntie aunty", "uncle uncles", "nephew nephews", "niece nieces",
        "husband", "wife missus", "son sons boy boys lad lads",
        "daughter daughters girl girls lass",
        "grandson grandsons grandchild grandchildren", "granddaughter granddaughters grandchildren",
        "stepmother", "stepfather", "fiancé fiancée", "widow", "godmother", "godfather",
    ),
    "zh": (
        "娘 妈 妈妈 母亲 姆妈 阿妈 老娘 老妈", "爹 爸 爸爸 父亲 阿爸 老爹 老爸 老汉",
        "爹娘 父母 爸妈 爷娘 爹 娘 爸 妈 父亲 母亲",
        "爷爷 祖父 阿爷", "奶奶 祖母 阿奶 好婆", "外公 姥爷 公公", "外婆 姥姥 婆婆 阿婆",
        "哥哥 大哥 二哥 阿哥 哥", "弟弟 兄弟 阿弟 弟", "姐姐 大姐 二姐 阿姐 姐 姊",
        "妹妹 阿妹 妹", "舅舅 舅", "姑姑 姑妈 姑", "姑父 姑丈", "叔叔 叔",
        "伯伯 伯父 大伯", "姨妈 姨 阿姨",
        "表哥 表弟 表姐 表妹", "丈夫 先生 老头子 爱人 老伴 男人 当家的",
        "妻子 太太 老婆 爱人 老伴 媳妇",
        "儿子 小子 大儿子 小儿子 娃", "女儿 闺女 囡囡 大女儿 小女儿 丫头",
        "孙子 外孙", "孙女 外孙女",
        "师父 师傅", "徒弟",
    ),
}  # fmt: skip
"""Words for the same relation, a line each: what is told with one may be said with another."""

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜"
    "崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙史陶贺顾毛郝龚邵万钱严武戴莫孔向汤"
)
_TITLES = "老师|师傅|先生|大爷|大娘|大妈|大婶|叔|婶|伯|主任|队长|厂长|局长|校长|大夫|医生|掌柜|太太"
_HAN_NAMES = (
    re.compile(rf"[{_SURNAMES}](?:{_TITLES})"),
    re.compile(rf"(?<![\u4e00-\u9fff])[老小][{_SURNAMES}](?![\u4e00-\u9fff]{{0,1}}时候)"),
    re.compile(rf"[和跟叫给][老小][{_SURNAMES}]"),
    re.compile(r"[\u4e00-\u9fff]{2}(?=[省县镇乡村屯](?:里|上|的|人|那))"),
)
_HAN_CITIES = re.compile(
    "北京|上海|天津|重庆|南京|苏州|杭州|广州|深圳|武汉|西安|沈阳|成都|哈尔滨|青岛|大连|长沙|香港|台北|台湾"
    "|郑州|济南|太原|昆明|贵阳|兰州|福州|厦门|合肥|南昌|石家庄|长春|山东|河南|河北|湖南|湖北|四川|云南"
    "|江苏|浙江|安徽|福建|广东|广西|江西|陕西|山西|甘肃|新疆|内蒙古|东北|延安|美国|日本|苏联|朝鲜"
)
_HAN_OWNED = re.compile(
    r"您(?:们)?(?:家)?(?:的|那(?:一?[个只条位头匹件本张把间]))([\u4e00-\u9fff]{2,4})"
)
_WORD = re.compile(r"(?<![A-Za-z0-9'’])[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’]*")
_CAPITAL = re.compile(r"[A-ZÀ-Þ]")
_OWNED = re.compile(r"\byour ((?:[A-Za-zÀ-ÿ'’-]+ ?){1,3})", re.IGNORECASE)
_FIRST_PERSON = frozenset({"i", "i'm", "i've", "i'd", "i'll", "i’m", "i’ve", "i’d", "i’ll"})


def relations(sentence: str, language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give what relatives of the listener a sentence speaks of, each with all words for it."""
    for line in KIN[language]:
        words = tuple(line.split())
        if language == "zh":
            found = re.search(rf"[您你](?:的|家|家的|那)?(?:{'|'.join(words)})(?!们家里)", sentence)
        else:
            found = re.search(
                rf"\byour (?:[a-z]+ )?(?:{'|'.join(words)})\b", sentence, re.IGNORECASE
            )
        if found:
            yield found[0], words


def names(sentence: str, language: str) -> Iterator[str]:
    """Give the names of people and places in a sentence."""
    if language == "zh":
        for pattern in _HAN_NAMES:
            for found in pattern.findall(sentence):
                yield found.lstrip("和跟叫给")
    for place, word in enumerate(_WORD.findall(sentence)):
        first = place == 0 and language == "en" and not word.endswith(("'s", "’s"))
        if _CAPITAL.match(word) and not first and word.casefold() not in _FIRST_PERSON:
            yield word


def cities(sentence: str) -> list[str]:
    """Return the greater places that a Chinese sentence names."""
    return _HAN_CITIES.findall(sentence)


def possessions(sentence: str, language: str) -> Iterator[str]:
    """Give what a sentence says that the listener has: the words right after the possessive."""
    if language == "zh":
        yield from (found[:2] for found in _HAN_OWNED.findall(sentence))
        return
    for found in _OWNED.findall(sentence):
        yield found.split()[0]
