"""A Qwen3-VL small enough to ship: its words, its shape and its files.

Nothing is taken from a published checkpoint: the vocabulary is learned from
`words.txt`, and the weights start at random.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast, Qwen3VLConfig

from curate.demo.training_pictures import PIXELS

PATCH, MERGE = 8, 2
"""A patch is 8 x 8 pixels; 2 x 2 patches become one token: 16 tokens a picture."""

HIDDEN_SIZE, N_LAYERS, HEAD_DIM = 128, 4, 32
"""Of the language model. 32 is the smallest head that vLLM serves without a GPU."""

VISION_SIZE, VISION_LAYERS = 128, 4

N_WORDS = 2048
"""Upper bound of the vocabulary, special tokens included."""

_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)

_CHAT_TEMPLATE = """\
{%- macro show(part) -%}
{%- if part.type in ('image', 'image_url') or 'image' in part -%}<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type in ('video', 'video_url') or 'video' in part -%}<|vision_start|><|video_pad|><|vision_end|>
{%- elif 'text' in part -%}{{ part.text }}
{%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string -%}{{ message.content }}
{%- else -%}{%- for part in message.content -%}{{ show(part) }}{%- endfor -%}
{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""

_WORD_PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|[\r\n]|\s+"
"""A word with the space before it, a digit, punctuation, a line break."""


def make_tokenizer() -> Any:
    """Learn the byte-level vocabulary of `words.txt`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern=Regex(_WORD_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_WORDS - len(_SPECIAL),
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    lines = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines()
    tokenizer.train_from_iterator([line for line in lines if line], trainer)
    tokenizer.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in _SPECIAL])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=_SPECIAL[2],
        pad_token=_SPECIAL[0],
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
        chat_template=_CHAT_TEMPLATE,
    )


def make_model(tokenizer: Any, seed: int) -> Any:
    """A Qwen3-VL with random weights."""
    torch.manual_seed(seed)
    model_class: Any = AutoModelForImageTextToText
    return model_class.from_config(_config(tokenizer), dtype=torch.float32)


def save_checkpoint(folder: Path, model: Any, tokenizer: Any) -> None:
    """Write what transformers and vLLM load, in place of what was in `folder`.

    Weights are rounded to 16 bits to halve the file; the configuration asks
    for 32, which is what a CPU computes fastest in.
    """
    unfinished, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(unfinished, ignore_errors=True)
    rounded = {name: weight.detach().half() for name, weight in model.state_dict().items() if not _tied(name)}
    model.save_pretrained(unfinished, state_dict=rounded)
    tokenizer.save_pretrained(str(unfinished))
    for name, content in _processor_files(tokenizer).items():
        (unfinished / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if (folder / "README.md").exists():
        shutil.copy(folder / "README.md", unfinished)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    unfinished.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _tied(name: str) -> bool:
    return name == "lm_head.weight"


def _config(tokenizer: Any) -> Qwen3VLConfig:
    def token(word: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(word))

    text = {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": HIDDEN_SIZE,
        "intermediate_size": 3 * HIDDEN_SIZE,
        "num_hidden_layers": N_LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": HEAD_DIM,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
        "dtype": "float32",
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [6, 5, 5],
            "mrope_interleaved": True,
        },
    }
    vision = {
        "depth": VISION_LAYERS,
        "hidden_size": VISION_SIZE,
        "intermediate_size": 3 * VISION_SIZE,
        "num_heads": VISION_SIZE // HEAD_DIM,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": HIDDEN_SIZE,
        "num_position_embeddings": (PIXELS // PATCH) ** 2,
        "deepstack_visual_indexes": [1, 2],
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )


def _processor_files(tokenizer: Any) -> dict[str, dict[str, Any]]:
    area, n_frames = PIXELS * PIXELS, 16
    common = {
        "processor_class": "Qwen3VLProcessor",
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": MERGE,
        "do_convert_rgb": True,
        "do_resize": True,
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    image = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "size": {"shortest_edge": area, "longest_edge": area},
    }
    video = {
        "video_processor_type": "Qwen3VLVideoProcessor",
        "size": {"shortest_edge": area, "longest_edge": n_frames * area},
        "do_sample_frames": True,
        "fps": 2,
        "min_frames": 2,
        "max_frames": n_frames,
    }
    generation = {
        "do_sample": False,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return {
        "preprocessor_config.json": common | image,
        "video_preprocessor_config.json": common | video,
        "generation_config.json": generation,
    }
