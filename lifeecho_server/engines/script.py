"""The two scripts of Chinese, by OpenCC."""

import opencc


class ChineseScript:
    """Brings Chinese text into one script; loading the dictionaries takes some milliseconds."""

    def __init__(self) -> None:
        self._converters = {"hans": opencc.OpenCC("t2s"), "hant": opencc.OpenCC("s2t")}

    def convert(self, text: str, script: str | None) -> str:
        """Return ``text`` in ``script`` (``hans`` or ``hant``); ``None`` leaves it as it is.

        Raises KeyError for any other script.
        """
        if script is None:
            return text
        converted: str = self._converters[script].convert(text)
        return converted
