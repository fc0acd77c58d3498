"""What does a classifier on embeddings add to the labels, and what does our loop around a network cost?

    python benchmarks/embeddings.py           all parts
    python benchmarks/embeddings.py judge     noisy labels of real pictures, with and without the classifier
    python benchmarks/embeddings.py motion    drawn clips: mean over frames, and how much they change
    python benchmarks/embeddings.py speed     pictures a second, beside a bare transformers loop

judge: CIFAR-10 pictures under given labels with noise, and under votes of
simulated people who vote as real voters on the picture did, or at random. The
classifier is taught by these same labels and votes; the truth only scores.

motion: drawn clips of people; what is told of a person that the classifier did
not see, from the mean over a clip's pictures, and from mean and deviation.

No weights of a vision network are at hand where this was written: in `judge`
and `motion` edges, colours and pixels stand for embeddings. So these figures
are of the statistics, with a poor network.

speed: a DINOv2 of random weights, as large as DINOv2-Small. The bare loop
decodes, processes and computes; ours also looks pictures and vectors up,
checks and keeps them. Exits with 1 if ours reaches less than 0.95 of it.
"""

import argparse
import os
import platform
import sys

from embeddings_parts.judging import report_judging
from embeddings_parts.motion import report_motion
from embeddings_parts.speed import report_speed

PARTS = ("judge", "motion", "speed")


def main() -> int:
    """Print the parts that were asked for; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="part", help=", ".join(PARTS))
    parser.add_argument("--clips", type=int, default=4000, help="pictures of judge")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if "judge" in asked.parts:
        report_judging(asked.clips)
    if "motion" in asked.parts:
        report_motion()
    return 0 if "speed" not in asked.parts or report_speed() else 1


if __name__ == "__main__":
    sys.exit(main())
