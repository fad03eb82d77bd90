"""The peer of `cargo xtask bench writers`: the official OpenAI client for Python, on asyncio, with the same
number of calls under way, against the same server. With --durable every answer is committed to SQLite (WAL,
synchronous=FULL) before it counts, one commit an answer, as a careful script would do it.

Prints one line of JSON: calls, seconds, calls_per_second, peak_bytes."""

import argparse
import asyncio
import json
import resource
import sqlite3
import tempfile
import time
from pathlib import Path

from openai import AsyncOpenAI


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("base_url")
    options.add_argument("--calls", type=int, default=2000)
    options.add_argument("--concurrency", type=int, default=64)
    options.add_argument("--system-bytes", type=int, default=3000)
    options.add_argument("--durable", action="store_true")
    given = options.parse_args()

    client = AsyncOpenAI(base_url=given.base_url, api_key="none", max_retries=0)
    sections = '<section id="S1" title="Honesty">\n' + "It says what it believes, because people act on it. " * (
        given.system_bytes // 52
    )
    system = f"Task: documents/critique\n<model_name>Aster</model_name>\n<sections>\n{sections}\n</section>\n</sections>"
    store = None
    if given.durable:
        store = sqlite3.connect(Path(tempfile.mkdtemp()) / "store.sqlite")
        store.execute("pragma journal_mode = wal")
        store.execute("pragma synchronous = full")
        store.execute("create table calls (id integer primary key, raw text)")
        store.commit()
    queue = iter(range(given.calls))

    async def work() -> None:
        for number in queue:
            answer = await client.chat.completions.create(
                model="simulated critic",
                max_tokens=1000,
                messages=[
                    {"role": "system", "content": system},
                    {"role": "user", "content": f"<document>\nNumber {number}.\n</document>"},
                ],
            )
            assert answer.choices[0].message.content
            if store:
                store.execute("insert into calls (raw) values (?)", (answer.model_dump_json(),))
                store.commit()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(given.concurrency)))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        json.dumps(
            {
                "calls": given.calls,
                "seconds": seconds,
                "calls_per_second": given.calls / seconds,
                "peak_bytes": peak,
            }
        )
    )


asyncio.run(main())
