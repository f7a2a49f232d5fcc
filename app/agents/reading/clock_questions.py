"""Finds out whether a person asks for the time or today's date, and where, in several languages."""

import re

NOWHERE = ""
"""The place of who did not name one."""

_WORD = r"[^\W\d_][\w'’.-]*"
_PLACE = (
    rf"(?:the )?(?!(?:my|your|our|this|which|what)\b)(?P<place>{_WORD}(?:[ ,/_]+{_WORD}){{0,3}}?)"
)
_NOW = r"(?: (?:right now|now|currently|at the moment|today|exactly|please|there))*"
_END = r"(?=\s*(?:$|[?.!;,])| (?:and|und|et|y|but|using|on|with)\b)"

_IN = rf"(?: (?:over )?(?:in|at|for|on) {_PLACE})?{_NOW}{_END}"

_CLOCKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bin {_PLACE},? (?:what time is it|what is the time){_NOW}{_END}",
        rf"\bwhat (?:time|hour)(?: of day)? (?:is it|it is){_NOW}{_IN}",
        rf"\b(?:what(?:'s| is)|tell me|know) the (?:current |local |exact )*time{_NOW}{_IN}",
        rf"^(?:the )?time in {_PLACE}{_NOW}{_END}",
        rf"\b(?:the )?current (?:local )?(?:date and )?time(?: and date)?{_NOW}{_IN}",
        rf"\bwie (?:spät|viel uhr) ist es(?: (?:jetzt|gerade))?(?: in {_PLACE})?{_END}",
        rf"\bquelle heure est[- ]il(?: (?:à|a|en|au) {_PLACE})?{_END}",
        rf"\bqu[eé] hora es(?: (?:ahora )?en {_PLACE})?{_END}",
        rf"\bque horas s[aã]o(?: (?:em|no|na) {_PLACE})?{_END}",
        rf"\bche or[ae] (?:è|sono)(?: a {_PLACE})?{_END}",
        rf"(?:который час|сколько (?:сейчас )?времени)(?: (?:сейчас )?(?:в|во) {_PLACE})?{_END}",
        # With "now" or as all that is said; else it asks when something begins.
        r"(?:请问)?(?:(?!现在|目前|请问)(?P<place>[\u4e00-\u9fff]{2,6}?))?(?:现在|目前)(?:是|的时间是)?几点"
        r"[了钟鐘]?",
        r"^\W*(?:请问)?几点[了钟鐘]|(?:今|いま)は?何時(?:です)?か?",
        r"(?:ที่)?(?P<place>[\u0e00-\u0e7f]{2,20}?)?(?:ตอนนี้|ขณะนี้)(?:เวลา)?กี่โมง(?:แล้ว)?|^\W*กี่โมงแล้ว",
        r"كم الساعة(?: (?:الآن )?في (?P<place>\w+))?",
    )
)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:today's|the current|current) (?:date|day)\b{_NOW}(?: is(?: what)?)?{_END}",
        rf"\bwhat(?:'s| is) (?:the )?(?:date|day|weekday)(?: of the (?:week|month))?{_NOW}{_END}",
        r"\b(?:what|which) (?:date|day|weekday|month|year)(?: of the (?:week|month))?"
        rf" (?:is it|it is|is today|today is){_NOW}{_END}",
        rf"\b(?:what(?:'s| is) today|today is what (?:day|date)|tell me the date){_NOW}{_END}",
        r"\b(?:welcher tag|welches datum|der wievielte) ist (?:heute|es)\b",
        r"\bquel jour (?:sommes-nous|est-on|est-ce)\b|\bquelle est la date d'aujourd'hui\b",
        r"\bqu[eé] (?:d[ií]a|fecha) es (?:hoy)?\b|\bche giorno è\b|\bque dia é hoje\b",
        r"какое сегодня число|какой сегодня день|今天(?:是)?(?:几号|星期几|周几|几月几[号日])",
        r"今日は何[日曜]|วันนี้(?:เป็น)?วัน(?:ที่เท่าไ[หร]+่?|อะไร)|ما (?:هو )?تاريخ اليوم",
    )
)


def find_clock_questions(text: str) -> tuple[list[str], str]:
    """Return the places whose time is asked for (`NOWHERE`: none named), and the text without.

    A question for today's date counts as one for the time.
    """
    places: list[str] = []
    for pattern in _CLOCKS:
        places += [_place(question) for question in pattern.finditer(text)]
        text = pattern.sub(" ", text)
    for pattern in _DATES:
        text, count = pattern.subn(" ", text)
        if count and not places:
            places.append(NOWHERE)
    return list(dict.fromkeys(places)), text


def _place(question: re.Match[str]) -> str:
    return (question.groupdict().get("place") or NOWHERE).strip()
