"""The micro llama: conversations, tokenizer, network, training, export to GGUF, evaluation."""
