"""Tokens as numbers, and as spans of code points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from moltnet.adapters.onnx.embedding import TextTokenizer
from moltnet.adapters.onnx.model_dir import ModelUnusable
from moltnet.domain.indexing import Span


@pytest.fixture
def tokenizer(tiny_model) -> TextTokenizer:
    return TextTokenizer(tiny_model().path / "tokenizer.json")


def test_special_tokens_frame_the_text(tokenizer, tiny_model):
    assert tokenizer.ids("lost memory", limit=64) == tiny_model().ids("lost", "mem", "##ory")
    assert tokenizer.special_tokens == 2


def test_saved_truncation_and_padding_are_not_used(tokenizer):
    assert len(tokenizer.ids("key", limit=64)) == 3
    assert len(tokenizer.ids("key " * 40, limit=64)) == 42


def test_text_over_the_limit_is_cut_before_the_closing_token(tokenizer, tiny_model):
    assert tokenizer.ids("lost memory key note", limit=5) == tiny_model().ids("lost", "mem", "##ory")


def test_names_of_special_tokens_in_a_text_are_text(tokenizer, tiny_model):
    assert tokenizer.ids("[sep] [SEP]", limit=64) == tiny_model().ids(*["[", "s", "##e", "##p", "]"] * 2)


def test_spans_count_code_points(tokenizer):
    text = "😀 lost\0 memory"

    assert [span.of(text) for span in tokenizer.tokens(text).spans] == ["😀", "lost", "mem", "ory"]


def test_word_starts_leave_out_pieces_inside_words(tokenizer):
    assert tokenizer.tokens("memory! memory").word_starts == (0, 6, 8)


def test_count_leaves_special_tokens_out(tokenizer):
    assert tokenizer.count("lost memory") == 3
    assert tokenizer.count("") == 0


def test_half_a_character_does_not_shift_what_follows(tokenizer):
    text = "\ud83d lost"

    assert tokenizer.tokens(text).spans[-1] == Span(2, 6)
    assert len(tokenizer.ids(text, limit=64)) == 3  # the half itself has no token


def test_file_that_is_no_tokenizer_is_named(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelUnusable, match=r"tokenizer\.json is not a tokenizer"):
        TextTokenizer(tmp_path / "tokenizer.json")


def test_tokenizer_without_special_tokens_is_cut_exactly(tmp_path):
    plain = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.save(str(tmp_path / "tokenizer.json"))

    assert TextTokenizer(tmp_path / "tokenizer.json").ids("a b a", limit=2) == [0, 1]


@given(st.text() | st.text("key lost\n\0\ud800éﬁ한", max_size=200))
def test_spans_of_any_text_are_in_order_and_inside_it(any_tokenizer, text):
    tokens = any_tokenizer.tokens(text)

    assert all(0 <= span.start <= span.end <= len(text) for span in tokens.spans)
    assert list(tokens.spans) == sorted(tokens.spans, key=lambda span: span.start)
    assert len(any_tokenizer.ids(text, limit=10)) <= 10


@pytest.fixture(scope="module")
def any_tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "k": 1, "##e": 2, "##y": 3, "lost": 4}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(path))
    return TextTokenizer(path)
