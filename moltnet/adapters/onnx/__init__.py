"""The embedding model, on onnxruntime."""

import os

# onnxruntime identifies the machine and reports its use to its maker unless this is set before it is first imported,
# which only happens in this package. What an agent remembers is nobody else's business, nor that it does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
