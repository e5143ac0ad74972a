"""The micro Whisper: speech, tokenizer, network, training, export to CTranslate2, evaluation."""
