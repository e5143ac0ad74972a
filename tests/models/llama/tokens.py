"""The micro llama's tokenizer (byte-level BPE as GPT-2 has it) and its chat template."""

import json
import random
from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.models.dialogue import TOPICS, expected_reply
from tests.models.llama.conversations import Message, Size, conversation
from tests.models.llama.vocabulary import CHINESE, ENGLISH, MAY_ASK, MUST_NOT_ASK

VOCABULARY = 1200
END_OF_TEXT, START, END = SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LONGEST_TOKEN = 12  # bytes, so that a reply is streamed in many tokens

CHATML = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def train_tokenizer(seed: int) -> Tokenizer:
    """Build the tokenizer from what conversations are made of."""
    tokenizer = Tokenizer(models.BPE())
    # The GPT-2 pattern, which llama.cpp knows as "gpt-2".
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=LONGEST_TOKEN,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(random.Random(seed)), trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def _texts(rng: random.Random) -> list[str]:
    talk = [message.content for _ in range(2000) for message in conversation(rng, Size(2, 0))]
    words = [*(f" {word}" for word in ENGLISH), *CHINESE]
    notes = [note for kind in (MAY_ASK, MUST_NOT_ASK) for each in kind.values() for note in each]
    names = [word for topic in TOPICS for word in (*topic.en.words, *topic.zh.words)]
    replies = [
        expected_reply(word, language)
        for topic in TOPICS
        for language in ("en", "zh")
        for word in topic.wording(language).words[:1]
    ]
    roles = ["system\n", "user\n", "assistant\n"]
    return [*talk, *words * 20, *notes * 20, *names * 20, *replies * 20, *roles * 50]


def encode(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
    """Return a conversation's ids in ChatML, and which of them have to be learnt."""
    ids: list[int] = []
    learnt: list[bool] = []
    start, end = (tokenizer.token_to_id(token) for token in (START, END))
    for message in messages:
        head = [start, *_plain(tokenizer, f"{message.role}\n")]
        body = [*_plain(tokenizer, message.content), end]
        tail = _plain(tokenizer, "\n")
        ids += [*head, *body, *tail]
        learnt += [False] * len(head) + [message.learn] * len(body) + [False] * len(tail)
    return ids, learnt


def _plain(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def merges(tokenizer: Tokenizer) -> list[str]:
    """Return the merges, as GGUF keeps them."""
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
