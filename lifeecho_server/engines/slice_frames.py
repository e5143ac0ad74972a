"""Slices of one recording become frames, as complete files or as pieces of streams.

Each slice that begins a file (``begins_file``) starts a new *run*; those after it that do not
begin one belong to it. A file's first slice is read as the beginning of a stream, for nobody
knows yet whether it will be continued; once a second file follows the first at once, every
slice is a complete file, and is read to its end without waiting for the next.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing

import numpy as np
from av.audio.frame import AudioFrame

from lifeecho_server.engines.audio import FileFrames
from lifeecho_server.engines.audio_format import SNIFF_BYTES, sniff
from lifeecho_server.engines.audio_frames import (
    DEMUXERS,
    BadAudio,
    ContainerFrames,
    Frames,
    PcmFrames,
    PcmLayout,
)
from lifeecho_server.engines.disk import from_disk
from lifeecho_server.engines.slice_bytes import JoinedSlices, Line, Slice
from lifeecho_server.engines.slice_format import begins_file, read_wav_header
from lifeecho_server.engines.slice_handover import Handover
from lifeecho_server.engines.slice_losses import Losses
from lifeecho_server.engines.slice_mp4 import Mp4Boxes, WholeMp4, is_finished_mp4, mp4_header
from lifeecho_server.engines.slice_webm import ResumedWebm, webm_header

# Without these the mp3 demuxer looks at more than a second before it gives anything.
_LIVE: Mapping[str, str] = {"probesize": "32", "analyzeduration": "1"}

_UNREADABLE = (BadAudio, FileNotFoundError)
"""Bytes that are wrong, or gone; what a disk fails over may be there when it is read again."""

_ALIGNING_BYTES = 4_096

_MP4 = ("m4a", "mp4")
_RESUMABLE = ("webm", *_MP4)
"""Formats whose demuxer would lose much, or all, of what follows a gap."""

_Opener = Callable[[JoinedSlices, Losses], Frames]


class SliceFrames:
    """The frames of all slices in order; ``index`` is of the last slice they were taken from.

    Iterating raises DiskFailed.
    """

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._line = Line(handover)
        self._form: str | None = None  # of the stream that is being read
        self._started = False
        self._files = False  # whether every slice is a complete file
        self._alone = False  # whether the last run was one slice with a header
        self._header: bytes | None = None  # for going on after a gap
        self._layout: PcmLayout | None = None
        self._frames = self._all()
        self.index = 0

    def __iter__(self) -> Iterator[AudioFrame]:
        return self._frames

    def close(self) -> None:
        """Free what is open."""
        self._frames.close()

    def _all(self) -> Generator[AudioFrame, None, None]:
        while (first := self._line.first()) is not None:
            yield from self._run(first)
            self._started = True

    def _run(self, first: Slice) -> Iterator[AudioFrame]:
        form = None if first.raw else begins_file(first.head)
        self._files = self._files or (self._alone and form is not None)
        self._alone = form is not None
        if first.raw:
            return self._raw(PcmLayout("pcm_s16le", first.source.sample_rate or 0, 1, 2), first)
        if self._files and form == "wav":  # by the same decoder as the first: no seam
            return self._joined_frames(JoinedSlices(self._line, lambda _: False), self._wav)
        if form and (self._files or _is_finished(first, form)):
            return self._file(first, form)
        if (
            form
            or (first.source.format == "mp3" and self._form in (None, "mp3"))
            or not (self._started or first.after_gap)
        ):
            return self._stream(first)
        if self._layout and first.after_gap and not self._files:
            return self._raw(self._layout, first)
        if self._header and self._form:
            return self._resumed(self._form, self._header)
        self._line.lose_first()
        return iter(())

    def _file(self, first: Slice, form: str) -> Iterator[AudioFrame]:
        """Read a complete file."""
        self._line.remove_first()
        self._files = True
        anything = False
        try:
            with closing(FileFrames(first.source.path, form, None)) as frames:
                for frame in frames:
                    self.index = first.index
                    anything = True
                    yield frame
        except _UNREADABLE:
            pass
        if not anything:
            self._handover.lost(first.index)

    def _stream(self, first: Slice) -> Iterator[AudioFrame]:
        """Read a stream from its header on."""
        self._form = self._header = self._layout = None

        def opened(joined: JoinedSlices, losses: Losses) -> Frames:
            form = sniff(joined.peek(SNIFF_BYTES)) or first.source.format
            if form is None or form not in DEMUXERS:
                raise BadAudio("this is not a recording in a format that can be read")
            self._form = form
            if form == "wav":
                return self._wav(joined, losses)
            if form in _MP4:
                return _live(Mp4Boxes(joined), form, losses)
            return ContainerFrames(joined, form, options=_LIVE, heard=losses.heard)

        joined = JoinedSlices(self._line, self._belongs)
        yield from self._joined_frames(joined, opened, self._whole)
        self._alone = self._alone and len(joined.begun) == 1
        self._header = _header(self._form, bytes(joined.beginning))

    def _whole(self, joined: JoinedSlices, _: Losses) -> Frames:
        if self._form not in _MP4 or len(joined.begun) < 2:
            raise BadAudio("the recording is damaged and cannot be read")
        return ContainerFrames(WholeMp4([begun.path for begun in joined.begun]), self._form)

    def _wav(self, joined: JoinedSlices, _: Losses) -> Frames:
        layout, length = read_wav_header(joined)
        self._layout = layout
        return PcmFrames(_WavSound(joined, length), layout)

    def _resumed(self, form: str, header: bytes) -> Iterator[AudioFrame]:
        """Read a stream from somewhere after its header."""

        def opened(joined: JoinedSlices, losses: Losses) -> Frames:
            if form in _MP4:
                return _live(Mp4Boxes(joined, header), form, losses)
            return _live(ResumedWebm(joined, header), form, losses)

        return self._joined_frames(JoinedSlices(self._line, self._belongs), opened)

    def _raw(self, layout: PcmLayout, first: Slice) -> Iterator[AudioFrame]:
        """Read raw sound; that of a WAV from somewhere after its header."""
        source = first.source

        def belongs(following: Slice) -> bool:
            if following.after_gap or following.raw != first.raw:
                return False
            if first.raw:
                return following.source.sample_rate == source.sample_rate
            return begins_file(following.head) is None

        def opened(joined: JoinedSlices, _: Losses) -> Frames:
            frames = PcmFrames(joined, layout)
            if first.after_gap and layout.block == 2:
                _align(joined)
            return frames

        return self._joined_frames(JoinedSlices(self._line, belongs), opened)

    def _joined_frames(self, joined: JoinedSlices, *openers: _Opener) -> Iterator[AudioFrame]:
        """Give the frames of the first way to read the slices that gives any."""
        losses = Losses(joined, self._handover.lost)
        anything = False
        with closing(joined):
            for opened in openers:
                for frame in _frames_of(opened, joined, losses):
                    self.index = joined.begun[-1].index if joined.begun else self.index
                    anything = True
                    yield frame
                if anything:
                    break
        losses.finish(anything=anything)
        if not joined.begun:  # refused before a byte was read
            self._line.lose_first()

    def _belongs(self, following: Slice) -> bool:
        """Whether a slice goes on with the stream that is being read."""
        if following.raw:
            return False
        form = begins_file(following.head)
        if form and (self._form is None or DEMUXERS[form] == DEMUXERS[self._form]):
            return False
        return not (following.after_gap and (self._layout or self._form in _RESUMABLE))


def _frames_of(opened: _Opener, joined: JoinedSlices, losses: Losses) -> Iterator[AudioFrame]:
    try:
        with closing(opened(joined, losses)) as frames:
            yield from frames
    except _UNREADABLE:
        return


def _live(stream: Mp4Boxes | ResumedWebm, form: str, losses: Losses) -> Frames:
    losses.origin = stream.origin
    return ContainerFrames(stream, form, options=_LIVE, heard=losses.heard)


def _header(form: str | None, beginning: bytes) -> bytes | None:
    if form in _MP4:
        return mp4_header(beginning)
    return webm_header(beginning) if form == "webm" else None


def _is_finished(first: Slice, form: str) -> bool:
    if form not in _MP4:
        return False
    try:
        with from_disk(), first.source.path.open("rb") as file:
            return is_finished_mp4(file)
    except FileNotFoundError:
        return False


class _WavSound:
    """The sound of a WAV, whose header counts ``length`` bytes of it; ``None``: to the end.

    A count that ends with the first slice, or before it, is of that slice alone, and raw sound
    may follow in the next; one that goes further is of the whole.
    """

    def __init__(self, joined: JoinedSlices, length: int | None) -> None:
        self._joined = joined
        self._left = length
        beyond = joined.left_in_slice() - (length or 0)
        self._unheard = beyond if length is not None and beyond >= 0 else None

    def read(self, size: int, /) -> bytes:
        if self._left == 0 and self._unheard is not None:
            while self._unheard and (skipped := self._joined.read(self._unheard)):
                self._unheard -= len(skipped)
            self._left = None
        taken = self._joined.read(size if self._left is None else min(size, self._left))
        if self._left is not None:
            self._left -= len(taken)
        return taken


def _align(joined: JoinedSlices) -> None:
    """Drop the first byte if it ends a sample of the gap: then the others make noise with it."""
    head = joined.peek(_ALIGNING_BYTES)
    if _roughness(head[1:]) < _roughness(head) / 2:
        joined.read(1)


def _roughness(raw: bytes) -> float:
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32)
    return float(np.abs(np.diff(samples)).sum())
