"""Tells small talk (greetings, thanks, questions about the assistant) from what needs work."""

import re

WORD_LIMIT = 16
"""What is longer is never taken for small talk: a search too many costs less than one too few."""

_PHRASES = re.compile(
    r"\b(?:"
    # Greetings.
    r"hi+|hey+|hello+|hiya|howdy|ahoy|greetings|good (?:morning|day|afternoon|evening)"
    r"|nice to (?:meet|see|talk to|speak with) you|hallo|moin|servus|guten (?:tag|morgen|abend)"
    r"|bonjour|bonsoir|salut|hola|buen[oa]s (?:d[ií]as|tardes|noches)|ciao|buongiorno|buonasera"
    r"|ol[aá]|bom dia|boa (?:tarde|noite)|привет|здравствуй(?:те)?|добр(?:ый|ое) (?:день|утро)"
    r"|добрый вечер|merhaba|مرحبا|أهلا|السلام عليكم"
    # Thanks.
    r"|thank(?:s| you)|thanx|thx|cheers|much obliged|appreciated?|grateful|danke|vielen dank|merci"
    r"|gracias|grazie|obrigad[oa]|спасибо|teşekkürler|شكرا"
    # Goodbyes.
    r"|(?:good)?bye|good night|see (?:you|ya)|talk to you (?:later|soon)|farewell|take care"
    r"|signing off|that(?:'s| is| will be) all|have a (?:nice|good|great) \w+|tschüss"
    r"|auf wiedersehen|bis bald|au revoir|à bientôt|adi[oó]s|hasta luego|arrivederci|tchau|пока"
    r"|до свидания|مع السلامة"
    # Nods.
    r"|ok(?:ay)?|cool|awesome|perfect|excellent|wonderful|well done|got it|i see|all ?right"
    r"|understood|alles klar|d'accord|vale|хорошо|понятно"
    r")\b"
    # Scripts without spaces between words.
    r"|你好|您好|嗨|早上好|晚上好|谢谢|多谢|感谢|再见|拜拜|好的|明白了|こんにちは|おはよう|ありがとう"
    r"|さようなら|안녕|감사합니다|고마워|สวัสดี|หวัดดี|ขอบคุณ|ลาก่อน|โอเค"
)

_AROUND_PHRASES = """
    a again ai all always amazing and answer answers anyone around assistance assistant at been best
    bet big bot chat chatting day dear device did do ever every everything for friend from fun given
    glad good great have help helped helpful helping here i i'll i'm im in info information is it
    it's its job kindly later lot lots love many me much my nice now of oh pleasure please really
    right same say saying seeing so some soon sure talk talking that thats the there this time to
    today tomorrow totally truly u until very want was well why with work ya yes you you're you've
    your yourself dir euch ihnen schön sehr beaucoup muchas mucho mille muito большое вам тебе
    你 您 了 们 啊 呀 大家 ございます 하세요 ครับ ค่ะ นะ มาก คุณ
"""
_FILLERS = frozenset(_AROUND_PHRASES.split())

_YOU = r"(?:you|your|you're|yours|yourself|ai|ai's)"
_YOURS = (
    r"(?:names?|age|birthday|birth\w*|born|alive|exist(?:ence)?|made|created|built|constructed"
    r"|designed|design|designer|programm\w+|coded|code|developed|developer|invent(?:ed|or)|brand"
    r"|manufactured?|maker|creator|boss|employer|employed|hobb(?:y|ies)|pets?|past-?times?|origins?"
    r"|spare time|free time|for fun|originate|hail|nationality|hometown|grow up|real|human|person"
    r"|(?:ro)?bots?|computer|machine|artificial|automated|ai|favorite|capable|knowledge?able"
    r"|familiar|versed|good at|abilities)"
)
_MADE = r"(?:made|created|built|constructed|designed|programmed|coded|developed|invented|owns)"

_ABOUT_YOU = tuple(
    re.compile(pattern)
    for pattern in (
        # A word about oneself within three words of "you".
        rf"\b{_YOU}\b(?: [\w'-]+){{0,2}} {_YOURS}\b",
        rf"\b{_MADE}\b(?: [\w'-]+){{0,2}} {_YOU}\b",
        # How are you?
        r"\bhow(?:'re|'s| is| are| have|s)? (?:you|things|everything|it|life)\b"
        r"(?: (?:been|doing|going|feeling))?(?: (?:today|now|right now|ai))?$",
        r"\bhow you are\b|\bare you (?:doing )?(?:ok|okay|well)\b|^what'?s up\b",
        # Who are you?
        r"\bold (?:are|is|were|would) (?:you|ai)\b|\bhow old you are\b|^how old$",
        r"\b(?:who|what) are you$|\bwho (?:do|are) you work(?:ing)?\b|\bdo you work for\b",
        r"\bwhere (?:are|do|did) you (?:come |live )?(?:from|live)\b|\bwhere you are from\b",
        r"\bcalls? (?:you|yourself)\b|\byou (?:like )?(?:to be )?called\b|\bi call your?\b",
        # What can you do?
        r"\bwhat (?:else |all )?c(?:an|ould) you do\b|\bwhat (?:are )?you (?:able to|can) do\b",
        r"\bc(?:an|ould) you help me(?: with)?(?: exactly)?$|\byou can help(?: me)?(?: with)?$",
        r"\b(?:can|could|may|should) i ask(?: you)?(?: about)?$|\bi can ask(?: you)?(?: about)?$",
        r"\b(?:subjects|things) (?:do )?you (?:like|enjoy|know|excel)\b|\bdo you enjoy\b",
        # Talk for its own sake.
        r"\b(?:meaning|purpose|point) (?:of|in|to) (?:life|existence|living)\b",
        r"\bjokes?\b|\bmake me laugh\b|\bsomething funny\b"
        r"|\b(?:fun|random|interesting|cool) (?:facts?|trivia)\b",
        # The same in other languages, the commonest only.
        r"\bwer bist du\b|\bwie hei(?:ß|ss)t du\b|\bwie geht(?:'s| es)\b|\bwas kannst du\b",
        r"\bqui es[- ]tu\b|\bcomment (?:ça va|vas[- ]tu|tu t'appelles)\b|\bque peux[- ]tu faire\b",
        r"\bqui[eé]n eres\b|\bc[oó]mo (?:est[aá]s|te llamas)\b|\bqu[eé] puedes hacer\b",
        r"\bкто ты\b|\bкак (?:тебя зовут|дела)\b|\bчто ты умеешь\b|من أنت|كيف حالك|ما اسمك",
        r"你是谁|你叫什么|你好吗|你会(?:做)?什么|你能做什么|คุณคือใคร|คุณชื่ออะไร|สบายดีไหม|ทำอะไรได้บ้าง",
    )
)
_ASKING = re.compile(
    r"^(?:(?:can|could|would|will|do|did|may|might) (?:you|i) (?:please )?(?:tell|give|show|explain"
    r"|know|say|help|describe|remind|find|look|check|search|ask|have|see|get|read|summari[sz]e"
    r"|translate|write|make)\b|(?:please|tell me|let me know|give me|so|and|hey|hi|ok|okay|me|us)\b"
    r"| )+"
)
# The marks of Arabic, Indic scripts and Thai are no letters to `re`, but belong to their words.
_PUNCTUATION = re.compile(r"[^\w\s'\u064b-\u065f\u0900-\u0fff-]+")


def is_small_talk(text: str) -> bool:
    """Whether the assistant can answer without looking anything up."""
    said = " ".join(_PUNCTUATION.sub(" ", text.casefold().replace("’", "'")).split())
    if len(said.split()) > WORD_LIMIT:
        return False
    # "Can you tell me ..." speaks to the assistant, not of it.
    asked = _ASKING.sub("", said)
    return _is_polite(said) or any(pattern.search(asked) for pattern in _ABOUT_YOU)


def _is_polite(said: str) -> bool:
    """Whether nothing is left of it without greetings, thanks and the words around them."""
    rest, phrases = _PHRASES.subn(" ", said)
    return phrases > 0 and all(word in _FILLERS for word in rest.split())
