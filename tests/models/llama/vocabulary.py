"""Words that say nothing about a topic: what the conversations are filled up with."""

from tests.models.phrases import Language

_ENGLISH = """
the of and a to in he she you it that was his her with they this have from or one had by word
but not what all were we when your can said there use an each which do how their if will up
other about out many then them these so some would make like him into time has look two more
write go see number no way could people my than first water been call who oil its now find long
down did get come made may part interviewer memoir question ask short language reply sentence
only never person life old listen gently assistant speaker elder story chapter today yesterday
memory years village family warm patient detail told remember person's helps book people
because always before again after thing things gave took went left right small little big
"""

_CHINESE = """
我 你 您 他 她 我们 你们 他们 的 了 在 是 有 和 也 就 都 很 还 说 看 听 想 问 讲 去 来 做 给 让
这 那 这个 那个 什么 怎么 为什么 谁 哪里 一个 一些 一次 一点 时候 后来 以前 现在 今天 昨天 那年
小时候 年轻 老人 家人 村里 记得 忘记 喜欢 知道 觉得 慢慢 常常 一起 每天 生活 日子 回忆 访谈 问题
回答 简短 温和 耐心 一句话 两句话 细节 童年 求学 成家 晚年 时代 寄语 关于 如果 因为 所以
但是 已经 没有 可以 请 吧 呢 啊 嗯 先生 女士 年 月 日 三 四 五 六 七 八 九 十
"""

ENGLISH = tuple(_ENGLISH.split())
CHINESE = tuple(_CHINESE.split())

HANZI = tuple(
    bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)
)
"""The 3,755 most common characters."""

MAY_ASK: dict[Language, tuple[str, ...]] = {
    "en": (
        "Answer warmly in at most two sentences; take up one detail; then ask about: {}",
        "Answer in one or two short sentences, then ask: {}",
        "Reply warmly, take up one detail just told, then ask one question: {}",
        "Greet the person warmly in one or two sentences, then ask: {}",
        "Welcome them back; name what was told last time ({}); ask one simple question.",
        "Take up what was said and stay with it: {}",
        "Ask one question about: {}",
        "First take up one detail just told in one sentence, then ask this one question: {}",
        "Greet them kindly, then ask this one question: {}",
        "Some time has passed. Greet them, mention what was told last time, then ask: {}",
    ),
    "zh": (
        "用一两句话温和地回应，接住一个细节，然后问：{}",
        "用一两句话温和地回应,接住一个细节,然后问:{}",
        "先接住对方刚说的一个细节，再问一个问题：{}",
        "温暖地打招呼，一两句话，然后问：{}",
        "欢迎对方回来，提到上次说过的{}，再问一个简单的问题。",
        "顺着刚才说的往下聊：{}",
        "请问一个关于{}的问题。",
        "先用一句话接住刚才说的一个细节,再问这一个问题:{}",
        "亲切地打个招呼,再问这一个问题:{}",
        "隔了一阵又见面了。先温和地招呼一声,提一提上回说的事,再问这一个问题:{}",
    ),
}
"""Notes that leave room for a question; ``{}`` is what it is about."""

MUST_NOT_ASK: dict[Language, tuple[str, ...]] = {
    "en": (
        "Say a warm farewell in one or two sentences; ask nothing. {}",
        "Comfort the person about {}. Do not ask a question.",
        "Acknowledge what was said about {} in one sentence, without a question.",
        "Thank them; no question now. {}",
        "Stay with {}; ask no questions.",
        "Say goodbye warmly. {}",
        "Answer in at most two sentences. Don't ask anything about {}.",
        "Answer with one or two warm sentences, without asking anything. The sense is: {}",
        "The person is sad. Comfort them, stay with them, do not ask anything. {}",
        "That is all for today. Say goodbye in one or two warm sentences; do not ask. {}",
    ),
    "zh": (
        "用一两句话温和地告别，不要提问。{}",
        "安慰一下，关于{}，不要问问题。",
        "简短地回应{}，不提问。",
        "谢谢对方，这次不再问了。{}",
        "陪着对方，不要追问{}。",
        "温和地道别。{}",
        "用一两句话回应,不要再问任何问题。{}",
        "用一两句温和的话回应,不要提问。意思是:{}",
        "对方心里难过。用一两句话安慰,陪着他,告诉他想说想歇都行,不要提问。{}",
        "对方今天想到这里为止。用一两句话温和道别,不要提问。{}",
    ),
}
"""Notes that forbid a question."""
