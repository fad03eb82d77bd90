"""Prints what pyarrow and pandas read from a Parquet file, as JSON."""

import json
import sys

import pandas
import pyarrow.parquet

table = pyarrow.parquet.read_table(sys.argv[1])
frame = pandas.read_parquet(sys.argv[1])
# What pandas shows of a row is what pyarrow does.
for column in frame.columns:
    for mine, theirs in zip(frame[column], table[column].to_pylist(), strict=True):
        if isinstance(theirs, list):
            assert [dict(message) for message in mine] == theirs
        else:
            assert mine == theirs or (theirs is None and pandas.isna(mine)), (column, mine, theirs)
json.dump(
    {
        "types": {field.name: str(field.type) for field in table.schema},
        "rows": table.to_pylist(),
        "pandas": len(frame),
    },
    sys.stdout,
)
