"""Decodes the same moments of a video with one library, over and over: a process of its own for each.

    python peers.py READER VIDEO COUNT

Reads a line at a time, and answers each with the CPU seconds that one decode
took, all threads together; the first decode, which loads and warms up, is not
counted. What a peer gives is frames as RGB arrays at the size of the video, as
`curate decode` does; with `+jpeg`, each is scaled down and encoded as well, as
curate's own pictures are. Each
peer is set as is best for CPU time: one thread, one pass, and only the wanted
frames turned into arrays.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

Decode = Callable[[str, Sequence[int]], Iterable[Any]]
"""From a video and indices of frames, rising, to the frames, each of shape (height, width, 3)."""

SIZE_PX, QUALITY = 448, 90
"""As curate sends pictures: longest side, and quality of the JPEG."""


def pyav(video: str, indices: Sequence[int]) -> Iterable[Any]:
    """Decode to the last wanted frame."""
    import av

    wanted = set(indices)
    with av.open(video) as container:
        container.streams.video[0].thread_count = 1
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                yield frame.to_ndarray(format="rgb24")
            if index == indices[-1]:
                return


def opencv(video: str, indices: Sequence[int]) -> Iterable[Any]:
    """`grab` decodes, `retrieve` turns into an array."""
    import cv2

    cv2.setNumThreads(1)
    wanted = set(indices)
    capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    for index in range(indices[-1] + 1):
        capture.grab()
        if index in wanted:
            yield cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    capture.release()


def torchcodec(video: str, indices: Sequence[int]) -> Iterable[Any]:
    """Times are taken from the header, which is the quicker of its two ways."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(video, num_ffmpeg_threads=1, seek_mode="approximate", dimension_order="NHWC")
    return decoder.get_frames_at(list(indices)).data.numpy()


def decord(video: str, indices: Sequence[int]) -> Iterable[Any]:
    """A batch of frames by index."""
    from decord import VideoReader, cpu

    return VideoReader(video, ctx=cpu(0), num_threads=1).get_batch(list(indices)).asnumpy()


PEERS: dict[str, Decode] = {"PyAV": pyav, "OpenCV": opencv, "torchcodec": torchcodec, "decord": decord}


def decode(reader: str, video: str, count: int) -> int:
    """Decode `count` moments of a video; the number of pictures that came of it."""
    name, _, strategy = reader.partition(" ")
    if name == "curate":
        return _decoded(video, count) if strategy == "decode" else _curate(video, strategy, count)
    peer, _, encode = name.partition("+")
    frames = PEERS[peer](video, middles(frame_count(video), count))
    return sum(bool(_jpeg(frame)) if encode else 1 for frame in frames)


def _curate(video: str, strategy: str, count: int) -> int:
    from curate.frames.decode import video_pictures
    from curate.recipe import Frames

    # Only its type is wider than what a benchmark names.
    recipe = Frames.model_validate({"strategy": strategy, "count": count, "size_px": SIZE_PX})
    return len(video_pictures(Path(video), recipe).shown)


def _decoded(video: str, count: int) -> int:
    """Times and wanted frames as arrays, and nothing after that: what a peer without `+jpeg` does."""
    from curate.clips.video import open_video, timeline
    from curate.frames.reading import can_begin_again, wanted_frames
    from curate.frames.sample import frame_at, uniform

    with open_video(Path(video)) as opened:
        line = timeline(opened)
        assert can_begin_again(line)
        indices = [frame_at(line.times_s, t_s) for t_s in uniform(line.duration_s, count)]
        taken = wanted_frames(opened, line, indices)
        return sum(served.frame.to_ndarray(format="rgb24").ndim == 3 for served in taken)


def _jpeg(frame: Any) -> bytes:
    """A frame as it is sent to a model."""
    from PIL import Image

    image = Image.fromarray(frame)
    scale = min(1.0, SIZE_PX / max(image.size))
    size = (round(image.width * scale), round(image.height * scale))
    encoded = BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(encoded, "JPEG", quality=QUALITY, subsampling=0)
    return encoded.getvalue()


def middles(n_frames: int, count: int) -> list[int]:
    """The frame in the middle of each of `count` equal shares, as strategy uniform takes them."""
    return [int((share + 0.5) * n_frames / count) for share in range(count)]


def frame_count(video: str) -> int:
    """By the header, which is right for these videos."""
    import av

    with av.open(video) as container:
        return int(container.streams.video[0].frames)


def main(reader: str, video: str, count: int) -> None:
    """Answer each line with what one decode took."""
    taken = decode(reader, video, count)
    print(json.dumps({"taken": taken}), flush=True)
    for _ in sys.stdin:
        start_s = time.process_time()
        decode(reader, video, count)
        print(json.dumps({"cpu_s": time.process_time() - start_s}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
