"""One TOML file a language: stages, slots, questions, phrases and what is recognised."""
