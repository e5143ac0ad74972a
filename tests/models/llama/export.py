"""A trained network written as a GGUF file with Q8_0 weights."""

from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from tests.models.llama.file import draft_of, write_out
from tests.models.llama.network import Llama, Shape
from tests.models.llama.tokens import CHATML, END, END_OF_TEXT, SPECIAL, merges

Q8_0 = gguf.GGMLQuantizationType.Q8_0


def export(model: Llama, tokenizer: Tokenizer, path: Path) -> None:
    """Write the model; the file is put in place whole."""
    writer = gguf.GGUFWriter(draft_of(path), "llama")
    _describe(writer, model.shape)
    _vocabulary(writer, tokenizer)
    for name, parameter in model.state_dict().items():
        array = parameter.numpy().astype(np.float32)
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, gguf.quants.quantize(array, Q8_0), raw_dtype=Q8_0)
    write_out(writer, path)


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("micro-llama")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds[token in SPECIAL] for token in tokens])
    writer.add_token_merges(merges(tokenizer))
    writer.add_eos_token_id(tokenizer.token_to_id(END))
    writer.add_bos_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_pad_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)
