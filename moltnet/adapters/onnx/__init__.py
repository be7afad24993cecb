"""Sentence embeddings on ONNX Runtime: the default model, or any directory that declares itself."""
