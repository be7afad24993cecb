"""What the scan of untrusted text looks for: classes of words, phrases over them, and markup.

Words are compared as `injection.fold` leaves them: in lower case, without accents. The words of a phrase stand in its
order; a number says how many others may stand between two of them, none where there is none. Upper case names a class.
"""

from typing import Final

CLASSES: Final[dict[str, str]] = {
    "DROP": """ignore abandon disregard forget override bypass discard overlook neglect nevermind circumvent
        ignoriere ignoriert vergiss vergesst vergessen missachte missachtet ubergehe umgehe ignorez ignorer oublie
        oubliez negligez contourne contournez ignora ignorad ignoren olvida olvide olviden omite omita omiso
        descarta desestima ignorate dimentica dimenticate trascura ignorem esqueca esquece desconsidere desconsidera
        negeer vergeet zignoruj ignoruj zapomnij pomin игнорируи игнорируите проигнорируи забудь забудьте отбрось""",
    "CLEAR": "skip cancel erase delete clear remove reset wipe purge revoke",
    "DISABLE": """ignore disregard override bypass disable deactivate circumvent remove drop ignoriere umgehe
        contourne desactive desactiva elude""",
    "SAFETY": "safety ethical ethics content moderation moral",
    "GUARDS": """guidelines protocols protocol policies policy filters filter filtering rules safeguards
        restrictions guardrails limitations constraints""",
    "DROP_LAST": "ignorieren missachten vergessen ubergehen unut yok gormezden dikkate",
    "ALL": """all any every each everything alle allen alles samtliche samtlichen jegliche tout tous toutes toute
        todo todos todas toda tutto tutti tutte tudo wszystkie wszystko все всех tum""",
    "EVERYTHING": "everything alles tout todo tutto tudo wszystko все",
    "PRIOR": """previous prior earlier above preceding precede precedes former initial original foregoing before
        existing hitherto vorherige vorherigen vorige vorigen bisherige bisherigen bisher fruhere fruheren obige
        obigen oben vorangegangenen vorhergehenden zuvor ursprunglichen precedente precedentes precedent precedents
        anterieures anterieurs anterieure dessus avant initiales anterior anteriores previa previas previo previos
        antes iniciales precedenti prima anteriormente eerdere bovenstaande poprzednie wczesniejsze powyzsze
        предыдущие предыдущих прежние прошлые onceki yukaridaki""",
    "RULES": """instructions instruction directives directive guidelines guideline prompt prompts programming
        directions systemprompt anweisungen anweisung vorgaben vorgabe instruktionen richtlinien befehle consignes
        consigne instrucciones instruccion directrices indicaciones ordenes istruzioni direttive instrucoes
        diretrizes instructies richtlijnen opdrachten instrukcje polecenia wytyczne инструкции указания указании
        команды talimatlari talimatlar""",
    "LAWS": """rules orders commands policies policy restrictions constraints safeguards training regeln anordnungen
        regles ordres reglas normas regole ordini regras ordens regels zasady правила""",
    "CONTEXT": "context conversation conversations dialogue",
    "YOUR": """your yours deine deinen deiner dein ihre ihren ton ta tes votre vos tu tus sus suo tuo tue tuoi seu
        sua seus suas je jouw uw swoj swoje twoje твои свои""",
    "YOU": "you youre du ihr sie tu vous eres usted voce jij ты вы",
    "NOT": "not don dont never no nicht nie niemals kein ne pas jamais nunca non nao niet не",
    "NOT_NOT": "refuse hesitate fail forget",
    "STOP": "stop cease quit not don dont never longer no nicht ne pas non nao",
    "FOLLOW": """follow following obey heed attention comply complying listen respect adhere befolge beachte folge
        compte suis suivez sigas caso hagas obedezcas""",
    "TOLD": "told gesagt dijeron dit gesproken detto disseram given",
    "GIVEN": "given told received got",
    "VOID": "void superseded cancelled canceled revoked null obsolete suspended lifted overridden aufgehoben ungultig",
    "TASK": "task instructions instruction orders goal mission objective directive purpose",
    "REAL": "real actual true new only primary",
    "AI": "ai ki ia assistant assistent assistente asistente chatbot bot model llm agent agents",
    "MUST": "must should shall",
    "SYSTEM": """system sys sistema systeme systemowy системныи sistem initial hidden secret original developer base
        core internal operational""",
    "PROMPT": "prompt prompts message messages instructions instruction promt промпт istemini consignes instrucciones",
    "REQUEST": "request question instructions query message task",
    "UTTER": "respond output say reply repeat write print tell reveal answer",
    "INCLUDE": "include append begin start starting prepend repeat encode output",
    "PLAY": "act pretend roleplay",
    "INNER": """prompt prompts message messages instructions instruction directives guidelines rules programming
        promt промпт istemini consignes instrucciones""",
    "SECRECY": "hidden secret confidential internal concealed",
    "REVEAL": """reveal print show output display repeat tell give share leak expose disclose divulge dump paste
        recite provide explain describe sharing summarize summarise translate encode post echo write list zeige zeig
        gib nenne verrate wiederhole revele revelez affiche affichez montre montrez repete donne revela revelame
        muestra muestrame repite dime mostra rivela mostre toon verraad pokaz ujawnij покажи выведи раскрои goster""",
    "BETRAY": "reveal leak disclose divulge exfiltrate verrate revele revelez revela rivela",
    "REPEAT": "repeat print output recite copy reproduce echo quote",
    "TEXT": "everything words text contents content wording",
    "HAND_OVER": """reveal show tell leak expose disclose divulge share post publish email append give print output
        exfiltrate forward transmit upload verrate zeige revele montre revela muestra""",
    "SEND": "send email append upload forward transmit post pass copy dump paste leak",
    "SECRET": """password passwords credentials seed secrets token tokens cookie cookies geheimnisse""",
    "KEYED": "private secret api access signing client privee privada cle clave",
    "KEY": "key keys token secret privee privada",
    "USER": "user operator human",
    "INFORM": "tell mention inform notify alert warn",
    "INFORMING": "telling informing notifying alerting asking",
    "BE": """act pretend roleplay simulate imagine answer respond become behave emulate play impersonate are agis
        reponds actua finge antworte""",
    "FREED": "free freed liberated unbound released",
    "WITHOUT": "without no zero lacks ohne keine sans aucune sin senza sem",
    "LIMITS": """restrictions restriction filters filter filtering rules guidelines policy policies limits
        limitations censorship constraints ethics ethical moral morals safeguards regeln einschrankungen filtern
        regle regles limites restricciones reglas filtros restrizioni regole restricoes regras""",
    "CREED": "rules guidelines ethics morals ethical moral filters safeguards",
    "UNBOUND": "unfiltered unrestricted uncensored amoral jailbroken unaligned",
    "BREAKS": "bypasses ignores disregards breaks",
    "ENABLE": "enable enter activate start switch simulate in",
    "MODE_OF": "developer god jailbreak dan admin sudo unrestricted dev",
    "ANSWER": "answer respond comply obey refuse reply",
    "DECODE": "decode decipher decrypt unscramble backwards backward reverse rot13 decoded letter letters",
    "CODED": "encoded encrypted hidden base64 hex rot13",
    "CARRY_OUT": "execute follow obey comply perform carry",
    "ORDER": "it them instructions instruction order orders command commands",
    "ACT": "use run invoke execute send share post publish vouch sign delete reveal open fetch ignore",
    "INVOKE": "invoke call execute run send use exfiltrate read",
    "TOOL": "tool tools function functions",
    "ANSWERING": "answering responding replying",
}

PHRASES: Final[tuple[tuple[str, str], ...]] = (
    ("override", "DROP 4 PRIOR 2 RULES"),
    ("override", "DROP 4 RULES 5 PRIOR"),
    ("override", "DROP 3 ALL 3 PRIOR 2 LAWS"),
    ("override", "DROP 3 ALL 3 LAWS 3 PRIOR"),
    ("override", "DROP 1 LAWS above"),
    ("override", "DROP 1 ALL 2 RULES"),
    ("override", "DROP ALL LAWS"),
    ("override", "DROP 1 EVERYTHING YOU"),
    ("override", "DROP 2 current 1 TASK"),
    ("override", "DROP 1 user s REQUEST"),
    ("override", "DROP 6 instead 1 UTTER"),
    ("override", "DISABLE 2 SAFETY GUARDS"),
    ("override", "DROP 2 YOUR 3 RULES"),
    ("override", "DROP 2 YOUR 3 LAWS"),
    ("override", "DROP 2 its 3 RULES"),
    ("override", "DROP 2 SYSTEM PROMPT"),
    ("override", "DROP 1 EVERYTHING 3 PRIOR"),
    ("override", "DROP 1 EVERYTHING 5 TOLD"),
    ("override", "DROP 4 told 1 YOU"),
    ("override", "DROP 3 RULES 2 YOU 3 GIVEN"),
    ("override", "DROP 3 LAWS 2 YOU 3 GIVEN"),
    ("override", "DROP 3 PRIOR 1 CONTEXT"),
    ("override", "CLEAR 1 ALL 2 PRIOR 1 RULES"),
    ("override", "CLEAR 1 ALL 2 PRIOR 1 LAWS"),
    ("override", "CLEAR PRIOR RULES"),
    ("override", "CLEAR 1 YOUR 1 memory"),
    ("override", "PRIOR 2 RULES 2 DROP_LAST"),
    ("override", "STOP 2 FOLLOW 3 PRIOR 2 RULES"),
    ("override", "STOP 2 FOLLOW 3 RULES 1 PRIOR"),
    ("override", "STOP 2 FOLLOW 1 YOUR 2 RULES"),
    ("override", "YOUR 2 RULES 5 VOID"),
    ("override", "RULES 1 above 4 VOID"),
    ("override", "YOUR REAL TASK"),
    ("override", "new system 1 RULES"),
    ("override", "YOUR new system"),
    ("override", "YOUR only response"),
    ("override", "INCLUDE 8 YOUR response"),
    ("override", "AI 8 MUST 2 DROP 3 RULES"),
    ("override", "dich 1 uber 1 YOUR 2 RULES 1 hinweg"),
    ("override", "YOU 2 obey"),
    ("override", "obey 1 me"),
    ("override", "obey 2 text 2 below"),
    ("override", "YOU obedeces"),
    ("exfiltration", "REVEAL 5 YOUR 1 SYSTEM 1 INNER"),
    ("exfiltration", "REVEAL 3 YOUR 1 PROMPT SYSTEM"),
    ("exfiltration", "REVEAL 3 YOUR 1 PROMPT 1 SYSTEM"),
    ("exfiltration", "REVEAL 1 YOUR systemprompt"),
    ("exfiltration", "REVEAL 1 YOUR instructions"),
    ("exfiltration", "REVEAL 1 YOUR guidelines"),
    ("exfiltration", "REVEAL 1 YOUR directive"),
    ("exfiltration", "REVEAL 1 ALL 1 SYSTEM 1 instructions"),
    ("exfiltration", "BETRAY 1 instructions"),
    ("exfiltration", "REVEAL 1 YOUR prompt"),
    ("exfiltration", "REVEAL 3 SECRECY 1 PROMPT"),
    ("exfiltration", "BETRAY 2 prompt"),
    ("exfiltration", "what 2 YOUR SYSTEM PROMPT"),
    ("exfiltration", "REVEAL 3 TEXT 2 prompt"),
    ("exfiltration", "REVEAL 4 RULES 1 YOU 2 GIVEN"),
    ("exfiltration", "REVEAL 4 LAWS 1 YOU 2 GIVEN"),
    ("exfiltration", "REPEAT 2 TEXT 1 above"),
    ("exfiltration", "REPEAT 2 TEXT 4 before"),
    ("secrets", "HAND_OVER 4 YOUR 1 KEYED KEY"),
    ("secrets", "HAND_OVER 3 YOUR 1 SECRET"),
    ("secrets", "HAND_OVER 2 SECRECY KEY"),
    ("secrets", "BETRAY 2 KEYED KEY"),
    ("secrets", "SEND 4 YOUR 2 memory"),
    ("secrets", "SEND 4 YOUR 2 CONTEXT"),
    ("secrets", "SEND 2 user 1 SECRET"),
    ("concealment", "NOT 1 INFORM 4 USER"),
    ("concealment", "without 1 INFORMING 2 USER"),
    ("persona", "do anything now"),
    ("persona", "YOU 4 dan"),
    ("persona", "YOU 4 stan"),
    ("persona", "ENABLE 2 MODE_OF mode 8 ANSWER"),
    ("persona", "ENABLE 1 jailbreak"),
    ("persona", "ENABLE god mode"),
    ("persona", "ENABLE 1 UNBOUND mode"),
    ("persona", "jailbreak mode"),
    ("persona", "YOU 3 in MODE_OF mode"),
    ("persona", "YOU 4 UNBOUND 2 mode"),
    ("persona", "YOU 1 now 1 UNBOUND"),
    ("persona", "ANSWER 5 WITHOUT 1 LIMITS"),
    ("persona", "BE 8 AI 5 WITHOUT 3 LIMITS"),
    ("persona", "YOU 3 AI 3 WITHOUT 3 LIMITS"),
    ("persona", "PLAY 6 WITHOUT 3 LIMITS"),
    ("persona", "PLAY 3 NOT 2 AI"),
    ("persona", "YOU 2 WITHOUT 1 CREED"),
    ("persona", "YOU 8 human 3 WITHOUT 3 LIMITS"),
    ("persona", "BE 3 UNBOUND 2 AI"),
    ("persona", "YOU 4 FREED 3 LIMITS"),
    ("persona", "YOU 2 longer 1 bound"),
    ("persona", "YOU 2 longer 2 AI"),
    ("persona", "AI 3 never 1 refuses"),
    ("persona", "YOU 2 NOT 3 refuse"),
    ("persona", "act 3 grandmother"),
    ("persona", "AI 5 BREAKS 4 LIMITS"),
    ("encoded", "DECODE 8 CARRY_OUT 3 ORDER"),
    ("encoded", "DECODE 8 do what 2 says"),
    ("encoded", "CARRY_OUT 2 ORDER 1 CODED"),
    ("tools", "YOU 1 read 1 this 2 ACT"),
    ("tools", "silently 1 INVOKE"),
    ("tools", "before 1 ANSWERING 8 INVOKE"),
    ("tools", "before 1 using 3 TOOL 3 INVOKE"),
    ("tools", "use YOUR 1 TOOL 1 to 1 ACT"),
    ("tools", "call 2 TOOL 14 nothing 1 happened"),
    ("tools", "CARRY_OUT 2 command 8 without 2 confirmation"),
)

# Rules that a warning turns round: "never share your private key" is advice.
NEGATABLE: Final[frozenset[str]] = frozenset({"exfiltration", "secrets"})

# Every quantifier is bounded, so that a search costs at most a constant for each character.
MARKUP: Final[tuple[tuple[str, str], ...]] = (
    (
        "turn",
        (
            r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|begin_of_text|end|call|channel|message"
            r"|start_header_id|end_header_id|endofprompt)\|>"
        ),
    ),
    ("turn", r"(?-i:\[/?INST\])|<</?SYS>>|<(?:start|end)_of_turn>"),
    ("turn", r"^#{2,4} {0,2}(?:system|instruction|assistant|human|user|response) ?:"),
    ("turn", r"^(?:assistant|ai) ?:[ \t]{0,4}$"),
    ("turn", r"\n\nhuman: [^\n]{0,200}\n\nassistant:"),
    (
        "turn",
        (
            r"^[ \t>*\[]{0,4}system[\]*]{0,3} ?: ?[^\n]{0,80}"
            r"\b(?:you (?:are|must|will)|user (?:has|is)|restrictions|disregard|obey)\b"
        ),
    ),
    ("turn", r"^[-=#*]{2,5}(?:end[ _])?system[-=#*]{2,5}$"),
    (
        "turn",
        (
            r"\bnew (?:instructions?|directives?|orders?) ?:[^\n]{0,60}"
            r"\b(?:respond|output|reply|say|ignore|responses?|inform|from)\b"
        ),
    ),
    (
        "address",
        (
            r"\b(?:note|message|attention|instructions?) (?:to|for) (?:the |any |all )?"
            r"(?:ai|llm|chatbot|language model|ai assistant)s?\b"
        ),
    ),
    ("address", r"\bai[ _-]?_{0,2}(?:instruction|directive|override|command|note)s?_{0,2}\b"),
    ("address", r"\[(?:hidden|(?:priority |secret |hidden )?instructions?)\] ?:|<hidden>"),
    ("address", r"<!--\s{0,3}(?:hidden|ai|llm|assistant|chatbot|(?:extract|ignore|disregard) and)\b"),
    ("delimiter", r"</?(?:system|system[_-]?(?:prompt|message|instructions?)|user_input|assistant|human)>"),
    (
        "delimiter",
        r"</(?:document|context|data|search_results?)>\s{0,4}(?:</\w{1,20}>\s{0,4}){0,2}<(?:instructions?|system)>",
    ),
    ("delimiter", r"\[/?system[ _](?:message|prompt|instructions?|note|override)\]|\[system\]\(#"),
    (
        "delimiter",
        (
            r"\b(?:begin|start|end)(?: of)? "
            r"(?:system (?:message|prompt|instructions?)|(?:user|untrusted) (?:input|data))\b"
        ),
    ),
    ("delimiter", r"\b(?:system|admin|instruction|security)[ _]override ?(?:[:=!\]]|#)|\[(?:system|admin) override\b"),
    (
        "tools",
        (
            r"</?(?:tool_call|function_calls?|tool_use)>|<invoke name="
            r"|\"tool_calls\"\s{0,4}:\s{0,4}\[|\bfunctions\.\w{1,40}\(\{"
        ),
    ),
    (
        "secrets",
        (
            r"\bcontents? of (?:\S{1,20} ){0,2}\S{0,60}"
            r"(?:\.env\b|id_rsa|id_ed25519|moltnet\.json|credentials\.json|/etc/passwd)"
        ),
    ),
    ("secrets", r"\b(?:cat|read|print|send|upload) (?:\S{1,20} ){0,2}\S{0,40}id_(?:rsa|ed25519|ecdsa)\b(?!\.pub)"),
    ("secrets", r"https?://[^\s)]{1,200}=(?:\{\{|\$\{| (?:and|followed|plus)\b)"),
)

# The same for what no ASCII text can hold.
FOREIGN: Final[tuple[tuple[str, str], ...]] = (
    ("override", r"(?:忽略|无视|忘记|無視)[^\n。]{0,12}(?:指令|指示|规则|規則|提示)"),
    ("override", r"(?:指示|命令|ルール|指令|プロンプト)[^\n。]{0,6}(?:無視|忘れ)"),
    ("override", r"(?:이전|앞의|위의)[^\n.]{0,12}(?:지시|명령|지침)[^\n.]{0,8}(?:무시|잊)"),
    ("exfiltration", r"(?:输出|显示|告诉|泄露|打印)[^\n。]{0,8}系统提示"),
    ("hidden", "(?<![\U0001f3f4\U000e0000-\U000e007f])[\U000e0000-\U000e007f]{2}"),
    ("hidden", "\U0001f3f4[\U000e0020-\U000e007e]{8}"),  # flags of regions have up to six tags
    ("hidden", "[\u200b-\u200d\u2060-\u2064\ufeff\u180e]{5}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}"),
    ("hidden", "[\u202d\u202e]"),
)
