from pathlib import Path

import pytest
from transformers import BertTokenizer

from train_reference.errors import TrainError
from train_reference.features.text import text_sequences

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "am", "fine"]


@pytest.fixture
def bert_words(tmp_path: Path) -> Path:
    """BERT's tokenizer with eight words."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def test_tokens(bert_words: Path, tmp_path: Path) -> None:
    said = ["I am fine", None, "  ", "I am am am am am am am am"]
    found = text_sequences(["a", "b", "c", "d"], said, str(bert_words), None, 8, tmp_path / "text")
    assert found.of(0).tolist() == [2, 5, 6, 7, 3]  # [CLS] i am fine [SEP]
    assert found.lengths.tolist() == [5, 0, 0, 8]


def test_a_tokenizer_that_is_not_at_hand(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"text.model: the tokenizer of .*none cannot be loaded"):
        text_sequences(["a"], ["hello"], str(tmp_path / "none"), None, 8, tmp_path / "text")
