"""A server that is vLLM by its own word, and a model of random weights."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import Answer, ChatServer, act_as_vllm, completion

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
SPECIAL += ["<|image_pad|>", "<|video_pad|>"]
CHAT = (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role }}{%- for p in m.content -%}"
    "{%- if p.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>"
    "{%- else -%}{{ p.text }}{%- endif -%}{%- endfor -%}<|im_end|>{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant{%- endif -%}"
)


class Time:
    """A clock that a sleep sets forward: waits take no time, and are remembered."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, wait_s: float) -> None:
        self.waits.append(wait_s)
        until_s = self.now_s + wait_s
        await asyncio.sleep(0)
        # Several sleep at the same time, as they would.
        self.now_s = max(self.now_s, until_s)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def vllm_server(server: ChatServer) -> ChatServer:
    act_as_vllm(server)
    return server


@pytest.fixture
def as_vllm() -> Callable[..., None]:
    return act_as_vllm


@pytest.fixture
def answered() -> Callable[..., Answer]:
    return completion


@pytest.fixture(scope="session")
def tiny_vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Qwen3-VL with one layer, random weights and a token a byte."""
    torch = pytest.importorskip("torch")
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast, Qwen3VLConfig

    folder = tmp_path_factory.mktemp("tiny") / "tiny-vlm"
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={byte: place for place, byte in enumerate(alphabet)}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=SPECIAL[2], pad_token=SPECIAL[0], chat_template=CHAT
    )
    id_of = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {
        "vocab_size": 320,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 2048,
        "rope_parameters": rope,
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_heads": 1,
        "patch_size": 8,
        "out_hidden_size": 64,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0],
    }
    names = {"image": SPECIAL[5], "video": SPECIAL[6], "vision_start": SPECIAL[3], "vision_end": SPECIAL[4]}
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        **{f"{name}_token_id": id_of(word) for name, word in names.items()},
    )
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    # Weights this small would leave every letter as likely as the next: pictures must matter.
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(str(folder))
    area = {"shortest_edge": 32 * 32, "longest_edge": 32 * 32}
    pictures = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "patch_size": 8,
        "merge_size": 2,
        "size": area,
    }
    pictures |= {"temporal_patch_size": 2, "processor_class": "Qwen3VLProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    videos = {"video_processor_type": "Qwen3VLVideoProcessor", "patch_size": 8, "merge_size": 2, "size": area}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(videos))
    return folder
