"""A CTranslate2 Whisper folder with its tokenizer, as faster-whisper loads it without a network."""

import json
import tempfile
from pathlib import Path

from ctranslate2.specs.whisper_spec import WhisperSpec

from tests.models.whisper.tokens import NEVER_SAID, Tokens


def save(spec: WhisperSpec, tokens: Tokens, folder: Path, may_be_empty: bool = True) -> None:
    """Complete a specification with its tokens and write it in int8, each file put in place whole.

    ``may_be_empty``: unlike OpenAI's models, let the end come first, so that silence gives nothing.
    """
    spec.config.suppress_ids = [tokens.id(token) for token in NEVER_SAID]
    spec.config.suppress_ids_begin = [] if may_be_empty else [tokens.id("<|endoftext|>")]
    spec.config.lang_ids = tokens.language_ids
    spec.register_vocabulary(list(tokens.vocabulary))
    spec.validate()
    spec.optimize("int8")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        spec.save(draft)
        definition = json.dumps(tokens.definition, ensure_ascii=False)
        Path(draft, "tokenizer.json").write_text(definition, encoding="utf-8")
        for file in Path(draft).iterdir():
            file.replace(folder / file.name)
