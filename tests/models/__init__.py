"""Small models in the real formats, what they were trained on, and how they are made."""
