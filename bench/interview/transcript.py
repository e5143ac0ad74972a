"""An interview as a dialogue to read."""

from collections.abc import Iterator
from datetime import timedelta

from bench.interview.interviewer import Reply
from bench.interview.player import Interview


def dialogue(interview: Interview, *, notes: bool = True) -> Iterator[str]:
    """Give the lines; ``notes`` tells in brackets why each thing was said."""
    yield from _spoken(interview.greeting, notes=notes)
    for exchange in interview.exchanges:
        note = f"  [{exchange.said.kind} {', '.join(exchange.said.facts)}]" if notes else ""
        yield f"  — {exchange.said.text}{note}"
        yield from _spoken(exchange.reply, notes=notes)
        if exchange.back is not None:
            yield f"    ({_while(exchange.back.idle)} later)"
            yield from _spoken(exchange.back, notes=notes)


def page(title: str, interview: Interview) -> str:
    """Return the interview as a page of documentation."""
    lines = [f"# {title}", "", interview.sheet.about, ""]
    lines += _paragraphs("**Interviewer**", interview.greeting.text)
    for exchange in interview.exchanges:
        lines += _paragraphs("**Narrator**", exchange.said.text)
        lines += _paragraphs("**Interviewer**", exchange.reply.text)
        if exchange.back is not None:
            lines += [f"*{_while(exchange.back.idle)} later*", ""]
            lines += _paragraphs("**Interviewer**", exchange.back.text)
    return "\n".join(lines)


def _spoken(reply: Reply, *, notes: bool) -> Iterator[str]:
    scripted = "" if reply.scripted else " model"
    note = f"  [{reply.intent}{scripted} {', '.join(reply.asked)}]" if notes else ""
    yield f"{' / '.join(reply.parts)}{note}"


def _paragraphs(who: str, text: str) -> list[str]:
    return [f"{who}: {' '.join(text.splitlines())}", ""]


def _while(idle: timedelta | None) -> str:
    if idle is None:
        return "A while"
    hours = round(idle / timedelta(hours=1))
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
