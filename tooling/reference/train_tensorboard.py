"""Golden bytes of a TensorBoard event file, from TensorBoard's own protocol buffers and record writer.

pip install tensorboard; python tooling/reference/train_tensorboard.py
"""

import io
import json
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

SCALARS = [
    {"name": "train/loss", "value": 1.25, "epoch": 1, "milliseconds": 1763800000123},
    {"name": "validation/auc", "value": 0.7142857142857143, "epoch": 1, "milliseconds": 1763800000123},
    {"name": "train/loss", "value": -3.5e-9, "epoch": 300, "milliseconds": 1763800060456},
]

stream = io.BytesIO()
stream.close = lambda: None
writer = RecordWriter(stream)
writer.write(Event(wall_time=SCALARS[0]["milliseconds"] / 1000, file_version="brain.Event:2").SerializeToString())
for scalar in SCALARS:
    value = Summary.Value(tag=scalar["name"], simple_value=scalar["value"])
    writer.write(
        Event(
            wall_time=scalar["milliseconds"] / 1000, step=scalar["epoch"], summary=Summary(value=[value])
        ).SerializeToString()
    )
golden = {"scalars": SCALARS, "hex": stream.getvalue().hex()}
path = Path(__file__).parents[2] / "apps/train/src/__fixtures__/tensorboard.json"
path.write_text(json.dumps(golden, indent=2) + "\n")
