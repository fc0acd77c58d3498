"""Drawn media: videos that differ in shade, faces whose mouth goes with the mood."""

import io

import av
import numpy as np
from PIL import Image, ImageDraw


def video(shade: int) -> bytes:
    """Three frames of 32 x 32 pixels; another shade, another file."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for step in range(3):
            pixels = np.full((32, 32, 3), (shade + 20 * step) % 256, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def picture(seed: int, mood: int, size: int = 96) -> bytes:
    """A drawn face as JPEG: the mouth goes with the mood."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size * 3 // 4), tuple(int(v) for v in rng.integers(90, 200, 3)))
    draw, w, h = ImageDraw.Draw(image), size, size * 3 // 4
    x, y = w / 2 + rng.uniform(-w / 10, w / 10), h / 2
    r = h * 0.36
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(236, 200, 170))
    for side in (-1, 1):
        draw.ellipse(
            (x + side * r / 2.5 - 2, y - r / 3 - 2, x + side * r / 2.5 + 2, y - r / 3 + 2), fill=(30, 30, 30)
        )
    bend = (mood - 1) * r / 4
    points = [(x + t * r / 2, y + r / 2 - bend * (t * t - 0.5)) for t in np.linspace(-1, 1, 9)]
    draw.line(points, fill=(150, 30, 30), width=max(2, size // 40))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()
