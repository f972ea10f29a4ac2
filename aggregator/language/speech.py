"""Words around a quotation, in eight languages: verbs of saying, pronouns, titles.

Written for the wire's own sentences ("a-t-il déclaré", "sagte der Kanzler", "додав він"), not
for the language as a whole. Verbs are regular expressions of the forms that attribute speech:
third person, present and past, with the participle of compound tenses standing for all of them.
"""

from __future__ import annotations

import re
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBS = {
    "fr": r"""
        (?:déclar|affirm|ajout|estim|expliqu|indiqu|précis|soulign|assur|rappel|annonc|confi|martel|insist
        |dénonc|jug|regrett|confirm|demand|racont|comment|lanc|plaid|gliss|réclam|accus|not)
        (?:é|e|le|ait|èrent|ent)
        |dit|disait|disent|averti(?:t|ssait)?|prévenu|prévient|écrit|écrivait|répond(?:u|ait)?|réagit?|promis
        |promet|conclut?|poursuivit?|poursuit|reconnu|reconnaît|admis|admet|soutenu|soutient
        |mise?\ en\ garde|fait\ savoir
        |qualifié
    """,
    "en": r"""
        said|says|told|tells|added|adds|warned|warns|explained|explains|stated|states|wrote|writes|insisted|insists
        |argued|argues|announced|claimed|claims|noted|stressed|stresses|replied|declared|declares|called
        |described|admitted|admits|acknowledged|remarked|concluded|suggested|vowed|pledged|asked|asks|urged
        |accused|tweeted|recalled|emphasi[sz]ed|reiterated|condemned|denounced
    """,
    "de": r"""
        sagte[n]?|sagt|gesagt|erklärte[n]?|erklärt|betonte|betont|warnte|warnt|gewarnt|meinte|meint|schrieb|schreibt
        |geschrieben|fügte|ergänzte|kündigte|angekündigt|teilte|mitgeteilt|forderte|fordert|gefordert|kritisierte
        |kritisiert|nannte|bezeichnete|behauptete|räumte|antwortete|versicherte|unterstrich|äußerte|so
    """,
    "es": r"""
        dijo|dice|dicho|ha\ dicho|declaró|declarado|afirmó|afirma|afirmado|añadió|añade|añadido|aseguró
        |asegura|asegurado
        |advirtió|advierte|advertido|explicó|explica|explicado|señaló|señala|señalado|subrayó|subraya|subrayado|indicó
        |indica|insistió|insiste|escribió|escribe|recordó|recuerda|respondió|responde|anunció|anunciado|sostuvo|sostiene
        |apuntó|apunta|agregó|agrega|manifestó|reconoció|denunció|calificó|precisó|lamentó|aseveró|expresó
    """,
    "it": r"""
        detto|dice|disse|dichiarato|dichiara|affermato|afferma|aggiunto|aggiunge|spiegato|spiega|sottolineato|sottolinea
        |avvertito|avverte|scritto|scrive|ribadito|ribadisce|sostenuto|sostiene|annunciato|risposto|risponde|ricordato
        |ricorda|precisato|precisa|osservato|commentato|commenta|assicurato|assicura|ammesso|concluso|denunciato|definito
    """,
    "pl": r"""
        (?:powiedzia|doda|oświadczy|stwierdzi|podkreśli|zaznaczy|napisa|przekaza|ostrzeg|ostrzega|wyjaśni|zapewni|oceni
        |przyzna|zapowiedzia|odpowiedzia|poinformowa|mówi|apelowa|zaapelowa|przypomnia|wskaza|skomentowa|uzna
        |tłumaczy|nazwa)ł[aoi]?|mówi|dodaje|podkreśla|zaznacza|pisze|twierdzi|ostrzega|wyjaśnia|zapewnia|ocenia|przyznaje
    """,
    "uk": r"""
        (?:сказа|заяви|дода|наголоси|зазначи|повідоми|написа|підкресли|поясни|застер|попереди|відпові|розпові|запевни
        |визна|нагада|уточни|стверджува|вважа|прокоментува|назва|закликa|оголоси|резюмува)(?:в|ла|ли|г|гла|вши|вся|лася)
        |відповів|відповіла|розповів|розповіла|застеріг|застерегла|каже|говорить|додає|зазначає|наголошує|заявляє|пише
        |пояснює|стверджує|вважає|підкреслює|попереджає
    """,
    "ru": r"""
        (?:сказа|заяви|добави|подчеркну|отмети|сообщи|написа|поясни|объясни|предупреди|ответи|рассказа|завери|призна
        |напомни|уточни|утвержда|счита|прокомментирова|назва|призва|объяви|замети|указа)(?:л|ла|ли|лся|лась)
        |говорит|говорил[аи]?|добавляет|отмечает|подчёркивает|подчеркивает|заявляет|пишет|поясняет|утверждает|считает
        |предупреждает
    """,
}

#: Languages whose verb says by itself that it is he or she who speaks.
PRO_DROP = frozenset({"es", "it", "pl", "uk", "ru"})

_PRONOUNS = {
    "fr": "il elle ils elles",
    "en": "he she they",
    "de": "er sie",
    "es": "él ella ellos",
    "it": "lui lei egli ella loro",
    "pl": "on ona oni",
    "uk": "він вона вони",
    "ru": "он она они",
}


#: What opens reported speech between its verb and the words reported.
COMPLEMENTISERS = _words("que qu that dass daß che że iż що что как як")

#: A name after one of these is where, when or about whom, not who speaks.
PREPOSITIONS = _words(
    """
    à au aux en dans sur pour par avec chez contre vers lors avant après depuis entre sans sous selon
    dont in at on to for with by from against about after before during since via over under between
    near into as im am an auf bei mit nach vor gegen über für aus zu zum zur von vom seit zwischen ohne
    unter laut a al ante con contra desde durante hacia hasta para por sobre tras según nel nella nei
    nelle negli alla allo ai agli alle dal dalla dai sul sulla sui per tra fra su da secondo w we na do
    z ze przy po od dla przez przed nad pod o u wobec podczas między в у на до з із зі від для про при
    після перед через під над між за во со к ко от о об обо после под между с из по
    """
)

#: The same, but a name after one of these may still be all that is known of the speaker: the
#: Kremlin of "a spokesman of the Kremlin".
GENITIVES = _words("de du des d of di del della dell dei degli delle der")

ARTICLES = _words("le la les l un une the an der die das den dem des ein eine el los las una uno il lo gli i")

#: Capitalised at the head of a sentence, and no part of a name. Pronouns are added by `is_opener`.
OPENERS = _words(
    """
    le la les l un une des du de ce cette ces cet son sa ses mais et ou où or donc puis pourtant
    cependant alors ainsi comme quand lorsque si selon pour dans en à au aux avec sur après avant depuis
    lors mardi lundi mercredi jeudi vendredi samedi dimanche hier nous vous je on qui que tout aucun
    aussi toutefois interrogé interrogée the an this that these those his her its their but and so then
    yet however when while as if in at by for from with after before during since monday tuesday
    wednesday thursday friday saturday sunday yesterday today we i you it there what asked speaking
    earlier later der die das den dem ein eine einen einem einer und aber doch dann auch als wenn
    während nach vor am im bei mit auf für zu zum zur laut wie montag dienstag mittwoch donnerstag
    freitag samstag sonntag gestern heute wir ich es nun dabei zudem darauf el los las una y pero
    entonces cuando mientras según por para con sin sobre tras también ayer hoy lunes martes miércoles
    jueves viernes sábado domingo este esta esto lo su sus así además il gli uno e ma poi quando mentre
    secondo nel nella per dopo prima ieri oggi lunedì martedì mercoledì giovedì venerdì sabato domenica
    questo questa così anche w na do z ze po przed podczas a ale jednak jak kiedy gdy to ten ta wczoraj
    dziś dzisiaj poniedziałek wtorek środa czwartek piątek sobota niedziela także według в у на до з із
    зі від після перед під а і й але проте однак як коли це цей ця вчора сьогодні понеділок вівторок
    середа четвер п'ятниця субота неділя також за при водночас во с со к после и но однако как когда это
    этот эта вчера сегодня понедельник вторник среда четверг пятница суббота воскресенье также по
    ha hanno hat haben has have according kiedyś
    """
)

#: What may stand between a name and its verb: auxiliaries, "also", "again", "not".
_BETWEEN = _words(
    """
    a ont avait aurait n'a n'avait est également aussi encore ensuite ainsi toutefois quant lui même
    has have had also then later again not never who once already earlier since
    hat haben hatte auch dann zudem erneut bereits später
    ha han había habían también luego ya no
    ha hanno aveva anche poi ancora già non
    też także również potem już nie
    також теж потім уже не вже
    также тоже затем уже не
    """
)

#: Before a name and no part of it; German and English capitalise them.
TITLES = _words(
    """
    m mm mme mlle mr mrs ms dr prof sir lord lady herr frau señor señora sr sra don doña signor signora
    pan pani пан пані господин госпожа president vice prime minister foreign defense defence finance
    interior secretary state chancellor general senator governor mayor king queen prince princess pope
    ambassador envoy spokesman spokeswoman spokesperson chief director chairman kremlin's président
    présidente premier ministre präsident kanzler kanzlerin ministerin außen verteidigungs général
    colonel captain rep sen gen gov prezydent szef szefowa президент прем'єр міністр министр премьер
    глава
    """
)

_GERMAN_OFFICE = re.compile(
    r"\w*(?:kanzler|präsident|minister|sprecher|chef|general|sekretär|kommissar|vorsitzende|beauftragte"
    r"|abgeordnete|bürgermeister|botschafter|experte|expertin|politiker)(?:in|s|r|n)?",
    re.IGNORECASE,
)

#: Small words within a name: Ursula von der Leyen, Mohammed ben Salmane.
PARTICLES = _words("de du des la le van von der den di da del dos el al bin ben ibn y e af zu")


def is_title(word: str) -> bool:
    """True for what stands before a name and is none: Herr, President, Außenministerin."""
    bare = word.rstrip(".").casefold()
    return bare in TITLES or _GERMAN_OFFICE.fullmatch(bare) is not None


def stands_between(word: str) -> bool:
    """True for a word that may part a name from its verb of saying: also, hat, également."""
    bare = word.casefold()
    return bare in _BETWEEN or bare.endswith(("ly", "ment", "mente"))


@cache
def is_opener(word: str) -> bool:
    """True for a word that is capitalised only because a sentence begins with it."""
    bare = word.casefold()
    if bare in OPENERS or bare in _words(" ".join(_PRONOUNS.values())):
        return True
    # "Napisał na kartonie": the verb itself may stand first.
    return any(verbs(language).fullmatch(word) for language in PRO_DROP)


@cache
def verbs(language: str | None) -> re.Pattern[str]:
    """The verbs of saying of a language; of all eight where it is none of them."""
    forms = [_VERBS[language]] if language in _VERBS else list(_VERBS.values())
    joined = "|".join(f"(?:{form})" for form in forms)
    # A capital makes a name of it (the United States), save where a sentence may begin with its
    # verb: Dodał, że … · Dijo que …
    case = re.IGNORECASE if language in PRO_DROP else re.NOFLAG
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)", case | re.VERBOSE)


@cache
def pronouns(language: str | None) -> frozenset[str]:
    """Who speaks where no name says it: he, elle, він.

    French has its own inverted form, a-t-il. Where the language is not known, Polish "on" is
    left out: it would be met in every English sentence.
    """
    if language in _PRONOUNS:
        return _words(_PRONOUNS[language])
    return _words(" ".join(_PRONOUNS.values())) - {"on"}
