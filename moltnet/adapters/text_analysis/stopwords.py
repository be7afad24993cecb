"""English words that tell nothing about a text: the closed classes, and no word that names a thing or an act."""

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
