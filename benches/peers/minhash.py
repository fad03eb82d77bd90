"""The peer of `cargo xtask bench minhash`: datatrove's own MinHash deduplication, end to end (signatures, buckets,
clusters), with its defaults: 14 buckets of 8 hashes, shingles of 5 words, its English tokenizer.

Needs `pip install -r benches/peers/minhash-requirements.txt` in an environment of its own.
Prints one line of JSON: documents, seconds, documents_per_second, the seconds of each stage, repeated, peak_bytes."""

import argparse
import json
import resource
import shutil
import struct
import tempfile
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader


def split(file: Path, folder: Path, parts: int) -> int:
    """One file a worker, which is how datatrove spreads work; not part of what is timed."""
    folder.mkdir()
    outputs = [open(folder / f"{part}.jsonl", "wb") for part in range(parts)]
    documents = 0
    with open(file, "rb") as lines:
        for line in lines:
            outputs[documents % parts].write(line)
            documents += 1
    for output in outputs:
        output.close()
    return documents


class Split:
    """The cheapest tokenizer there is: text between spaces, as ours reads words; with --split."""

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--threads", type=int, default=2, help="worker processes")
    options.add_argument("--split", action="store_true", help="not datatrove's English tokenizer but str.split")
    given = options.parse_args()

    work = Path(tempfile.mkdtemp(prefix="minhash-"))
    documents = split(given.file, work / "rows", given.threads)
    config = MinhashConfig()
    signature = MinhashDedupSignature(output_folder=str(work / "signatures"), config=config)
    if given.split:
        signature.word_tokenizer = Split()
    stages = {
        "signatures": (
            [JsonlReader(str(work / "rows")), signature],
            given.threads,
        ),
        "buckets": (
            [
                MinhashDedupBuckets(
                    input_folder=str(work / "signatures"), output_folder=str(work / "buckets"), config=config
                )
            ],
            config.num_buckets,
        ),
        "clusters": (
            [
                MinhashDedupCluster(
                    input_folder=str(work / "buckets"), output_folder=str(work / "remove"), config=config
                )
            ],
            1,
        ),
    }
    seconds = {}
    for name, (pipeline, tasks) in stages.items():
        start = time.perf_counter()
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=tasks, workers=given.threads, logging_dir=str(work / "logs" / name)
        ).run()
        seconds[name] = time.perf_counter() - start
    total = sum(seconds.values())
    repeated = sum(path.stat().st_size // struct.calcsize("<I") for path in (work / "remove").glob("*.remove"))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    shutil.rmtree(work)
    print(
        json.dumps(
            {
                "documents": documents,
                "seconds": total,
                "documents_per_second": documents / total,
                "stages": seconds,
                "threads": given.threads,
                "repeated": repeated,
                "peak_bytes": peak * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
