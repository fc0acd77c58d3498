"""A release in FiftyOne: fields, frame labels, saved views, and what people decide there."""
