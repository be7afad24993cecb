"""What it costs to index 10 000 characters that are no English prose, as CPU beside that of English prose.

`python -m bench.noise`. Each text is split, embedded by the installed model and analysed, as a write does, without
server and database; kinds in turns, so that whatever else the machine does meets all alike.
"""
# ruff: noqa: RUF001  # other languages have other commas

import asyncio
import base64
import csv
import io
import json
import random
import time
from collections.abc import Mapping, Sequence
from statistics import median
from uuid import UUID

from bench.texts import PEOPLE, memories
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.system import SystemClock
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.entries import Entry, NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.models import Models

LENGTH, TURNS, AT_MOST = 10_000, 7, 2.0
PROSE = "English prose"
# Sentences about somebody, each with a number.
SENTENCES: Mapping[str, Sequence[str]] = {
    "Chinese": (
        "{}昨天在办公室告诉我，备份花的时间比计划的更长，所以早上的任务都要等。",
        "我们决定下个星期再看一次{}的问题，并把发现写下来。",
        "仓库门口的摄像头一下雨就会死机，需要{}爬上去关掉再打开。",
        "部署失败是因为回调地址仍然指向测试服务器，{}花了两个小时才发现。",
    ),
    "Japanese": (
        "{}さんは昨日、バックアップに予定より時間がかかったため、朝のジョブが待たされていると言いました。",
        "来週もう一度{}の問題を見て、分かったことを書いておくことにしました。",
        "倉庫の入り口のカメラは雨が降ると止まるので、{}さんが登って電源を入れ直さなければなりません。",
    ),
    "Korean": (
        "{} 씨는 어제 백업이 계획보다 오래 걸려서 아침 작업이 모두 기다려야 한다고 말했다. ",
        "다음 주에 {} 문제를 다시 보고 알아낸 것을 적어 두기로 했다. ",
        "창고 입구의 카메라는 비가 오면 멈추기 때문에 {} 씨가 올라가서 다시 켜야 한다. ",
    ),
    "Thai": (
        "เมื่อวานนี้ {} บอกว่าการสำรองข้อมูลใช้เวลานานกว่าที่วางแผนไว้ ",
        "กล้องหน้าโกดังหยุดทำงานเมื่อฝนตก {} ต้องปีนขึ้นไปเปิดใหม่ ",
    ),
    "Russian": (
        "Вчера {} рассказал, что копирование заняло больше времени, чем задумано, и утренние задания ждали. ",
        "Камера у ворот склада выключается в дождь, и {} лезет наверх, чтобы включить её снова. ",
    ),
    "Greek": (
        "Χθες ο {} είπε ότι το αντίγραφο πήρε περισσότερο χρόνο και οι πρωινές εργασίες περίμεναν. ",
        "Η κάμερα της αποθήκης σβήνει με τη βροχή και ο {} ανεβαίνει να την ανοίξει ξανά. ",
    ),
    "Arabic": (
        "قال {} أمس إن النسخ الاحتياطي استغرق وقتا أطول من المخطط له فانتظرت مهام الصباح. ",
        "تتوقف كاميرا المستودع عند المطر ويصعد {} لتشغيلها من جديد. ",
    ),
    "Hebrew": (
        "אתמול אמר {} שהגיבוי ארך יותר מהמתוכנן ומשימות הבוקר חיכו. ",
        "המצלמה של המחסן נכבית בגשם ואז {} מטפס להדליק אותה שוב. ",
    ),
    "Hindi": (
        "{} ने कल बताया कि बैकअप में सोच से अधिक समय लगा और सुबह के काम रुके रहे। ",
        "बारिश में गोदाम का कैमरा बंद हो जाता है और {} ऊपर चढ़कर उसे फिर चालू करता है। ",
    ),
    "Georgian": (
        "გუშინ {} ამბობდა, რომ ასლს მეტი დრო დასჭირდა და დილის სამუშაოები ელოდებოდა. ",
        "საწყობის კამერა წვიმაში ითიშება და {} ადის, რომ ისევ ჩართოს. ",
    ),
}


async def main() -> None:
    """Prints the CPU of each kind, and whether all are within AT_MOST times that of prose."""
    embedder = OnnxEmbedder.load(default_model(), threads=1)
    indexing = Indexing(models=Models(embedder), index_terms=SnowballAnalyzer(), workers=MemoryWorkers())
    seconds: dict[str, list[float]] = {}
    for turn in range(TURNS):
        for kind, text in texts(random.Random(turn)).items():  # new ones each time: nothing is remembered
            entry = _entry(text[:LENGTH])
            begun = time.process_time()
            await indexing.index(entry, Vectors())
            seconds.setdefault(kind, []).append(time.process_time() - begun)
    await embedder.close()
    prose = median(seconds[PROSE])
    print(f"CPU of indexing {LENGTH} characters, medians of {TURNS}; English prose {prose * 1000:.0f} ms")
    for kind, each in seconds.items():
        ratio = median(each) / prose
        print(f"  {kind:<16}{ratio:6.2f} times{'' if ratio <= AT_MOST else '   MORE THAN WANTED'}")


def texts(chance: random.Random) -> Mapping[str, str]:
    """A text of at least LENGTH characters of each kind."""
    rows = [_row(chance, number) for number in range(200)]
    table = io.StringIO()
    csv.writer(table).writerows(row.values() for row in rows)
    return {
        PROSE: " ".join(memories(60, chance.randrange(1000))),
        **{kind: _said(chance, sentences) for kind, sentences in SENTENCES.items()},
        "JSON": json.dumps(rows, indent=1),
        "minified JSON": json.dumps(rows, separators=(",", ":")),
        "dense JSON": json.dumps([list(row.values())[::2] for row in rows * 4], separators=(",", ":")),
        "base64": base64.b64encode(chance.randbytes(LENGTH)).decode(),
        "base64 in lines": base64.encodebytes(chance.randbytes(LENGTH)).decode(),
        "hexadecimal": " ".join(chance.randbytes(16).hex() for _ in range(400)),
        "a table": "\n".join("| " + " | ".join(map(str, row.values())) + " |" for row in rows),
        "CSV": table.getvalue(),
    }


def _row(chance: random.Random, number: int) -> dict[str, object]:
    return {
        "id": number,
        "sku": f"A-{chance.randrange(10**6)}",
        "name": chance.choice(PEOPLE),
        "qty": chance.randrange(7),
        "price": round(chance.random() * 100, 2),
        "at": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}T08:15:00Z",
        "ok": bool(chance.randrange(2)),
    }


def _said(chance: random.Random, sentences: Sequence[str]) -> str:
    who = (f"{chance.choice(PEOPLE)} {chance.randrange(1000)}" for _ in range(600))
    return "".join(chance.choice(sentences).format(each) for each in who)


def _entry(text: str) -> Entry:
    nowhere = UUID(int=1)
    return NewEntry(content=text).written(EntryId(nowhere), DiaryId(nowhere), SystemClock().now(), LENGTH)


if __name__ == "__main__":
    asyncio.run(main())
