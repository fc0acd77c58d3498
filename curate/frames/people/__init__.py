"""Faces and people in pictures: found, followed through a clip, cropped to, blurred."""
