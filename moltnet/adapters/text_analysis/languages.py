"""Endings of words by language: of each script the stemmer that knows it, of Latin letters that of the text's language.

English words and those of other scripts have one stem. A text in another language with Latin letters has a second stem
for each word, told from English ones by FOREIGN. Which language it is, its function words say; of a query, which is
short, each language may be meant.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import Stemmer

from moltnet.adapters.text_analysis.folding import bare

FOREIGN = "~"
# English stop words about a text: the closed classes, and no word that names a thing or an act.
_CLASSES = (
    # Articles and what points.
    "a an the this that these those",
    # Pronouns.
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself",
    "she her hers herself it its itself they them their theirs themselves who whom whose which what",
    # Auxiliaries.
    "am is are was were be been being have has had having do does did doing",
    "can cannot could shall should will would must might",
    # Conjunctions.
    "and or but nor if then than because as until while so though although whether",
    # Prepositions, but for those that say where a thing moves, stands or fails: up, down, over, out, against.
    "of to in on at by for with from into onto about between through during",
    # Adverbs.
    "not no there here when where why how too very just also",
)
STOP_WORDS = frozenset(word for words in _CLASSES for word in words.split())
ENGLISH = "english"
# Words that every text of a language is full of; those that are English ones too, or letters, tell nothing.
_FUNCTION_WORDS = {
    "german": "der die das und ist nicht ein eine einen dem den des mit für auf im zu von sich auch wir ich sie es war"
    " wird wurde werden haben hat sind bei nach wie wo wenn als aber oder zum zur vom noch nur über aus",
    "french": "le la les un une des du de et est dans pour pas que qui sur au aux avec ce cette nous vous il elle sont"
    " ont par plus mais être été où je sa son ses leur l d n qu",
    "spanish": "el la los las un una unos unas de del y es en por para con que se no al lo su sus como más pero está"
    " fue son ha hay dónde cuándo muy ya nos le les",
    "italian": "il lo la gli le un una di del della dei delle e è in per con che non si da dal alla al sono ha come"
    " più ma nel nella anche questo questa dove ci",
    "portuguese": "o a os as um uma de do da dos das e é em no na nos nas por para com que não se ao mais foi são como"
    " mas está pelo pela onde já",
    "dutch": "de het een en is van in op te dat die voor met niet zijn aan er ook als maar om bij naar wordt wij ik"
    " heeft hebben waar nog uit over",
    "swedish": "och att det en ett är på som för med av inte den till har vi jag var om de men så ska när från",
    "norwegian": "og det en et er på som for med av ikke den til har vi jeg var om de men så skal når fra å",
    "danish": "og det en et er på som for med af ikke den til har vi jeg var om de men så skal når fra at",
    "finnish": "ja on ei se että oli hän joka mutta niin kun tai myös ovat olla jos kuin missä",
    "polish": "i w na z się nie to jest do że o jak za od po przez dla ale są czy był gdzie",
    "turkish": "ve bir bu da de için ile çok ne mi m\u0131 ama olarak daha gibi kadar nerede",
    "hungarian": "a az és hogy nem egy is van volt meg ez de ha csak már hol",
    "romanian": "și în de la cu pe nu este un o din care că pentru sunt mai unde",
    "czech": "a v na se je že s z do to i o k ale jako za by kde",
    "indonesian": "yang dan di ke dari untuk dengan ini itu tidak pada adalah akan di mana",
}
_LANGUAGES_OF = {
    word: tuple(name for name, words in _FUNCTION_WORDS.items() if word in words.split())
    for word in frozenset(" ".join(_FUNCTION_WORDS.values()).split()) - STOP_WORDS
    if len(word) > 1
}
# Of a text without a function word that has letters with marks, any of these may be the language.
_LIKELY = ("german", "french", "spanish", "italian", "portuguese")
# So many of its words tell a language, one of a text as short as this, and so large a part of them a second one.
_TELLING_LEAST, _SHORT, _SECOND = 2, 8, 0.6
_SCRIPTS = (
    ("russian", "\u0400-\u052f"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("hindi", "\u0900-\u097f"),
    ("armenian", "\u0530-\u058f"),
    ("tamil", "\u0b80-\u0bff"),
)
_SCRIPT_OF = re.compile("|".join(f"(?P<{name}>[{characters}])" for name, characters in _SCRIPTS))
_LATIN = re.compile("[a-z\u00c0-\u024f\u1e00-\u1eff]")
_YO = str.maketrans({"\u0451": "\u0435"})


def _stemmer(name: str) -> Callable[[str], str]:
    stemmer = Stemmer.Stemmer(name)
    stemmer.maxCacheSize = 0  # stemming a word takes less than looking it up
    stem: Callable[[str], str] = stemmer.stemWord
    return stem


class Languages:
    """The stemmers. Any thread may ask: the library holds the interpreter's lock for as long as a word takes."""

    def __init__(self) -> None:
        names = (ENGLISH, *_FUNCTION_WORDS, *(name for name, _ in _SCRIPTS))
        self._stem = {name: _stemmer(name) for name in names}
        self._english = self._stem[ENGLISH]

    def stem(self, word: str) -> str:
        """The one stem that a folded word has in every text."""
        if word.isascii():
            return self._english(word)
        script = _SCRIPT_OF.match(word)
        if script and script.lastgroup:
            # Stresses are taken off before, other marks behind: the stemmers know them.
            return bare(self._stem[script.lastgroup](word.translate(_YO))) or word
        return self._english(bare(word)) or word

    def foreign(self, word: str, languages: Iterable[str]) -> tuple[str, ...]:
        """The stems that a folded word of Latin letters has in these languages."""
        if not _LATIN.match(word):
            return ()
        return tuple(dict.fromkeys(FOREIGN + bare(self._stem[name](word)) for name in languages))


def languages_of_text(words: Sequence[str]) -> Collection[str]:
    """Which languages but English a text with these folded words may be in; none for an English one."""
    counts = _counts(words)
    english = sum(word in STOP_WORDS for word in words)
    best = max(counts.values(), default=0)
    if english > 2 * best:
        return ()
    if best < (1 if len(words) <= _SHORT and not english else _TELLING_LEAST):
        return _LIKELY if any(_LATIN.match(word) and not word.isascii() for word in words) else ()
    return [name for name, count in counts.items() if count >= best * _SECOND]


def languages_of_query(words: Sequence[str]) -> Collection[str]:
    """Which languages but English a query with these folded words may be in; none for one that is surely English."""
    english = sum(word in STOP_WORDS for word in words)
    is_english = english and english >= max(_counts(words).values(), default=0) and all(map(str.isascii, words))
    return () if is_english else tuple(_FUNCTION_WORDS)


def _counts(words: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word in words:
        counts.update(_LANGUAGES_OF.get(word, ()))
    return counts
