"""The students: one encoder a modality, put together late."""
