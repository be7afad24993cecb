"""Words by the Snowball stemmers (PyStemmer)."""
