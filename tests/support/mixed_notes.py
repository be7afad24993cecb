"""Some two hundred notes of many kinds and languages, for what is looked for to stand among."""

from itertools import product

_CODE = (
    "def {0}(self): return self._{0} or None",
    "The {0} endpoint answers 404 since the last merge",
    "TODO: rename {0} and its callers",
    "git checkout -b fix-{0} && make test",
    "docker compose up {0} fails with exit code 137",
    "ERROR {0}: connection reset by peer after 3000 ms",
)
_NAMES = ("login", "userList", "get_orders", "push", "tabs", "session_id", "region", "server", "profile", "retry")
_CHAT = (
    "{0}: who has the key of the {1}?",
    "{0}: the {1} is broken again, can somebody look",
    "{0} says the {1} arrives on Thursday",
    "+1 from {0} for a new {1}",
)
_PEOPLE, _THINGS = ("Ilse", "Bruno", "Mai", "Kofi"), ("printer", "freezer", "projector", "boat", "party tent")
_LANGUAGES = (
    "Der {0} ist seit gestern kaputt und niemand weiß warum",
    "Wir haben die {0} für nächsten Monat bestellt",
    "Le {0} est en panne depuis hier soir",
    "Nous avons commandé une {0} pour le bureau",
    "El {0} no funciona desde ayer por la tarde",
    "Hemos pedido una {0} para la oficina",
    "Новый {0} привезут в понедельник утром",
    "Мы искали {0} весь день и не нашли",
    "الجهاز {0} لا يعمل منذ الأمس",
    "{0} går inte att använda sedan i går",
    "{0} dün akşamdan beri çal\u0131şm\u0131yor",
    "{0} không hoạt động từ hôm qua",
    "今天的{0}会议改到下午三点",
    "เมื่อวานนี้{0}เสียและไม่มีใครซ่อม",
)
_DEVICES = ("Router", "Monitor", "Scanner", "Drucker", "Motor", "Radio")

MIXED_NOTES = tuple(
    dict.fromkeys(
        [
            *(form.format(name) for form, name in product(_CODE, _NAMES)),
            *(form.format(*what) for form, what in product(_CHAT, product(_PEOPLE, _THINGS))),
            *(form.format(device) for form, device in product(_LANGUAGES, _DEVICES)),
        ]
    )
)
