"""Times that an English question names: dates, months, years, weekdays and spans before now, as stretches of UTC.

Only for lifting what happened then: a time that is not understood costs nothing, so what is ambiguous is left alone.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import attrs

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAY = timedelta(days=1)


@attrs.frozen
class TimeRange:
    """A stretch of time, `start` inclusive and `end` exclusive, both aware."""

    start: datetime
    end: datetime

    def contains(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.start <= at < self.end


def written_date(at: datetime) -> str:
    """A day as people write it and ask for it: `8 May 2023`, in UTC."""
    day = at.astimezone(UTC)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def time_ranges(text: str, now: datetime) -> tuple[TimeRange, ...]:
    """The periods a question names, in their order; none for a text without a time, or with one no calendar has.

    A day or month without a year is the last one that has started. What is asked to be before or after a time, and not
    in it, is left alone.
    """
    today = now.astimezone(UTC).date()
    found: list[tuple[int, TimeRange]] = []
    matched: list[range] = []
    for pattern, days_of in _FORMS:
        for match in pattern.finditer(text):
            if any(match.start() in other or match.end() - 1 in other for other in matched):
                continue
            matched.append(range(*match.span()))
            days = None if _OUTSIDE.search(text[: match.start()]) else _days(days_of, match, today)
            if days is not None:
                found.append((match.start(), days))
    return tuple(time_range for _, time_range in sorted(found, key=lambda each: each[0]))


_Days: TypeAlias = "tuple[date, date]"  # the first, and the one after the last
_Reading: TypeAlias = "Callable[[re.Match[str], date], _Days | None]"


def _days(days_of: _Reading, match: re.Match[str], today: date) -> TimeRange | None:
    try:
        days = days_of(match, today)
    except (ValueError, OverflowError):  # the 30th of February, the year 0, two million years ago
        return None
    if days is None:
        return None
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
    return TimeRange(start, end)


# How long ago something ends that is told in these units: two months ago is any day of about that month.
_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_NUMBERS = {
    name: number
    for number, names in enumerate(
        ("", "a an one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
    for name in names.split()
} | {"couple": 2, "few": 3}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_BY_LETTERS = {name[:3].lower(): number for number, name in enumerate(MONTHS, start=1)}


def _day(day: date) -> _Days:
    return day, day + DAY


def _month(year: int, month: int, months: int = 1) -> _Days:
    next_month = year * 12 + month - 1 + months
    return date(year, month, 1), date(next_month // 12, next_month % 12 + 1, 1)


def _year(year: int) -> _Days:
    return date(year, 1, 1), date(year + 1, 1, 1)


def _number(text: str) -> int:
    word = text.lower().split()[-1]  # "a few" is a few
    return int(word) if word.isdecimal() else _NUMBERS[word]


def _numeric(match: re.Match[str], _: date) -> _Days:
    year, month, day = match["year"], match["month"], match["day"]
    return _day(date(int(year), int(month), int(day))) if day else _month(int(year), int(month))


def _named(match: re.Match[str], today: date) -> _Days:
    """A month by its name, perhaps a day of it, perhaps a year; without a year, the last that has started."""
    month, year = _BY_LETTERS[match["month"][:3].lower()], match["year"]
    day = int(match["day"]) if match["day"] else None
    first = date(int(year) if year else today.year, month, day or 1)
    if not year and first > today:
        first = date(today.year - 1, month, day or 1)
    return _day(first) if day else _month(first.year, month)


def _season(match: re.Match[str], today: date) -> _Days:
    month = _SEASONS[match["season"].lower()]
    year = int(match["year"]) if match["year"] else today.year
    if not match["year"] and date(year, month, 1) > today:
        year -= 1
    return _month(year, month, 3)


def _year_named(match: re.Match[str], _: date) -> _Days:
    return _year(int(match["year"]))


def _near(match: re.Match[str], today: date) -> _Days:
    expression = match[0].lower()
    away = {"today": 0, "tonight": 0, "tomorrow": 1}.get(expression, -2 if "before" in expression else -1)
    return _day(today + away * DAY)


def _ago(match: re.Match[str], today: date) -> _Days:
    """`N units ago`, half a unit more or less: nobody counts months by the day."""
    unit = _UNITS[match["unit"].lower()]
    middle = today - _number(match["count"]) * unit * DAY
    return middle - unit // 2 * DAY, middle + (unit // 2 + 1) * DAY


def _past(match: re.Match[str], today: date) -> _Days:
    """The last so many units, up to now."""
    return today - _number(match["count"]) * _UNITS[match["unit"].lower()] * DAY, today + DAY


def _beside(match: re.Match[str], today: date) -> _Days:
    """The week, month or year before this one, this one, or the next, as the calendar has it."""
    away = {"this": 0, "next": 1}.get(match["which"].lower(), -1)
    if match["unit"].lower() == "week":
        monday = today - today.weekday() * DAY + 7 * away * DAY
        return monday, monday + 7 * DAY
    if match["unit"].lower() == "year":
        return _year(today.year + away)
    months = today.year * 12 + today.month - 1 + away
    return _month(months // 12, months % 12 + 1)


def _weekday(match: re.Match[str], today: date) -> _Days:
    """The last such day before today; the first after it when it is the next one."""
    back = (today.weekday() - _WEEKDAYS.index(match["weekday"].lower()) - 1) % 7 + 1
    return _day(today + (7 - back or 7) * DAY if match["which"].lower() == "next" else today - back * DAY)


def _forms() -> Iterator[tuple[str, _Reading]]:
    month = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    month += r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
    day, year = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>[12]\d{3})"
    count = rf"(?P<count>\d{{1,4}}|a (?:couple|few)(?= of| \w)|{'|'.join(_NUMBERS)})(?: of)?"
    unit, season = r"(?P<unit>day|week|month|year)s?", rf"(?P<season>{'|'.join(_SEASONS)})"
    yield rf"{year}[-/](?P<month>\d{{1,2}})(?:[-/](?P<day>\d{{1,2}}))?", _numeric
    yield rf"{day} (?:of )?{month}(?:,? {year})?", _named
    yield rf"{month} {day}(?:,? {year})?(?!\d)", _named
    yield rf"{month},? (?:of )?(?P<day>(?!))?{year}", _named
    # A bare name may be a verb or a person's: it needs a word before it that makes it a time.
    yield rf"(?:in|during|of|last|this) (?P<day>(?!))?{month}(?P<year>(?!))?", _named
    yield rf"(?:in|during|of|last|this) (?:the )?{season}(?: (?:of )?{year})?", _season
    yield "the day before yesterday|yesterday|last night|today|tonight|tomorrow", _near
    yield rf"{count} {unit} ago", _ago
    yield rf"(?:last|past|previous) {count} {unit}", _past
    yield rf"(?P<which>last|past|previous|this|next) {unit[:-2]}", _beside
    yield rf"(?P<which>last|on|this|past|next) (?P<weekday>{'|'.join(_WEEKDAYS)})", _weekday
    yield rf"(?:in|during|of|year) {year}", _year_named


_FORMS = [(re.compile(rf"\b(?:{form})\b", re.IGNORECASE | re.ASCII), reading) for form, reading in _forms()]
_OUTSIDE = re.compile(r"\b(?:before|after|since|until|till|by|except|not)\s+(?:the\s+)?$", re.IGNORECASE)
