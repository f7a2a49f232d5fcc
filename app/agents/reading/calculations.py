"""Finds the calculations that a person asks for in plain words, in several languages."""

import re

from app.tools.notation import is_calculation

# The look-behind keeps long rows of digits from being tried at every one of them.
_N = r"((?:[$€£¥฿] ?)?(?<![\d.,])\d[\d.,]*(?<![.,]))"

_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (
            r"(?:the )?(?:square root of|(?:quadrat)?wurzel (?:aus|von)|racine carrée de"
            r"|raíz cuadrada de|raiz quadrada de|radice quadrata di|(?:квадратный )?корень из"
            rf"|รากที่สองของ) ?{_N}",
            r"sqrt(\1)",
        ),
        (rf"{_N}的平方根", r"sqrt(\1)"),
        (rf"{_N} ?(?:squared|zum quadrat|au carré|al cuadrado|в квадрате|的平方)", r"\1^2"),
        (rf"{_N} ?(?:cubed|的立方)", r"\1^3"),
        (rf"{_N} to the {_N}(?:st|nd|rd|th) power", r"\1^\2"),
        (rf"(?:the )?factorial of {_N}", r"factorial(\1)"),
        (rf"{_N} factorial\b", r"factorial(\1)"),
        (
            rf"{_N} ?(?:per ?cent|prozent|pour ?cent|por ciento|por cento|per cento|процент\w*"
            r"|เปอร์เซ็นต์)",
            r"\1%",
        ),
        (rf"{_N}% ?(?:of|von|de|di|от|ของ) ?(?=[\d$€£¥฿])", r"\1% of "),
        (rf"{_N}% ?off (?:of )?", r"\1% off "),
        (rf"{_N}的{_N}%", r"\2% of \1"),
        (rf"{_N} ?/ ?{_N} of {_N}", r"\1 / \2 * \3"),
        (rf"\b(?:multiplication|product) of {_N} (?:and|by) {_N}", r"\1 * \2"),
        (rf"\b(?:sum|addition|total) of {_N} (?:and|to) {_N}", r"\1 + \2"),
        (rf"\bdifference (?:of|between) {_N} and {_N}", r"\1 - \2"),
        (rf"\bmultiply {_N} (?:by|with|and|times) {_N}", r"calculate \1 * \2"),
        (rf"\badd (?:up )?{_N} (?:and|to|plus|with) {_N}", r"calculate \1 + \2"),
        (rf"\bdivide {_N} by {_N}", r"calculate \1 / \2"),
        (rf"\bsubtract {_N} from {_N}", r"calculate \2 - \1"),
    )
)

_OPERATORS = tuple(
    (re.compile(rf"(?<=[\d)%!]) ?(?:{words}) ?(?=[-\d($€£¥฿]|sqrt)", re.IGNORECASE), f" {symbol} ")
    for symbol, words in (
        ("+", r"plus|más|mais|più|плюс|加上?|บวก"),
        ("-", r"minus|moins|menos|meno|минус|减去?|減|ลบ"),
        ("*", r"times|multiplied by|mal|fois|por|vezes|умножить на|乘以?|คูณ(?:ด้วย)?"),
        (
            "/",
            r"divided by|geteilt durch|divisé par|dividido (?:por|entre)|diviso|разделить на"
            r"|除以|หาร(?:ด้วย)?",
        ),
        ("^", r"to the power of|raised to|hoch|puissance|elevado a|в степени|ยกกำลัง"),
    )
)

_STRETCH = re.compile(
    r"(?:\b(?:sqrt|abs|ceil|floor|round|sin|cos|tan|exp|ln|log2|log10|log|min|max|factorial) ?\("
    r"|% off?\b|\bpi\b|\d[\d.,]*|(?<=[\d) ])x(?=[ \d(])|[-+*/^%!()×÷·−√²³π$€£¥฿ ])+",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[A-Za-zÀ-ɏЀ-ӿ]")

_LOOKS_LIKE_ELSE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}"  # a date
    r"|(?:1[5-9]|20)\d\d ?[-–/] ?(?:\d{2}|\d{4})"  # years
    r"|\d+(?:-\d+){2,}|24/7"  # a number to call, hours
)

_ASKED_BEFORE = re.compile(
    r"(?:\b(?:what(?:'s| is| are|s| does| would)?|how much (?:is|are)|calculate|compute|evaluate"
    r"|solve|work out|give me|tell me|find|provide|was (?:ist|sind|ergibt)"
    r"|wie ?viel (?:ist|sind|macht|ergibt)|berechne|rechne|combien (?:font|fait)|calcule[rz]?"
    r"|calcula|cuánto (?:es|son)|quanto (?:é|fa|dá)|calcola|сколько будет|посчитай|вычисли)\b"
    r"|计算|計算|算一?下?|请问|คำนวณ)"
    r"\W*(?:the |me )?(?:result|value|answer|sum|product|total|square root)? ?(?:of|to|for)?\W*$",
    re.IGNORECASE,
)
_ENDS_AFTER = re.compile(
    r" ?(?:$|[?.!,;:=？，。]|(?:and|und|et|y|e|и|then|please|for me|exactly|equals?|is|dollars?"
    r"|euros?|ergibt|gleich|makes?|bitte)\b|和|等于|等於|是|得|เท่ากับ|ได้)",
    re.IGNORECASE,
)
_ANSWERED_AFTER = re.compile(r" ?(?:=|equals? what|等于|等於|是多少|เท่ากับ|ได้เท่าไ)")


def find_calculations(text: str) -> tuple[list[str], str]:
    """Return the expressions that `text` asks to work out, and the text without them.

    Figures that only stand in a text (dates, ranges, `24/7`) are not asked for.
    """
    if not any(map(str.isdigit, text)):
        return [], text
    said = _in_symbols(text)
    found: list[str] = []
    kept, end = "", 0
    for stretch in _STRETCH.finditer(said):
        expression = stretch.group().strip().lstrip("*/^%!).,×÷ ").rstrip("-+*/^(.,×÷$€£ ")
        start = stretch.start() + stretch.group().find(expression)
        before, after = kept + said[end:start], said[start + len(expression) :]
        if _is_asked(before, expression, after):
            found.append(expression)
            kept, end = f"{_ASKED_BEFORE.sub('', before)} ", start + len(expression)
    return found, kept + said[end:]


def _in_symbols(text: str) -> str:
    said = " ".join(text.replace("’", "'").split())
    for pattern, replacement in (*_REWRITES, *_OPERATORS):
        said = pattern.sub(replacement, said)
    return said


def _is_asked(before: str, expression: str, after: str) -> bool:
    if _LOOKS_LIKE_ELSE.fullmatch(expression) or not is_calculation(expression):
        return False
    if _LETTER.match(before[-1:]) or _LETTER.match(after[:1]):
        return False
    if not before.strip(" ¿") or _ANSWERED_AFTER.match(after):
        return not after.strip(" =?？") or bool(_ENDS_AFTER.match(after))
    is_listed = bool(re.fullmatch(r" *(?:,|and|und|et|y|和)? *", before))
    return (is_listed or bool(_ASKED_BEFORE.search(before))) and bool(_ENDS_AFTER.match(after))
