"""Words of stored texts and of queries, by the Snowball stemmers (PyStemmer)."""

from moltnet.adapters.text_analysis.analyzer import SnowballAnalyzer

__all__ = ["SnowballAnalyzer"]
