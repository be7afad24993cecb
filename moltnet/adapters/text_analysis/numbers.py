"""Numbers that are written in several ways: dates, versions, telephone numbers, thousands, each as one further term."""

import re
from collections.abc import Iterator
from datetime import date
from operator import attrgetter

import attrs

from moltnet.adapters.text_analysis.folding import bare

# The names of the months as they stand in a date, by language: English, German, French, Spanish, Italian, Portuguese,
# Dutch, Scandinavian, Polish, Turkish, Russian, Ukrainian, and short English ones.
_MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari marts april maj juni juli augusti september oktober november december",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "ocak şubat mart nisan may\u0131s haziran temmuz ağustos eylül ekim kas\u0131m aral\u0131k",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "jan feb mar apr may jun jul aug sept oct nov dec",
)
_MONTH_OF = {bare(name): number for names in _MONTHS for number, name in enumerate(names.split(), start=1)}
_LETTERS = r"[^\W\d_]{3,12}"
_DATES = (
    re.compile(r"(?<![\w.])(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?![0-9])"),
    re.compile(r"(?<![\w.])(?P<day>\d{1,2})([-/.])(?P<month>\d{1,2})\2(?P<year>\d{4})(?!\w)"),
    re.compile(r"(?<!\w)(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"),
)
_NAMED_DATES = (
    re.compile(
        rf"(?<!\w)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)? +(?:of |de |di )?(?P<name>{_LETTERS})\.?,?(?: de| del)? +"
        rf"(?P<year>\d{{4}})(?!\w)"
    ),
    re.compile(rf"(?<!\w)(?P<name>{_LETTERS})\.? +(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? +(?P<year>\d{{4}})(?!\w)"),
)
_VERSION = re.compile(r"(?<![\w.])v?(?P<number>\d+(?:\.\d+)+)(?![0-9])")
_THOUSANDS = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\w,])")
_TELEPHONE = re.compile(r"(?<![\w.])(?:\+|\(\+?)?\d[\d()/. -]{5,18}\d(?!\w)")
_DIGITS_LEAST, _DIGITS_MOST = 7, 15
# Digits one by one are a list.
_SINGLE_DIGITS = re.compile(r"(?<!\d)\d\D+\d(?!\d)")
_DIGIT = re.compile(r"\d")
_NO_DIGITS = re.compile(r"\D+")


@attrs.frozen
class Number:
    """Where a number stands in a text, and its terms."""

    start: int
    end: int
    terms: tuple[str, ...]


def numbers(text: str) -> list[Number]:
    """The numbers of a folded text in their order; none overlaps another."""
    if not _DIGIT.search(text):
        return []
    found: list[Number] = []
    occupied = bytearray(len(text))
    for reading in (_dates, _named_dates, _versions, _thousands, _telephones):
        for number in reading(text):
            if occupied.find(1, number.start, number.end) < 0:
                occupied[number.start : number.end] = b"\1" * (number.end - number.start)
                found.append(number)
    return sorted(found, key=attrgetter("start"))


def _dates(text: str) -> Iterator[Number]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            year, month, day = (int(match[part]) for part in ("year", "month", "day"))
            # 03/02 is the third of February or the second of March, by where somebody lives.
            is_either = match.lastindex is not None and "/" in match[0] and not match[0].startswith(match["year"])
            both = [(month, day), (day, month)] if is_either else [(month, day)]
            terms = tuple(dict.fromkeys(term for each in both if (term := _day(year, *each))))
            if terms:
                yield Number(match.start(), match.end(), terms)


def _named_dates(text: str) -> Iterator[Number]:
    for pattern in _NAMED_DATES:
        for match in pattern.finditer(text):
            month = _MONTH_OF.get(bare(match["name"]))
            term = month and _day(int(match["year"]), month, int(match["day"]))
            if term:
                yield Number(match.start(), match.end(), (term,))


def _versions(text: str) -> Iterator[Number]:
    for match in _VERSION.finditer(text):
        yield Number(match.start(), match.end(), (match["number"],))


def _thousands(text: str) -> Iterator[Number]:
    for match in _THOUSANDS.finditer(text):
        yield Number(match.start(), match.end(), (match[0].replace(",", ""),))


def _telephones(text: str) -> Iterator[Number]:
    """By the last seven digits, which are the same with the numbers of country and city and without, and by all."""
    for match in _TELEPHONE.finditer(text):
        digits = _NO_DIGITS.sub("", match[0])
        if _DIGITS_LEAST <= len(digits) <= _DIGITS_MOST and not _SINGLE_DIGITS.search(match[0]):
            yield Number(match.start(), match.end(), (f"tel:{digits[-_DIGITS_LEAST:]}", digits))


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
